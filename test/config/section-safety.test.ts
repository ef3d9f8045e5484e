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
  expect(rules('{}').rules).toMatchObject({ fill: 'failing' });
  expect(rules('{fill: none}')).toMatchObject({ rules: { fill: 'none' }, places: [] });
});

test.each([
  ['{fill: some}', 'error 18:15 safety.net.fill: expected failing or none, got "some"'],
  ['{fill: no}', 'error 18:15 safety.net.fill: expected failing or none, got false'],
  ['{fil: none}', 'error 18:9 unknown key "fil", did you mean "fill"?'],
  ['none', 'error 18:8 safety.net: expected a section with keys and values, got "none"'],
])('%s', (text, fault) => {
  expect(rules(text).places).toEqual([fault]);
});
