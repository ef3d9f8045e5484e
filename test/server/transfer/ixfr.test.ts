import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ZoneImage } from '../../../src/zones/image/image.ts';
import type { LiveVersion } from '../../../src/zones/image/live-version.ts';
import { diffImages } from '../../../src/zones/journal/diff.ts';
import { encodeStep } from '../../../src/zones/journal/step.ts';
import { decodeMessage, line } from '../../support/dns-message.ts';
import { encodeOpt, encodeQuery } from '../../support/dns-query.ts';
import { address4 } from '../../support/dns-responder.ts';
import { DnsServer } from '../../support/dns-server.ts';
import { answersSigned, ixfrQuery, signedQuery, testKey, transfer } from '../../support/transfer-client.ts';
import { imageOf, type ZoneSpec } from '../../support/zone-images.ts';

const KEY = testKey('ixfr');
const HEAD = '@ 300 SOA ns1 host 1 7200 900 1209600 300\n@ 300 NS ns1\n';
const SLOT = 1;

/** A zone with live names, whose content was published with this serial. */
const live = (serial: number, text: string): ZoneSpec => ({
  origin: 'live.test',
  text: `${HEAD}${text}`,
  live: ['live.test', 'www.live.test'],
  liveTtl: 60,
  slot: SLOT,
  serial,
});
const set = (serial: number, ...addresses: readonly string[]): LiveVersion => ({
  serial,
  v4: addresses.map(address4),
  v6: [],
});

/** The contents and live sets, in the order of their serials. */
const CONTENTS = [
  live(100, 'ns1 300 A 192.0.2.53\nold 300 A 192.0.2.1\ncase 300 TXT "same"\n'),
  live(140, 'ns1 300 A 192.0.2.53\nmid 300 A 192.0.2.2\ncase 300 TXT "same"\n'),
  live(150, 'ns1 300 A 192.0.2.53\nnew 300 A 192.0.2.3\ncase 600 TXT "same"\n'),
];
const SETS = [set(110, '192.0.2.11', '192.0.2.12'), set(120, '192.0.2.12', '192.0.2.13'), set(130, '192.0.2.13')];
const NOW = 150;

async function stepsOf(contents: readonly ZoneSpec[]): Promise<Uint8Array[]> {
  const steps: Uint8Array[] = [];
  for (let i = 1; i < contents.length; i++) {
    const [before, after] = [contents[i - 1], contents[i]].map((spec) => ZoneImage.attach(imageOf(spec)));
    const step = await diffImages(before, after, 100, async () => {});
    if (step === null) throw new Error('no step');
    steps.push(encodeStep(step));
  }
  return steps;
}

let server: DnsServer;
const anybody = { from: null, key: null, tls: false, networks: null, zones: null };

beforeAll(async () => {
  server = await DnsServer.start([CONTENTS[2]], {}, { keys: [KEY], allow: [anybody], rows: [] });
  server.slots.write(SLOT, SETS[2]);
  await server.tell({
    live: [{ slot: SLOT, versions: SETS }],
    steps: [{ zone: 0, steps: await stepsOf(CONTENTS) }],
  });
});

afterAll(async () => server?.stop());

const soa = (serial: number): string =>
  `live.test. 300 SOA ns1.live.test. host.live.test. ${serial} 7200 900 1209600 300`;
const flat = (serial: number, removed: readonly string[], added: readonly string[]): readonly string[] => [
  soa(NOW),
  soa(serial),
  ...removed,
  soa(NOW),
  ...added,
  soa(NOW),
];
const addresses = (...list: readonly string[]): readonly string[] =>
  ['live.test.', 'www.live.test.'].flatMap((owner) => list.map((address) => `${owner} 60 A ${address}`));
const CONTENT_REMOVED = ['mid.live.test. 300 A 192.0.2.2', 'case.live.test. 300 TXT "same"'];
const CONTENT_ADDED = ['new.live.test. 300 A 192.0.2.3', 'case.live.test. 600 TXT "same"'];

const sorted = (lines: readonly string[]): readonly string[] => [...lines].sort();

describe('a difference is condensed (RFC 1995 §5)', () => {
  test.each([
    ['a content change', 140, CONTENT_REMOVED, CONTENT_ADDED],
    [
      'two content changes, what came and went left out',
      130,
      ['old.live.test. 300 A 192.0.2.1', 'case.live.test. 300 TXT "same"'],
      CONTENT_ADDED,
    ],
    [
      'a flip and content changes',
      120,
      [...addresses('192.0.2.12'), 'old.live.test. 300 A 192.0.2.1', 'case.live.test. 300 TXT "same"'],
      CONTENT_ADDED,
    ],
    [
      'two flips and content changes',
      110,
      [...addresses('192.0.2.11', '192.0.2.12'), 'old.live.test. 300 A 192.0.2.1', 'case.live.test. 300 TXT "same"'],
      [...addresses('192.0.2.13'), ...CONTENT_ADDED],
    ],
  ])('%s', async (_, serial, removed, added) => {
    const { lines, messages } = await transfer(server.endpoint, ixfrQuery('live.test', serial));
    expect(sorted(lines)).toEqual(sorted(flat(serial, removed, added)));
    expect([lines[0], lines[1], lines[2 + removed.length], lines.at(-1)]).toEqual([
      soa(NOW),
      soa(serial),
      soa(NOW),
      soa(NOW),
    ]);
    expect(messages).toHaveLength(1);
  });

  test('over UDP, where it fits', async () => {
    const octets = await server.exchange(ixfrQuery('live.test', 140));
    const { answer, tc } = decodeMessage(octets ?? new Uint8Array());
    expect([tc, sorted(answer.map(line))]).toEqual([false, sorted(flat(140, CONTENT_REMOVED, CONTENT_ADDED))]);
  });

  test('signed', async () => {
    const { octets, signer } = signedQuery(ixfrQuery('live.test', 140), KEY);
    const answer = await transfer(server.endpoint, octets);
    expect(sorted(answer.lines)).toEqual(sorted(flat(140, CONTENT_REMOVED, CONTENT_ADDED)));
    expect(answersSigned(answer.octets[0], KEY, signer.mac)).toBe(true);
  });
});

test.each([
  ['older than what is known', 99],
  ['the serial of no live version', 105],
  ['between two versions', 125],
  ['between two contents', 145],
])('a serial that is %s: the whole zone', async (_, serial) => {
  const { lines } = await transfer(server.endpoint, ixfrQuery('live.test', serial));
  const whole = await transfer(server.endpoint, encodeQuery({ name: 'live.test', type: 'AXFR' }));
  expect(lines).toEqual(whole.lines);
});

test('a whole zone is one version: SOA, contents and live set', async () => {
  const { lines } = await transfer(server.endpoint, encodeQuery({ name: 'live.test', type: 'AXFR' }));
  expect(sorted(lines)).toEqual(
    sorted([
      soa(NOW),
      soa(NOW),
      'live.test. 300 NS ns1.live.test.',
      'ns1.live.test. 300 A 192.0.2.53',
      ...addresses('192.0.2.13'),
      ...CONTENT_ADDED,
    ]),
  );
});

test('a thread that did not hear of a change yet gives the whole zone, never a wrong difference', async () => {
  await server.tell({ live: [], steps: [{ zone: 0, steps: (await stepsOf(CONTENTS)).slice(0, 1) }] });
  const { rows } = await transfer(server.endpoint, ixfrQuery('live.test', 140));
  expect(rows[1].type).not.toBe('SOA');
  await server.tell({ live: [], steps: [{ zone: 0, steps: await stepsOf(CONTENTS) }] });
});

test('what does not fit into UDP is one SOA (§2)', async () => {
  const many = live(
    160,
    `ns1 300 A 192.0.2.53\n${Array.from({ length: 60 }, (_, i) => `n${i} 300 A 192.0.2.9`).join('\n')}\n`,
  );
  await server.serve([many]);
  await server.tell({ live: [], steps: [{ zone: 0, steps: await stepsOf([...CONTENTS, many]) }] });
  const query = ixfrQuery('live.test', 150);
  query[11] = 1;
  const octets = await server.exchange(Uint8Array.from([...query, ...encodeOpt({ size: 1232 })]));
  expect(decodeMessage(octets ?? new Uint8Array()).answer.map(({ text }) => text.split(' ')[2])).toEqual(['160']);
  const { rows } = await transfer(server.endpoint, ixfrQuery('live.test', 150));
  expect(rows.filter(({ type }) => type === 'SOA')).toHaveLength(4);
});
