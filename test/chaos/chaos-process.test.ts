import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { SCENARIOS } from './scenarios.ts';
import { Vantages } from './vantages.ts';

/**
 * Three vantages that agree through a real etcd of three members, over links that fail: each scenario once. The long
 * runs, with all scenarios in random order, are `npm run chaos`.
 */

let all: Vantages;

beforeAll(async () => {
  all = await Vantages.start({ block: 95 });
});

afterAll(() => all?.stop());

afterEach(() => all.mend());

describe('what fails, and what the checker says of it', () => {
  test.each(SCENARIOS.filter(({ quick }) => quick))('$name', async ({ run }) => {
    await all.ready();
    await run(all);
    await all.caughtUp();
    expect(all.violations()).toEqual([]);
  });
});
