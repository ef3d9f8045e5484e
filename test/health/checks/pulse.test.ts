import { expect, test } from 'vitest';
import { HUNG_MS, LOOK_MS, Pulse } from '../../../src/health/checks/pulse.ts';

let now = 0;

function watched(): { readonly pulse: Pulse; readonly beat: () => void; readonly look: (ms: number) => number } {
  now = 0;
  const pulse = new Pulse(() => now);
  const beats = new Int32Array(pulse.memory);
  const look = (ms: number): number => {
    now += ms;
    return pulse.look();
  };
  return { pulse, beat: () => Atomics.add(beats, 0, 1), look };
}

test('without beats the quiet grows until the thread hangs; one beat ends it', () => {
  const { beat, look } = watched();
  beat();
  expect(look(LOOK_MS)).toBe(0);
  const quiet = Array.from({ length: HUNG_MS / LOOK_MS }, () => look(LOOK_MS));
  expect(quiet.at(-2)).toBeLessThan(HUNG_MS);
  expect(quiet.at(-1)).toBe(HUNG_MS);
  beat();
  expect(look(LOOK_MS)).toBe(0);
});

test('a suspended machine is not a thread that hangs', () => {
  const { look } = watched();
  expect(look(3_600_000)).toBeLessThan(HUNG_MS);
});

test('a thread that is being started need not beat', () => {
  const { pulse, look } = watched();
  for (let i = 0; i < 9; i++) look(LOOK_MS);
  pulse.rest();
  expect(look(LOOK_MS)).toBe(LOOK_MS);
});
