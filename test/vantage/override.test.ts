import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  isInForce,
  type Override,
  overrideFile,
  readOverride,
  removeOverride,
  watchOverride,
  writeOverride,
} from '../../src/vantage/override.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgewise-override-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const OVERRIDE: Override = { reason: 'etcd is lost', by: 'ops', at: 100, until: 3700 };
const NONE = { override: null, problem: null };

test('is written, read, written over and removed', async () => {
  expect(readOverride(folder)).toEqual(NONE);
  await writeOverride(folder, OVERRIDE);
  expect(readOverride(folder)).toEqual({ override: OVERRIDE, problem: null });
  expect(statSync(overrideFile(folder)).mode & 0o777).toBe(0o600);
  const forever = { ...OVERRIDE, until: null };
  await writeOverride(folder, forever);
  expect(readOverride(folder)).toEqual({ override: forever, problem: null });
  expect(readdirSync(folder)).toEqual(['edgewise-override.json']);
  expect(await removeOverride(folder)).toBe(true);
  expect(await removeOverride(folder)).toBe(false);
  expect(readOverride(folder)).toEqual(NONE);
});

test('lasts until its end', () => {
  expect([99, 3699, 3700].map((now) => isInForce(OVERRIDE, now))).toEqual([true, true, false]);
  expect(isInForce({ ...OVERRIDE, until: null }, 1e12)).toBe(true);
});

test.each([
  ['empty', ''],
  ['half a file', '{"v":1,"reason":"x"'],
  ['another version', '{"v":2,"reason":"x","by":"y","at":1,"until":null}'],
  ['without a reason', '{"v":1,"reason":"","by":"y","at":1,"until":null}'],
  ['an endless reason', JSON.stringify({ v: 1, reason: 'x'.repeat(501), by: 'y', at: 1, until: null })],
  ['an end that is no time', '{"v":1,"reason":"x","by":"y","at":1,"until":"tomorrow"}'],
  ['a huge file', `{"v":1,"reason":"x","by":"y","at":1,"until":null}${' '.repeat(20_000)}`],
])('%s is no override, and is named', (_, text) => {
  writeFileSync(overrideFile(folder), text);
  expect(readOverride(folder)).toEqual({
    override: null,
    problem: expect.stringMatching(/edgewise-override\.json: .*; no override is in force$/),
  });
});

test('a folder or a link to nothing in its place', () => {
  mkdirSync(overrideFile(folder));
  expect(readOverride(folder)).toMatchObject({ override: null, problem: expect.stringContaining('is a folder') });
  rmSync(overrideFile(folder), { recursive: true });
  symlinkSync(join(folder, 'nothing'), overrideFile(folder));
  expect(readOverride(folder)).toEqual(NONE);
});

test('an error names the file', async () => {
  mkdirSync(overrideFile(folder));
  await expect(removeOverride(folder)).rejects.toThrow('edgewise-override.json');
  await expect(writeOverride(join(folder, 'none'), OVERRIDE)).rejects.toThrow('none');
});

test.runIf(process.getuid?.() === 0)(
  "what root writes belongs to the folder's owner, whom the server runs as",
  async () => {
    const { chownSync } = await import('node:fs');
    chownSync(folder, 12_345, 12_346);
    await writeOverride(folder, OVERRIDE);
    expect(statSync(overrideFile(folder))).toMatchObject({ uid: 12_345, gid: 12_346 });
  },
);

test('each change is seen', async () => {
  let changed = (): void => undefined;
  const change = (): Promise<void> =>
    new Promise((resolve) => {
      changed = resolve;
    });
  const stop = watchOverride(folder, () => changed());
  let seen = change();
  // The first look may come after the first write.
  let writes = 0;
  const writing = setInterval(() => void writeOverride(folder, { ...OVERRIDE, reason: `${writes++}` }), 200);
  await seen;
  clearInterval(writing);
  seen = change();
  await writeOverride(folder, { ...OVERRIDE, until: null });
  await seen;
  seen = change();
  await removeOverride(folder);
  await seen;
  stop();
});
