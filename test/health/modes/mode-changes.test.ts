import { appendFileSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { appendModeChange, readModeChanges } from '../../../src/health/modes/mode-changes.ts';
import { modeChangesFile } from '../../../src/health/state/edge-store-files.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgewise-modes-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const change = (edge: string, at: number) =>
  ({ at, network: 'net-a', edge, mode: 'unavailable', until: null, comment: `[me] of "${edge}"`, by: 'me' }) as const;

test('an edge’s changes are read back, oldest first, from the file that was put aside too', async () => {
  expect(await readModeChanges(folder, 'a', 9)).toEqual([]);
  await appendModeChange(folder, change('a', 1));
  await appendModeChange(folder, change('b', 2));
  const file = modeChangesFile(folder);
  renameSync(file, `${file}.old`);
  await appendModeChange(folder, change('a', 3));
  // Its name in another's comment, a torn line, a line of something else.
  await appendModeChange(folder, { ...change('b', 4), comment: '"a"' });
  appendFileSync(file, '{"edge":"a"}\nnull\n{"at":5,"edge":"a"');
  expect(await readModeChanges(folder, 'a', 9)).toEqual([change('a', 1), change('a', 3)]);
  expect(await readModeChanges(folder, 'a', 1)).toEqual([change('a', 3)]);
});
