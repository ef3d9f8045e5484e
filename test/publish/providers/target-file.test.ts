import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { LeftSets } from '../../../src/publish/providers/sets.ts';
import { TargetFiles, targetFile } from '../../../src/publish/providers/target-file.ts';
import type { TargetStatus } from '../../../src/publish/providers/target-status.ts';

let stateDir: string;
let files: TargetFiles;
const problems: string[] = [];
const NONE = { left: null, lastRight: null };

beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'edgewise-target-file-'));
  files = filesOf();
});
afterEach(async () => {
  await files.close();
  rmSync(stateDir, { recursive: true });
  expect(problems.splice(0)).toEqual([]);
});

/** As after a restart. */
function filesOf(): TargetFiles {
  return new TargetFiles({ stateDir } as ConstructorParameters<typeof TargetFiles>[0], (text) => problems.push(text));
}

function leftSets(...addresses: readonly string[]): LeftSets {
  return new Map([['www.example.org A', { ttl: 60, addresses, extra: [] }]]);
}

function status(lastRight: number): TargetStatus {
  return {
    name: 'a',
    kind: 'memory',
    network: 'net',
    names: ['www.example.org'],
    state: 'right',
    since: 900,
    lastRight,
    problem: null,
    failures: 0,
    corrections: 0,
    foreignChanges: 0,
    held: [],
  };
}

test('what was left is known after a restart, and at another place it is not', async () => {
  const store = files.leftOf('a', 'here');
  expect(await store.read()).toEqual(NONE);
  store.write(leftSets('192.0.2.1'));
  files.saveStatus(status(1000));
  await files.close();
  expect(await filesOf().leftOf('a', 'there').read()).toEqual(NONE);
  files = filesOf();
  expect(await files.leftOf('a', 'here').read()).toEqual({ left: leftSets('192.0.2.1'), lastRight: 1000 });
  // Moved by a reload, and back again.
  expect(await files.leftOf('a', 'there').read()).toEqual(NONE);
  expect(await files.leftOf('a', 'here').read()).toEqual(NONE);
});

test('what waits to be written is newer than the file', async () => {
  const store = files.leftOf('a', 'here');
  store.write(leftSets('192.0.2.1'));
  files.saveStatus(status(1000));
  await files.close();
  files = filesOf();
  const before = files.leftOf('a', 'here');
  await before.read();
  before.write(leftSets('192.0.2.2'));
  files.saveStatus(status(2000));
  expect(await files.leftOf('a', 'here').read()).toEqual({ left: leftSets('192.0.2.2'), lastRight: 2000 });
  await files.close();
  const text = readFileSync(targetFile({ stateDir }, 'a'), 'utf8');
  expect(JSON.parse(text)).toMatchObject({
    where: 'here',
    left: { 'www.example.org A': { addresses: ['192.0.2.2'] } },
  });
});

test('of a target that is gone nothing is known when it comes again', async () => {
  const store = files.leftOf('a', 'here');
  store.write(leftSets('192.0.2.1'));
  files.saveStatus(status(1000));
  await files.close();
  files = filesOf();
  files.forget('a');
  expect(await files.leftOf('a', 'here').read()).toEqual(NONE);
});

test('a file of an earlier version, which does not say where, is taken over', async () => {
  const file = targetFile({ stateDir }, 'a');
  mkdirSync(dirname(file));
  const left = Object.fromEntries(leftSets('192.0.2.1'));
  writeFileSync(file, JSON.stringify({ version: 1, status: status(1000), left }));
  expect(await files.leftOf('a', 'here').read()).toEqual({ left: leftSets('192.0.2.1'), lastRight: 1000 });
});
