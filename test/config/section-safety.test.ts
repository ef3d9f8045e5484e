import { expect, test } from 'vitest';
import { BASE, parse } from './config-fixture.ts';

/** The safety rules of `net`, written from line 18 on. */
function rules(text: string) {
  const { config, faults } = parse(`${BASE}safety:\n  net: ${text}\n`);
  const places = faults.map(({ severity, at, message }) => `${severity} ${at?.line}:${at?.col} ${message}`);
  return { rules: config?.safety.get('net'), places };
}

test('without the section no network has safety rules', () => {
  expect(parse(BASE).config?.safety).toEqual(new Map());
  expect(parse(`${BASE}safety:\n`).config?.safety).toEqual(new Map());
});

test('what is not given is off', () => {
  expect(rules('{}').rules).toEqual({ fill: 'failing', minUp: null, below: 'keep', holdUp: null });
  expect(rules('{hold_up: 60}')).toMatchObject({ rules: { holdUp: 60 }, places: [] });
  expect(rules('{min_up: 2, below: all}')).toMatchObject({
    rules: { minUp: { value: 2, percent: false }, below: 'all' },
    places: [],
  });
  expect(rules('{min_up: " 12.5 % "}').rules).toMatchObject({ minUp: { value: 12.5, percent: true }, below: 'keep' });
  expect(rules('{fill: none}')).toMatchObject({ rules: { fill: 'none' }, places: [] });
});

test.each([
  ['{fill: some}', 'error 18:15 safety.net.fill: expected failing or none, got "some"'],
  ['{fill: no}', 'error 18:15 safety.net.fill: expected failing or none, got false'],
  [
    '{min_up: 0}',
    'error 18:17 safety.net.min_up: expected a number of edges, 1 to 100000, or a share of them such as "50%", got 0',
  ],
  [
    '{min_up: -1}',
    'error 18:17 safety.net.min_up: expected a number of edges, 1 to 100000, or a share of them such as "50%", got -1',
  ],
  [
    '{min_up: 1.5}',
    'error 18:17 safety.net.min_up: expected a number of edges, 1 to 100000, or a share of them such as "50%", got 1.5',
  ],
  [
    '{min_up: "0%"}',
    'error 18:17 safety.net.min_up: expected a number of edges, 1 to 100000, or a share of them such as "50%", got "0%"',
  ],
  [
    '{min_up: "101%"}',
    'error 18:17 safety.net.min_up: expected a number of edges, 1 to 100000, or a share of them such as "50%", got "101%"',
  ],
  [
    '{min_up: half}',
    'error 18:17 safety.net.min_up: expected a number of edges, 1 to 100000, or a share of them such as "50%", got "half"',
  ],
  [
    '{min_up: true}',
    'error 18:17 safety.net.min_up: expected a number of edges, 1 to 100000, or a share of them such as "50%", got true',
  ],
  [
    '{min_up: 100001}',
    'error 18:17 safety.net.min_up: expected a number of edges, 1 to 100000, or a share of them such as "50%", got 100001',
  ],
  ['{min_up: 1, below: none}', 'error 18:27 safety.net.below: expected keep or all, got "none"'],
  ['{hold_up: 0}', 'error 18:18 safety.net.hold_up: expected seconds, greater than 0, at most 3600, got 0'],
  ['{hold_up: 1h}', 'error 18:18 safety.net.hold_up: expected seconds, greater than 0, at most 3600, got "1h"'],
  ['{below: all}', 'warning 18:9 safety.net.below: has no effect without min_up'],
  ['{fil: none}', 'error 18:9 unknown key "fil", did you mean "fill"?'],
  ['none', 'error 18:8 safety.net: expected a section with keys and values, got "none"'],
])('%s', (text, fault) => {
  expect(rules(text).places).toEqual([fault]);
});
