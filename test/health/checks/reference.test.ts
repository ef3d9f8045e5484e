import { execFileSync } from 'node:child_process';
import { appendFile, mkdir, mkdtemp, rename, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ReferenceReader, referenceFault, type Unreadable } from '../../../src/health/checks/reference.ts';
import { formatFault } from '../../../src/system/fault.ts';
import { makeCertificates } from '../../support/mock-edge-certificates.ts';

let folder: string;
let local: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgewise-reference-'));
  local = join(folder, 'object');
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(() => rm(local, { recursive: true, force: true }));

const OLD = 1_700_000_000;
/** Long after anything the tests write. */
const LATER = (OLD + 1_000_000) * 1000;

async function put(text: string): Promise<void> {
  await writeFile(local, text);
  await utimes(local, OLD, OLD);
}

type Reference = { readonly ok: true; readonly object: Uint8Array; readonly ca: string | null } | Unreadable;

/** `onPause`: what happens at each pause; `clock` goes on by it. */
function reader(startMs = LATER, onPause: (pause: number) => Promise<void> = async () => {}) {
  const clock = { ms: startMs, pauses: 0 };
  const made = new ReferenceReader({
    now: () => clock.ms,
    pause: async (ms) => {
      clock.ms += ms;
      clock.pauses += 1;
      await onPause(clock.pauses);
    },
  });
  const read = async (ca: string | null = null, maxBytes = 1000): Promise<Reference> => {
    const objects = new Map([[local, 'testobject.local']]);
    const authorities = new Map(ca === null ? [] : [[ca, 'testobject.verify']]);
    const all = await made.readAll({ objects, authorities, maxBytes });
    if (!all.ok) return all;
    const { files } = all;
    return { ok: true, object: files.objects.get(local) ?? Buffer.of(), ca: files.authorities.get(ca ?? '') ?? null };
  };
  return { clock, read };
}

function said(reference: Reference): string {
  return reference.ok ? `object of ${reference.object.length}` : formatFault(referenceFault(reference)).split('\n')[0];
}

describe('without a whole reference there is none', () => {
  test.each<[string, () => Promise<unknown>, string]>([
    ['missing', async () => {}, 'cannot be used: it cannot be read (no such file)'],
    ['empty', () => put(''), 'testobject.local is empty'],
    [
      'emptied',
      () =>
        put('object')
          .then(() => truncate(local))
          .then(() => utimes(local, OLD, OLD)),
      'is empty',
    ],
    ['a folder', () => mkdir(local), 'it is a folder, not a file'],
    ['too large', () => put('x'.repeat(1001)), 'it is longer than 1000 octets'],
    ['a pipe', async () => execFileSync('mkfifo', [local]), 'it is a pipe, not a regular file'],
  ])('%s', async (_name, make, why) => {
    await make();
    const text = said(await reader().read());
    expect(text).toContain(why);
    expect(text).toMatch(/^\S+\/object:1:1: .*so no edge can be judged$/);
  });

  test('whole, it is its octets', async () => {
    await put('x'.repeat(1000));
    expect(said(await reader().read())).toBe('object of 1000');
  });
});

describe('a file that is being written', () => {
  const at = (seconds: number): Promise<void> => utimes(local, OLD + seconds, OLD + seconds);

  test('is waited for until it has been quiet for a second', async () => {
    await put('half');
    const { read, clock } = reader(OLD * 1000 + 100, async (pause) => {
      if (pause !== 2) return;
      await appendFile(local, ' and half');
      await at(0.5);
    });
    expect(said(await read())).toBe('object of 13');
    expect(clock.ms - OLD * 1000).toBeGreaterThanOrEqual(1500);
  });

  test('for two where there was one before, and not at all where it is the same', async () => {
    await put('before');
    const { read, clock } = reader(LATER, async () => {});
    expect(said(await read())).toBe('object of 6');
    await put('before');
    await utimes(local, clock.ms / 1000, clock.ms / 1000);
    expect(said(await read())).toBe('object of 6');
    expect(clock.pauses).toBe(0);
    await put('behind it');
    await utimes(local, clock.ms / 1000, clock.ms / 1000);
    const began = clock.ms;
    expect(said(await read())).toBe('object of 9');
    expect(clock.ms - began).toBeGreaterThanOrEqual(2000);
  });

  test('without end is none', async () => {
    await put('x');
    const { read, clock } = reader(OLD * 1000, async () => {
      await appendFile(local, 'x');
      await utimes(local, clock.ms / 1000, clock.ms / 1000);
    });
    expect(said(await read())).toContain('testobject.local is still being written');
  });

  test('and then renamed over the old one, is taken', async () => {
    await put('old');
    const { read } = reader();
    expect(said(await read())).toBe('object of 3');
    await writeFile(`${local}.new`, 'a new one');
    await utimes(`${local}.new`, OLD, OLD);
    await rename(`${local}.new`, local);
    expect(said(await read())).toBe('object of 9');
  });

  test('in the future is taken as it is', async () => {
    await put('object');
    await utimes(local, LATER, LATER);
    expect((await stat(local)).mtimeMs).toBeGreaterThan(LATER);
    expect(said(await reader().read())).toBe('object of 6');
  });
});

describe('authorities of its own', () => {
  const { ca } = makeCertificates('object.test');
  const lines = ca.trimEnd().split('\n');

  test.each<[string, string | null, string]>([
    ['one', ca, 'object of 6'],
    ['two, with words between', `${ca}\nmine:\n${ca}`, 'object of 6'],
    ['none', null, 'testobject.verify cannot be used: it cannot be read (no such file)'],
    ['no certificate', 'words\n', ':1:1: error: test-object: testobject.verify cannot be used: no certificate in PEM'],
    [
      'a broken one behind a good one',
      `${ca}${lines[0]}\nAAAA\n${lines.at(-1)}\n`,
      `:${lines.length + 1}:1: error: test-object`,
    ],
    ['one that is cut', `# mine\n${lines.slice(0, -1).join('\n')}`, 'no certificate in PEM'],
    ['a second that is cut', `${ca}${lines.slice(0, -1).join('\n')}`, 'certificate 2 has no end'],
  ])('%s', async (_name, text, expected) => {
    await put('object');
    const file = join(folder, 'ca.pem');
    await rm(file, { force: true });
    if (text !== null) await writeFile(file, text);
    const reference = await reader().read(file);
    expect(said(reference)).toContain(expected);
    if (reference.ok) expect(reference.ca).toBe(text);
  });
});
