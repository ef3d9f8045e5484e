import { expect, test } from 'vitest';
import { BASE, parse } from './config-fixture.ts';

/** The judge of `net`, written from line 18 on. */
function judge(text: string) {
  const { config, faults } = parse(`${BASE}judges:\n  net: ${text}\n`);
  const places = faults.map(({ severity, at, message }) => `${severity} ${at?.line}:${at?.col} ${message}`);
  return { judge: config?.judges.get('net'), places };
}

test('without the section no network has a judge of its own', () => {
  expect(parse(BASE).config?.judges).toEqual(new Map());
  expect(parse(`${BASE}judges:\n`).config?.judges).toEqual(new Map());
});

test('results in a row', () => {
  expect(judge('{rise_fall: {rise: 2, fall: 3}}')).toEqual({
    judge: { kind: 'rise_fall', rise: 2, fall: 3 },
    places: [],
  });
  expect(judge('\n    rise_fall:\n      rise: 1\n      fall: 1000').judge).toMatchObject({ rise: 1, fall: 1000 });
});

test("edgemanage's judge by its name", () => {
  expect(judge('goodenough')).toEqual({ judge: { kind: 'goodenough' }, places: [] });
});

const NAMED = 'goodenough, or {rise_fall: {rise: 2, fall: 3}}';
const RISE = 'how many results in a row must pass for an edge to be up again, a whole number, 1 to 1000';
const FALL = 'how many results in a row must fail for it to be down, a whole number, 1 to 1000';
test.each([
  ['fastest', `error 18:8 judges.net: expected ${NAMED}, got "fastest"`],
  ['', `error 18:3 judges.net: expected ${NAMED}, got nothing`],
  ['[goodenough]', `error 18:8 judges.net: expected ${NAMED}, got a list`],
  ['{rise_fal: {rise: 2, fall: 3}}', 'error 18:9 unknown key "rise_fal", did you mean "rise_fall"?'],
  ['{goodenough: 0.5, rise_fall: {rise: 2, fall: 3}}', 'error 18:9 unknown key "goodenough"; known here: rise_fall'],
  ['{}', 'error 18:3 judges.net.rise_fall: missing; expected {rise: 2, fall: 3}, results in a row'],
  ['{rise_fall: 3}', 'error 18:20 judges.net.rise_fall: expected {rise: 2, fall: 3}, results in a row, got 3'],
  ['{rise_fall: {rise: 2}}', `error 18:9 judges.net.rise_fall.fall: missing; expected ${FALL}`],
  ['{rise_fall: {rise: 0, fall: 3}}', `error 18:27 judges.net.rise_fall.rise: expected ${RISE}, got 0`],
  ['{rise_fall: {rise: 2, fall: -1}}', `error 18:36 judges.net.rise_fall.fall: expected ${FALL}, got -1`],
  ['{rise_fall: {rise: 1.5, fall: 3}}', `error 18:27 judges.net.rise_fall.rise: expected ${RISE}, got 1.5`],
  ['{rise_fall: {rise: two, fall: 3}}', `error 18:27 judges.net.rise_fall.rise: expected ${RISE}, got "two"`],
  ['{rise_fall: {rise: 2, fall: 1001}}', `error 18:36 judges.net.rise_fall.fall: expected ${FALL}, got 1001`],
  ['{rise_fall: {rise: 2, fall: 3, fell: 1}}', 'error 18:39 unknown key "fell", did you mean "fall"?'],
])('a judge that is none: %s', (text, fault) => {
  const { judge: found, places } = judge(text);
  expect(places.map((place) => place.replace(/^(\S+ \S+) judges\.net(\.rise_fall)?: unknown/, '$1 unknown'))).toContain(
    fault,
  );
  expect(found).toBeUndefined();
});

test('a list of judges is none', () => {
  const { config, faults } = parse(`${BASE}judges: [goodenough]\n`);
  expect(config).toBeNull();
  expect(faults.map(({ message }) => message)).toEqual([
    'judges: expected a map from networks to their judges, got a list',
  ]);
});
