import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cruise, type ICruiseResult } from 'dependency-cruiser';
import extractOptions from 'dependency-cruiser/config-utl/extract-depcruise-options';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgewise-layers-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What the rules have against the tree in a folder, a line each. */
async function violations(base: string): Promise<readonly string[]> {
  const options = await extractOptions(join(root, '.dependency-cruiser.mjs'));
  const { output } = await cruise(['src'], { ...options, baseDir: base, validate: true });
  return (output as ICruiseResult).summary.violations
    .map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`)
    .sort();
}

test('no import runs up, none goes in circles, in the whole tree', async () => {
  expect(await violations(root)).toEqual([]);
});

test('what the rules are for is found, types included', async () => {
  const files: Readonly<Record<string, string>> = {
    'src/dns/name.ts': 'export type Name = string;',
    'src/health/judge/judge.ts': "import { readFileSync } from 'node:fs';\nexport const judge = readFileSync;",
    'src/health/pools/pool.ts': "import type { Zone } from '../../zones/zone.ts';\nexport type Pool = Zone;",
    'src/zones/zone.ts': "import type { Name } from '../dns/name.ts';\nexport type Zone = Name;",
    'src/zones/a.ts': "import type { B } from './b.ts';\nexport type A = B;",
    'src/zones/b.ts': "import type { A } from './a.ts';\nexport type B = A;",
    'src/live/live.ts': "import type { Answer } from '../server/answer/answer.ts';\nexport type Live = Answer;",
    'src/server/answer/answer.ts': "import type { Socket } from 'node:net';\nexport type Answer = Socket;",
    'src/stray.ts': "import { judge } from './health/judge/judge.ts';\nexport const stray = judge;",
  };
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), `${text}\n`);
  }
  expect(await violations(folder)).toEqual([
    'answers-know-no-sockets: src/server/answer/answer.ts -> net',
    'decisions-are-pure: src/health/judge/judge.ts -> fs',
    'layer-health: src/health/pools/pool.ts -> src/zones/zone.ts',
    'layer-live: src/live/live.ts -> src/server/answer/answer.ts',
    'no-circles: src/zones/a.ts -> src/zones/b.ts',
    'nothing-beside-the-rooms: src/stray.ts -> src/health/judge/judge.ts',
  ]);
});
