import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { lowerName, nameKey } from '../../../src/dns/name.ts';
import { LIVE_HISTORY_MAX, LiveHistory } from '../../../src/live/history.ts';
import { LiveHistoryFiles } from '../../../src/live/history-files.ts';
import { seal } from '../../../src/system/sealed.ts';
import { JournalFolder } from '../../../src/zones/journal/files.ts';
import { ContentJournal, type JournalZone } from '../../../src/zones/journal/journal.ts';
import { decodeStep, encodeStep, stepSerials } from '../../../src/zones/journal/step.ts';
import { wireName } from '../../support/dns-query.ts';
import { address4 } from '../../support/dns-responder.ts';
import { imageOf } from '../../support/zone-images.ts';

const folder = mkdtempSync(join(tmpdir(), 'edgewise-journal-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const origin = lowerName(wireName('a.test'));
const zone = (serial: number, text: string) => ({
  origin,
  network: 'net',
  image: imageOf({
    origin: 'a.test',
    text: `@ 300 SOA ns1 host 1 2 3 4 5\n@ 300 NS ns1\n${text}`,
    serial,
    live: ['a.test'],
  }),
});
const trouble: string[] = [];
beforeEach(() => {
  trouble.length = 0;
});
const open = async (name: string, first: JournalZone, servedBefore: number | null = null): Promise<ContentJournal> => {
  const files = new JournalFolder(join(folder, name), (message) => trouble.push(message));
  const journal = new ContentJournal({ files, servedBefore: () => servedBefore });
  journal.keepContents(true);
  await journal.open([first]);
  return journal;
};
const filesOf = (name: string): readonly string[] => readdirSync(join(folder, name)).sort();
const serials = (journal: ContentJournal): readonly string[] =>
  journal.stepsOf(origin).map((step) => `${stepSerials(step).from}-${stepSerials(step).to}`);

test('steps follow each other and hold what changed', async () => {
  const journal = await open('steps', zone(1, 'x A 192.0.2.1\n'));
  await journal.changed([zone(2, 'x A 192.0.2.2\n')]);
  await journal.changed([zone(3, 'x A 192.0.2.2\ny A 192.0.2.3\n')]);
  expect(serials(journal)).toEqual(['1-2', '2-3']);
  const [first, second] = journal.stepsOf(origin).map(decodeStep);
  expect([first?.removed.length, first?.added.length]).toEqual([1, 1]);
  expect([second?.removed.length, second?.added.length, second?.live.length]).toEqual([0, 1, 2]);
  await journal.close();
});

test('a restart with the same contents keeps them; with others it does not', async () => {
  const before = await open('restart', zone(1, 'x A 192.0.2.1\n'));
  const [second, third] = [zone(2, 'x A 192.0.2.2\n'), zone(3, 'x A 192.0.2.3\n')];
  await before.changed([second]);
  await before.changed([third]);
  await before.close();
  expect(serials(await open('restart', third))).toEqual(['1-2', '2-3']);
  const same = await open('restart', zone(3, 'x A 192.0.2.99\n')); // the serial alone proves nothing
  expect(serials(same)).toEqual([]);
  await same.close();
  expect(filesOf('restart')).toEqual(['a.test..content']);
});

describe('a content that changed while nobody served', () => {
  const served = async (name: string): Promise<void> => {
    const before = await open(name, zone(1, 'x A 192.0.2.1\n'));
    await before.changed([zone(2, 'x A 192.0.2.2\n')]);
    await before.close();
  };
  const restarted = (name: string, last: number | null, network = 'net'): Promise<ContentJournal> =>
    open(name, { ...zone(5, 'x A 192.0.2.5\n'), network }, last);

  test('is one more step, now and after the next restart', async () => {
    await served('stopped');
    const journal = await restarted('stopped', 2);
    expect(serials(journal)).toEqual(['1-2', '2-5']);
    const step = decodeStep(journal.stepsOf(origin)[1]);
    expect([step?.removed, step?.added].map((list) => list?.map(({ rdata }) => [...rdata]))).toEqual([
      [[192, 0, 2, 2]],
      [[192, 0, 2, 5]],
    ]);
    await journal.close();
    const again = await restarted('stopped', 5);
    expect(serials(again)).toEqual(['1-2', '2-5']);
    await again.close();
  });

  test.each([
    ['another content was served after the remembered one', 3, 'net'],
    ['nobody knows what was served', null, 'net'],
    ['it is of another network now', 2, 'other'],
  ])('is no step where %s', async (name, last, network) => {
    await served(name);
    const journal = await restarted(name, last, network);
    expect(serials(journal)).toEqual([]);
    await journal.close();
  });

  test('is a step from a journal that is lost, and none from a content that is', async () => {
    await served('lost');
    rmSync(join(folder, 'lost', 'a.test..journal'));
    const journal = await restarted('lost', 2);
    expect(serials(journal)).toEqual(['2-5']);
    await journal.close();
    const octets = readFileSync(join(folder, 'lost', 'a.test..content'));
    writeFileSync(join(folder, 'lost', 'a.test..content'), octets.subarray(0, octets.length - 1));
    const next = await open('lost', zone(9, 'x A 192.0.2.9\n'), 5);
    expect(serials(next)).toEqual([]);
    await next.close();
  });

  test('is a step of a zone that did not load at the start, once it does', async () => {
    await served('broken');
    const journal = await open('broken', { origin, network: 'net', image: null }, 2);
    await journal.changed([zone(5, 'x A 192.0.2.5\n')]);
    expect(serials(journal)).toEqual(['1-2', '2-5']);
    await journal.close();
  });

  test('costs nothing where nobody may transfer', async () => {
    const files = new JournalFolder(join(folder, 'nobody'), (message) => trouble.push(message));
    const journal = new ContentJournal({ files });
    await journal.open([zone(1, '')]);
    await journal.changed([zone(2, 'x A 192.0.2.2\n')]);
    await journal.close();
    expect(existsSync(join(folder, 'nobody'))).toBe(false);
    // Once somebody may, it begins with what there is then.
    journal.keepContents(true);
    await journal.changed([zone(3, 'x A 192.0.2.3\n')]);
    expect(serials(journal)).toEqual(['2-3']);
    await journal.close();
  });
});

test('a static zone whose serial was not raised: who has that serial has either content, and gets the whole zone', async () => {
  const fixed = (serial: number, text: string): JournalZone => ({ ...zone(serial, text), network: null });
  const journal = await open('same', fixed(5, 'x A 192.0.2.1\n'));
  await journal.changed([fixed(5, 'x A 192.0.2.2\n')]);
  await journal.changed([fixed(6, 'x A 192.0.2.3\n')]);
  expect(serials(journal)).toEqual([]);
  await journal.changed([fixed(7, 'x A 192.0.2.4\n')]);
  expect(serials(journal)).toEqual(['6-7']);
  await journal.close();
  // The same, changed while stopped.
  const again = await open('same', fixed(7, 'x A 192.0.2.5\n'), 7);
  await again.changed([fixed(8, 'x A 192.0.2.6\n')]);
  expect(serials(again)).toEqual([]);
  await again.close();
});

test.each([
  ['nonsense', 'nonsense'],
  ['nonsense that is sealed', seal('nonsense')],
  ['another version', seal('{"version":1,"network":"net","digest":1,"steps":[]}')],
  ['damaged steps', seal('{"version":2,"network":"net","digest":1,"steps":["AAAA"]}')],
  ['steps that do not lead to the zone', seal('{"version":2,"network":"net","digest":1,"steps":["AAAAAQAAAAI="]}')],
])('a file with %s is taken for none', async (name, text) => {
  const first = await open(name, zone(1, ''));
  await first.changed([zone(2, 'x A 192.0.2.1\n')]);
  await first.close();
  writeFileSync(join(folder, name, 'a.test..journal'), text);
  expect(serials(await open(name, zone(2, 'x A 192.0.2.1\n'), 2))).toEqual([]);
});

test('a change of network, a serial that was not raised, a zone that goes: nothing is told from before', async () => {
  const journal = await open('cuts', zone(5, 'x A 192.0.2.1\n'));
  await journal.changed([{ ...zone(6, 'x A 192.0.2.2\n'), network: 'other' }]);
  expect(serials(journal)).toEqual([]);
  await journal.changed([{ ...zone(6, 'x A 192.0.2.3\n'), network: 'other' }]);
  expect(serials(journal)).toEqual([]);
  await journal.changed([{ ...zone(7, 'x A 192.0.2.4\n'), network: 'other' }]);
  expect(serials(journal)).toEqual([]); // 6 were two contents
  await journal.changed([{ ...zone(8, 'x A 192.0.2.5\n'), network: 'other' }]);
  expect(serials(journal)).toEqual(['7-8']);
  await journal.close();
  expect(filesOf('cuts')).toEqual(['a.test..content', 'a.test..journal']);
  await journal.changed([{ origin, network: 'other', image: null }]);
  expect(serials(journal)).toEqual([]);
  await journal.close();
  expect(filesOf('cuts')).toEqual([]);
});

test('a change of more than half a large zone is no step', async () => {
  const many = (last: string): string => Array.from({ length: 300 }, (_, i) => `n${i} A 192.0.2.${last}`).join('\n');
  const journal = await open('half', zone(1, `${many('1')}\n`));
  await journal.changed([zone(2, `${many('2')}\n`)]);
  expect(serials(journal)).toEqual([]);
});

test('of many changes the last 64 are kept', async () => {
  const journal = await open('many', zone(1, ''));
  for (let i = 2; i <= 80; i++) await journal.changed([zone(i, `x A 192.0.2.${i}\n`)]);
  expect([serials(journal).length, serials(journal).at(-1)]).toEqual([64, '79-80']);
  await journal.close();
  expect(trouble).toEqual([]);
});

const record = fc.record({
  owner: fc.constantFrom(wireName('a.test'), wireName('.'), wireName('x.y.z')),
  type: fc.nat(0xffff),
  ttl: fc.nat(0xffffffff),
  rdata: fc.uint8Array({ maxLength: 40 }),
});
const list = fc.array(record, { maxLength: 4 });

test('a step is read as it was written; anything else is null', () => {
  fc.assert(
    fc.property(fc.nat(9), record, list, list, list, (from, soa, live, removed, added) => {
      const bare = live.map(({ owner, type, ttl }) => ({ owner, type, ttl }));
      const octets = encodeStep({ from, to: from + 1, soa, live: bare, removed, added });
      const step = decodeStep(octets);
      expect([step?.from, step?.removed.length, step?.added.map(({ rdata }) => [...rdata])]).toEqual([
        from,
        removed.length,
        added.map(({ rdata }) => [...rdata]),
      ]);
      for (let cut = 0; cut < octets.length; cut++) expect(decodeStep(octets.slice(0, cut))).toBeNull();
    }),
    { numRuns: 50 },
  );
});

test('a folder that cannot be written is a fault until it can, and nothing is lost by then', async () => {
  writeFileSync(join(folder, 'blocked'), 'a file in the place of the folder');
  const said: string[] = [];
  const files = new JournalFolder(join(folder, 'blocked'), (message) => said.push(message));
  const journal = new ContentJournal({ files, servedBefore: () => null });
  journal.keepContents(true);
  await journal.open([zone(1, '')]);
  await journal.changed([zone(2, 'x A 192.0.2.2\n')]);
  await vi.waitFor(() => expect(journal.faults()).toEqual([expect.stringMatching(/^journal: changes are not saved/)]));
  expect(said).toHaveLength(1);
  rmSync(join(folder, 'blocked'));
  await journal.close(); // tries once more
  expect(journal.faults()).toEqual([]);
  expect(filesOf('blocked')).toEqual(['a.test..content', 'a.test..journal']);
});

test.each<[string, string | Buffer, RegExp]>([
  ['null', seal('null'), /is of another version/],
  ['steps that are no text', seal('{"version":2,"network":null,"digest":1,"steps":["",7]}'), /is of another version/],
  ['steps that are no base64', seal('{"version":2,"network":null,"digest":1,"steps":["%"]}'), /is of another version/],
  ['a digest that is none', seal('{"version":2,"network":null,"digest":null,"steps":[]}'), /is of another version/],
  [
    'half a file',
    seal('{"version":2,"network":null,"digest":1,"steps":[]}').subarray(0, 60),
    /is not as it was written/,
  ],
  ['nothing', '', /is not as it was written/],
])('a journal that is %s is not used, and said once', async (name, octets, said) => {
  mkdirSync(join(folder, name), { recursive: true });
  for (const zone of ['a', 'b']) writeFileSync(join(folder, name, `${zone}.test..journal`), octets);
  const files = new JournalFolder(join(folder, name), (message) => trouble.push(message));
  for (const zone of ['a', 'b', 'c']) expect(await files.read(nameKey(`${zone}.test`) ?? origin)).toBeNull();
  expect(trouble).toEqual([expect.stringMatching(said)]);
  expect(trouble[0]).toContain(join(folder, name, 'a.test..journal'));
  await files.close();
});

test('random octets are no step and harm nothing', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (octets) => void decodeStep(octets)));
});

const version = (serial: number, address: string) => ({ serial, v4: [address4(address)], v6: [] });

test('the history of a slot is bounded and knows what was live at a serial', () => {
  const history = new LiveHistory();
  for (let i = 1; i <= 100; i++) history.note(7, version(10 * i, '192.0.2.1'));
  expect(history.versions(7)).toHaveLength(LIVE_HISTORY_MAX);
  expect([history.at(7, 1000)?.serial, history.at(7, 999)?.serial, history.at(7, 20)]).toEqual([1000, 990, null]);
  history.note(7, version(990, '192.0.2.9'));
  expect(history.versions(7)).toHaveLength(LIVE_HISTORY_MAX);
});

test('one serial with two contents makes everything before it worthless', () => {
  const history = new LiveHistory();
  history.note(1, version(10, '192.0.2.1'));
  history.note(1, version(20, '192.0.2.2'));
  history.note(1, version(20, '192.0.2.3'));
  expect(history.versions(1).map(({ serial }) => serial)).toEqual([20]);
});

test('a network’s history is read as it was written', async () => {
  const files = new LiveHistoryFiles(join(folder, 'live'), (message) => trouble.push(message));
  const six = new Uint8Array(16).fill(0x20);
  const saved = {
    versions: [version(1, '192.0.2.1'), { serial: 2, v4: [], v6: [six] }],
    zones: new Map([[origin, [version(3, '192.0.2.3')]]]),
  };
  files.save('net/1', () => saved);
  await files.close();
  expect(await files.read('net/1')).toEqual(saved);
  expect(await files.read('other')).toBeNull();
  writeFileSync(
    join(folder, 'live', 'bad.live'),
    seal('{"version":1,"versions":[{"serial":1,"addresses":["x"]}],"zones":{}}'),
  );
  expect(trouble).toEqual([]);
  expect(await files.read('bad')).toEqual({ versions: [], zones: new Map() });
  expect(trouble).toMatchObject([expect.stringContaining('versions[0]')]);
});
