import { beforeEach, expect, test } from 'vitest';
import type { LogLine } from '../../../src/health/pools/round-log.ts';
import { StandingLog } from '../../../src/health/pools/standing-log.ts';
import { plainFault } from '../../../src/system/fault.ts';

let logged: string[];
let log: StandingLog;
beforeEach(() => {
  logged = [];
  log = new StandingLog((level, text) => logged.push(`${level} ${text}`));
});

const lines = (...texts: readonly string[]): readonly LogLine[] =>
  texts.map((text): LogLine => {
    if (text.startsWith('!')) return { level: 'error', text, event: 'live_set.empty', goesOn: true };
    if (text.startsWith('-')) return { level: 'info', text, event: 'live_set.unchanged', goesOn: true };
    return { level: 'warn', text, event: 'live_set.held', goesOn: true };
  });

/** What is logged of the last of these states. */
function last(repeats: boolean, ...states: readonly (readonly string[])[]): readonly string[] {
  for (const state of states) {
    logged.length = 0;
    log.lines('decision', lines(...state), repeats);
  }
  return logged;
}

test.each([
  ['one that begins', [[], ['a']], ['warn a']],
  ['one that goes on', [['a'], ['a']], []],
  ['one that goes on beside one that begins', [['a'], ['a', 'b']], ['warn b']],
  ['one that changes', [['2 of 3'], ['1 of 3']], ['warn 1 of 3']],
  ['one that came back', [['a'], [], ['a']], ['warn a']],
  ['an error', [['!held'], ['!held']], []],
  ['one of two is over', [['a', 'b'], ['a']], []],
  ['all are over', [['a', 'b'], ['-fine']], ['info -fine', 'info over: a; b']],
  ['over is said once', [['a'], [], []], []],
  ['a good state is over', [['-fine'], ['a']], ['warn a']],
])('between two turns: %s', (_, states, expected) => {
  expect(last(false, ...states)).toEqual(expected);
});

test('with a turn all of it', () => {
  expect(last(true, ['a'], ['a', '!b'])).toEqual(['warn a', 'error !b']);
});

test('what does not go on is always written', () => {
  const change: LogLine = { level: 'info', text: 'changed', event: 'live_set.changed' };
  for (let i = 0; i < 2; i++) log.lines('decision', [change], false);
  expect(logged).toEqual(['info changed', 'info changed']);
});

test('topics do not end each other; faults are lines like any other', () => {
  const fault = plainFault('full', 'no space left');
  log.faults('saving', [fault], false);
  log.lines('decision', [], false);
  log.faults('saving', [fault], false);
  expect(logged).toEqual([expect.stringMatching(/^error .*no space left/)]);
  log.faults('saving', [], false);
  expect(logged[1]).toMatch(/^info over: .*no space left/);
});
