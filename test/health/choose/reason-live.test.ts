import { expect, test } from 'vitest';
import { decide } from '../../../src/health/choose/decide.ts';
import { type EdgeWords, NOW, round } from '../../support/round-input.ts';

const END = '2023-11-14T23:13:20Z';
const until = NOW + 3600;

test.each<[string, EdgeWords, string]>([
  ['unavailable', { mode: 'unavailable', comment: '[ann] disk' }, 'unavailable ([ann] disk): never live'],
  [
    'until a time',
    { mode: 'unavailable', comment: '[ann] disk', modeUntil: until },
    `unavailable ([ann] disk): not live until ${END}`,
  ],
  ['forced', { mode: 'force' }, 'forced and passing: last 0.200 s < goodenough 0.700 s'],
  [
    'forced until a time',
    { mode: 'force', comment: '[ann] test', modeUntil: until },
    `forced ([ann] test) until ${END} and passing: last 0.200 s < goodenough 0.700 s`,
  ],
  [
    'blindforced',
    { mode: 'blindforce', modeUntil: until },
    `blindforced until ${END}, live whatever it does: last 0.200 s < goodenough 0.700 s`,
  ],
])('%s', (_, words, why) => {
  expect(decide(round({ edges: { A: {}, B: words } })).reasons.get('B')?.why).toBe(why);
});
