/**
 * `npm run chaos`: three vantages that agree through a real etcd of three members, and everything that can fail, in random
 * order, for a while. The checker judges the log of the whole run after each scenario; the first violation ends it.
 * Options: `--minutes 10`, `--seed 1` (which order), `--only TEXT` (scenarios whose names hold it).
 */
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { FULL_SCENARIOS, SCENARIOS, type Scenario } from '../test/chaos/scenarios.ts';
import { Vantages } from '../test/chaos/vantages.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
  },
});
const MINUTE_MS = 60_000;

/** Numbers from 0 up to 1, the same for the same seed: a linear congruential generator (Numerical Recipes' constants). */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Where the whole log of the run is now. */
function save(all: Vantages): string {
  const file = join(tmpdir(), `edgewise-chaos-${values.seed}-${process.pid}.jsonl`);
  writeFileSync(file, `${all.log.map((entry) => JSON.stringify(entry)).join('\n')}\n`);
  return file;
}

const random = randomFrom(Number(values.seed));
const chosen = [...SCENARIOS, ...FULL_SCENARIOS].filter(({ name }) => name.includes(values.only));
const began = performance.now();
const all = await Vantages.start({ block: 97, canary: true });
const runs = new Map<string, number>();
/** Each comes once before any comes again. */
const left: Scenario[] = [];
let failed = false;
try {
  while (!failed && performance.now() - began < Number(values.minutes) * MINUTE_MS) {
    if (left.length === 0) left.push(...chosen);
    const [{ name, run }] = left.splice(Math.floor(random() * left.length), 1);
    const start = performance.now();
    let problem = '';
    try {
      await all.ready();
      await run(all);
      await all.mend();
      await all.caughtUp();
    } catch (error) {
      problem = String(error);
    }
    const violations = all.violations();
    failed = violations.length > 0 || problem !== '';
    runs.set(name, (runs.get(name) ?? 0) + 1);
    console.log(
      `${((performance.now() - start) / 1000).toFixed(1).padStart(6)} s  ${name}  ${failed ? 'FAILED' : 'ok'}`,
    );
    if (problem !== '') console.log(problem);
    for (const { rule, text } of violations.slice(0, 10)) console.log(`        ${rule}: ${text}`);
  }
  const counts: Record<string, number> = {};
  for (const { kind } of all.log) counts[kind] = (counts[kind] ?? 0) + 1;
  console.log(
    `${[...runs.values()].reduce((sum, count) => sum + count, 0)} runs of ${runs.size} scenarios; seen:`,
    counts,
  );
  if (failed) console.log(`the log is in ${save(all)}\n${all.tail()}`);
} finally {
  await all.stop();
}
process.exit(failed ? 1 : 0);
