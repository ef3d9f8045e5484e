import { chmodSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { checkCommand } from '../../src/cli/check.ts';
import { BASE } from '../config/config-fixture.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgewise-check-'));
  for (const name of ['edges', 'zones', 'state']) mkdirSync(join(folder, name));
  put('edges/a', '127.0.0.1\n');
  put('edges/b', '127.0.0.1\n');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function put(name: string, text: string): void {
  writeFileSync(join(folder, name), text);
  utimesSync(join(folder, name), 1_700_000_000, 1_700_000_000); // long ago, so that it is not taken for half a file
}

/** What the command says of files that checks need, without the folder. */
async function check(
  text: string,
  wanted = (line: string): boolean => line.includes('no edge can be judged') && !line.includes('warning'),
): Promise<readonly string[]> {
  put('e.yaml', `${BASE}${text}`);
  let written = '';
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((piece) => {
      written += piece;
      return true;
    }),
  );
  const before = process.exitCode;
  try {
    await checkCommand().parseAsync(['-c', join(folder, 'e.yaml')], { from: 'user' });
  } finally {
    process.exitCode = before;
    for (const spy of spies) spy.mockRestore();
  }
  const lines = written.replaceAll(`${folder}/`, '').split('\n');
  return lines.filter(wanted);
}

test('the test object, where a network uses it', async () => {
  expect(await check('')).toEqual([expect.stringContaining('testobject.local cannot be used')]);
  put('object', 'x');
  expect(await check('')).toEqual([]);
});

test('not where none does', async () => {
  const tcp = '[{kind: tcp, port: 1}]';
  expect(await check(`checks: {a: ${tcp}, b: ${tcp}}\n`)).toEqual([]);
  expect(await check(`checks: {a: ${tcp}}\n`)).toEqual([expect.stringContaining('testobject.local cannot be used')]);
});

test('every file of every check, once', async () => {
  const http = '{kind: http, body: {file: nothing}}';
  const tls = '{kind: tcp, port: 1, tls: true, verify: ca.pem}';
  put('ca.pem', 'no certificate');
  put('object', 'x');
  expect(await check(`checks: {a: [${http}, ${tls}], b: [${http}]}\n`)).toEqual([
    expect.stringMatching(/nothing.*body\.file of http cannot be used/),
    expect.stringMatching(/ca\.pem.*verify of tcp cannot be used/),
  ]);
});

test('files of tokens of providers, without what is in them', async () => {
  const target = '{provider: cloudflare, network: a, zone: example.org, names: www, token_file: token}';
  const said = (line: string): boolean => line.includes('token');
  expect(await check(`publish: [${target}]\n`, said)).toEqual([expect.stringMatching(/^error: .*token: no such file/)]);
  put('token', 'not-to-be-shown\n');
  chmodSync(join(folder, 'token'), 0o644);
  expect(await check(`publish: [${target}]\n`, said)).toEqual([
    expect.stringMatching(/^warning: open-secret: token: every user of this machine can read it/),
  ]);
  chmodSync(join(folder, 'token'), 0o600);
  expect(await check(`publish: [${target}]\n`, said)).toEqual([]);
});
