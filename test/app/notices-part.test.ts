import { mkdtempSync, rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { NoticesPart, noticesFolder } from '../../src/app/notices-part.ts';
import type { Config } from '../../src/config/types.ts';
import { COMMON } from '../publish/notices/messages.ts';
import { throwingGuard } from '../support/guard.ts';

let stateDir: string;
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'edgewise-notices-part-'));
});
afterEach(() => rmSync(stateDir, { recursive: true }));

function made(): NoticesPart {
  const notices = [{ ...COMMON, to: 'command', program: '/bin/true', args: [] }];
  return new NoticesPart({
    config: { stateDir, notices } as unknown as Config,
    only: [],
    sources: {
      ready: () => false,
      networks: () => [],
      zones: () => [],
      secondaries: () => [],
      providers: () => [],
      tlsNotAfter: () => null,
      reloadFault: () => null,
    },
    log: () => undefined,
    guard: throwingGuard(),
  });
}

const files = () => readdir(join(stateDir, 'notices'));

test('a stop or a fault during the start is an orderly end', async () => {
  const { open } = made();
  await open.start();
  expect(await files()).toContain('running');
  await open.stop();
  expect(await files()).not.toContain('running');
});

test('a stop of both parts is one', async () => {
  const { open, part } = made();
  await open.start();
  await part.start();
  await part.stop();
  await open.stop();
  expect(await files()).toEqual(['ops.json']);
});

test.each<[string, readonly string[], string | RegExp]>([
  ['all networks', [], 'notices'],
  ['some', ['b', 'a'], 'notices/a+b'],
  ['many', Array.from({ length: 100 }, (_, i) => `network${i}`), /^notices\/[0-9a-f]{64}$/],
  ['one of a long name', ['n'.repeat(201)], /^notices\/[0-9a-f]{64}$/],
  ['one of 200 octets', ['n'.repeat(200)], `notices/${'n'.repeat(200)}`],
])('the folder of a server of %s', (_, only, folder) => {
  const found = noticesFolder({ stateDir: '' } as Config, only);
  if (typeof folder === 'string') expect(found).toBe(folder);
  else expect(found).toMatch(folder);
});
