import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { DecidedSet } from '../../../src/health/agreement/decided-set.ts';
import {
  decodeDecidedSet,
  decodeView,
  encodeDecidedSet,
  encodeView,
  readView,
  TEXT_MAX,
} from '../../../src/health/state/vantage-view.ts';
import { canary } from '../../support/round-input.ts';
import { vantage } from '../../support/vantage-views.ts';

const { view: VIEW } = vantage('ams', {
  edges: {
    A: {},
    B: { fetch: 10, v6: '2001:db8::1', verificationFailed: true },
    C: { fetch: null, history: null, v4: null },
  },
  canaries: [canary('z.example', 'K')],
});

const SET: DecidedSet = {
  network: 'test',
  serial: 4_294_967_295,
  canarySerials: new Map([['z.example', 7]]),
  live: [{ edge: 'A', v4: '192.0.2.1', v6: null, why: 'fills place 1' }],
  memory: {
    lastLive: ['A'],
    borrowed: [],
    answered: new Map([['A', { v4: '192.0.2.1', v6: null }]]),
    unanswered: 'v6',
    rotations: [1, 2.5],
    activeCanaries: [{ zone: 'z.example', address: 'K', victim: null }],
    canaryRotations: new Map([['z.example', [3]]]),
  },
  at: 1_700_000_000.25,
  by: 'ams',
  token: '12',
  basis: new Map([
    ['ams', 3],
    ['fra', 4],
  ]),
  says: new Map([['A', [{ vantage: 'fra', up: null, detail: 'not asked yet' }]]]),
};

test('a view and a set read back the same', () => {
  expect(decodeView(encodeView(VIEW))).toEqual({ value: VIEW, problem: null });
  expect(decodeDecidedSet(encodeDecidedSet(SET))).toEqual({ value: SET, problem: null });
  const { borrowed: _, ...memory } = SET.memory;
  const plain = { ...SET, memory };
  expect(decodeDecidedSet(encodeDecidedSet(plain))).toEqual({ value: plain, problem: null });
});

type Json = { [key: string]: unknown };
const edited = (text: string, edit: (value: Json) => void): string => {
  const value = JSON.parse(text) as Json;
  edit(value);
  return JSON.stringify(value);
};
const ofView = (edit: (value: Json, edge: Json) => void): string =>
  edited(encodeView(VIEW), (value) => edit(value, (value['edges'] as Json[])[0]));

test.each<[string, string]>([
  ['nothing', ''],
  ['no JSON', '{'],
  ['a list', '[]'],
  ['null', 'null'],
  [
    'another version',
    ofView((value) => {
      value['v'] = 2;
    }),
  ],
  [
    'no name',
    ofView((value) => {
      value['vantage'] = '';
    }),
  ],
  [
    'a huge name',
    ofView((value) => {
      value['vantage'] = 'x'.repeat(256);
    }),
  ],
  [
    'a serial that is none',
    ofView((value) => {
      value['serial'] = 2 ** 32;
    }),
  ],
  [
    'a broken serial',
    ofView((value) => {
      value['serial'] = 1.5;
    }),
  ],
  [
    'a turn before the first',
    ofView((value) => {
      value['turn'] = -1;
    }),
  ],
  [
    'a vote that is none',
    ofView((_, edge) => {
      edge['up'] = 'yes';
    }),
  ],
  [
    'a long detail',
    ofView((_, edge) => {
      edge['detail'] = 'x'.repeat(201);
    }),
  ],
  [
    'an address that is none',
    ofView((_, edge) => {
      edge['v4'] = '192.0.2.1.example';
    }),
  ],
  [
    'an address of the other family',
    ofView((_, edge) => {
      edge['v4'] = '2001:db8::1';
    }),
  ],
  ['a time beyond numbers', ofView(() => undefined).replace(/"clock":[^,]+/, '"clock":1e999')],
  [
    'too many edges',
    ofView((value, edge) => {
      value['edges'] = new Array(20_001).fill(edge);
    }),
  ],
  ['too many characters', ' '.repeat(TEXT_MAX + 1)],
])('no view: %s', (_, text) => {
  const found = decodeView(text);
  expect(found.problem).toEqual(expect.any(String));
  expect(found.problem?.length).toBeLessThan(320);
});

test.each<[string, (value: Json) => void]>([
  [
    'nobody live',
    (value) => {
      value['live'] = [];
    },
  ],
  [
    'a member without an address',
    (value) => {
      value['live'] = [{ edge: 'A', v4: null, v6: null, why: '' }];
    },
  ],
  [
    'no serial',
    (value) => {
      value['serial'] = 0;
    },
  ],
  [
    'no token',
    (value) => {
      value['token'] = '';
    },
  ],
  [
    'a hundred vantages',
    (value) => {
      value['basis'] = Array.from({ length: 100 }, (_, i) => [`v${i}`, 1]);
    },
  ],
])('no set: %s', (_, edit) => {
  expect(decodeDecidedSet(edited(encodeDecidedSet(SET), edit)).problem).toEqual(expect.any(String));
});

test('whatever comes is a view or a sentence, and never an error', () => {
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), fc.anything()), fc.string(), (value, text) => {
      expect(typeof readView(value).problem).toBe('string');
      expect(typeof decodeView(text).problem).toBe('string');
    }),
  );
  const parts = Object.keys(JSON.parse(encodeView(VIEW)) as Json);
  fc.assert(
    fc.property(fc.constantFrom(...parts), fc.jsonValue(), (key, value) => {
      const found = decodeView(
        ofView((view) => {
          view[key] = value;
        }),
      );
      if (found.problem === null) expect(decodeView(encodeView(found.value))).toEqual(found);
    }),
  );
});
