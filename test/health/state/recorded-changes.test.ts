import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { decideFacts } from '../../../src/health/choose/decide.ts';
import { type OperatorAction, operatorAction } from '../../../src/health/choose/operator-action.ts';
import { decodeRecord, encodeRecord } from '../../../src/health/state/history-log-record.ts';
import { linesBackwards } from '../../../src/health/state/lines-backwards.ts';
import { type ChangesOrder, recordedChanges } from '../../../src/health/state/recorded-changes.ts';
import { recordStory } from '../../support/recorded-story.ts';
import { NOW } from '../../support/round-input.ts';

let folder: string;
let log: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgewise-changes-'));
  log = join(folder, 'test.rounds.jsonl');
});
afterEach(() => rmSync(folder, { recursive: true }));

const ALL: ChangesOrder = { since: 0, before: Number.MAX_SAFE_INTEGER, limit: 100 };

/** A and B fail in turns, so that each round changes the set. */
function story(rounds: number): readonly string[] {
  const told = Array.from({ length: rounds }, (_, i) => ({
    fetches: { A: i % 2 === 1 ? 10 : 0.1, B: i % 2 === 0 ? 10 : 0.1 },
  }));
  const records = recordStory(told, { edgeCount: 1, maxfreq: 1000, timeout: 1 });
  return records.map(({ facts }) => encodeRecord(facts, decideFacts(facts)));
}

async function linesOf(path: string): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of linesBackwards(path, 1e9)) lines.push(line.toString());
  return lines;
}

test('lines are read from the last to the first, wherever the pieces of the file begin', async () => {
  const line = fc.oneof(
    fc.string({ maxLength: 5 }),
    fc.constantFrom('x'.repeat(1024 * 1024 - 1), 'y'.repeat(2_500_000)),
  );
  const whole = line.map((text) => text.replaceAll('\n', ''));
  await fc.assert(
    fc.asyncProperty(fc.array(whole, { maxLength: 4 }), whole, async (lines, torn) => {
      writeFileSync(log, lines.map((each) => `${each}\n`).join('') + torn);
      expect(await linesOf(log)).toEqual([...lines].reverse());
    }),
    { numRuns: 30 },
  );
});

test('no log, no changes', async () => {
  expect(await recordedChanges(log, ALL)).toEqual({ changes: [], earlier: null });
});

test('a change has what operators did before it; records of other versions are read', async () => {
  const [first = '', second = ''] = story(2);
  const facts = decodeRecord(second)?.facts;
  if (facts === undefined) throw new Error('no record');
  const actions: readonly OperatorAction[] = [
    operatorAction({ action: 'forced_update', by: 'anna', reason: 'moving "house"' }),
    operatorAction({ action: 'mode', by: null, edge: 'A', mode: 'unavailable', until: NOW + 60 }),
    operatorAction({ action: 'probe', by: 'ben', edge: 'B' }),
  ];
  const noted = { ...facts, actions };
  const line = encodeRecord(noted, decideFacts(noted));
  expect(decodeRecord(line)?.facts).toEqual(noted);
  // A version of before, and one of later with a key more.
  const later = line.replace('"actions":', '"later":[{"x":1}],"actions":');
  writeFileSync(log, first + later);
  const { changes } = await recordedChanges(log, ALL);
  expect(changes.map((change) => change.actions)).toEqual([[], actions]);
  // They decide nothing.
  expect({ ...decideFacts(noted), actions: [] }).toEqual(decideFacts(facts));
});

test('changes have their reasons, those of a log that was put aside too', async () => {
  const lines = story(6);
  writeFileSync(`${log}.1`, lines.slice(0, 3).join(''));
  writeFileSync(log, `${lines.slice(3).join('')}{"at":${NOW + 999},"decided":{"kind":"changed"`);
  const { changes, earlier } = await recordedChanges(log, ALL);
  expect(earlier).toBeNull();
  const shown = changes.map(({ at, added, removed, live }) => [at - NOW, added.join(), removed.join(), live.join()]);
  expect(shown).toEqual([
    [0, 'A', '', 'A'],
    [60, 'B', 'A', 'B'],
    [120, 'A', 'B', 'A'],
    [180, 'B', 'A', 'B'],
    [240, 'A', 'B', 'A'],
    [300, 'B', 'A', 'B'],
  ]);
  expect(changes[1].reasons.get('A')).toContain('fetch failed');
  expect([...changes[1].reasons.keys()]).toEqual(['B', 'A']);
});

test('a limit, and the pages after it, miss none and show none twice', async () => {
  writeFileSync(log, story(7).join(''));
  const seen: number[][] = [];
  for (let before: number | null = ALL.before; before !== null; ) {
    const page = await recordedChanges(log, { ...ALL, before, limit: 3 });
    seen.push(page.changes.map(({ at }) => (at - NOW) / 60));
    before = page.earlier;
  }
  expect(seen).toEqual([[4, 5, 6], [1, 2, 3], [0]]);
});

test('a span has both its ends as they are said', async () => {
  writeFileSync(log, story(6).join(''));
  const { changes, earlier } = await recordedChanges(log, { since: NOW + 60, before: NOW + 240, limit: 9 });
  expect(changes.map(({ at }) => at - NOW)).toEqual([60, 120, 180]);
  expect(earlier).toBeNull();
});

test('a search without time gets on all the same', async () => {
  writeFileSync(log, story(4).join(''));
  const seen: number[] = [];
  let searches = 0;
  for (let before: number | null = ALL.before; before !== null; searches++) {
    const page = await recordedChanges(log, { ...ALL, before }, -1);
    seen.push(...page.changes.map(({ at }) => at - NOW));
    before = page.earlier;
  }
  expect(seen).toEqual([180, 120, 60, 0]);
  expect(searches).toBe(4);
});

test('a log that is put aside during the search is not counted twice', async () => {
  const lines = story(4);
  writeFileSync(log, lines.join(''));
  const backwards = recordedChanges(log, ALL);
  // Whether before or after it was opened.
  renameSync(log, `${log}.1`);
  appendFileSync(log, '');
  const { changes } = await backwards;
  expect(changes.map(({ at }) => at - NOW)).toEqual([0, 60, 120, 180]);
});

test('what is no file is refused', async () => {
  await expect(recordedChanges(folder, ALL)).rejects.toThrow(folder);
});
