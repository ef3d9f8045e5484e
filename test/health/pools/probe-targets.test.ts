import { describe, expect, test } from 'vitest';
import { edgesOf } from '../../../src/health/pools/pool.ts';
import { knownTargets, lastAddresses, probeTargets } from '../../../src/health/pools/probe-targets.ts';
import { NEW_EDGE } from '../../../src/health/state/edge-store.ts';
import { NOW, sample } from '../../support/round-input.ts';

describe('addresses to try when names cannot be looked up', () => {
  const files = { name: 'net', edges: ['a.test', 'b.test', 'c.test', '127.0.0.4', 'new.test'], canaries: new Map() };
  const live = (edge: string, v4: string | null, v6: string | null) => ({ edge, v4, v6, why: '' });
  const state = {
    addresses: new Map([
      ['b.test', ['127.0.0.2']],
      ['gone.test', ['127.0.0.9']],
      ['a.test', ['127.0.0.9']],
    ]),
    live: [live('c.test', '127.0.0.3', '::1'), live('b.test', '127.0.0.9', null), live('127.0.0.4', '127.0.0.4', null)],
  };

  test('those of the newest sample, else as saved, else as published; of names that are listed', () => {
    const { primary, ...newest } = sample('a.test', 0.2);
    if (primary === null) throw new Error('no fetch');
    const others = [{ ...primary, address: '127.0.0.5' }];
    const known = lastAddresses(files, state, new Map([['a.test', { ...newest, primary, others }]]));
    expect([...known.keys()]).toEqual(['a.test', 'b.test', 'c.test']);
    expect(known.get('a.test')).toEqual(['127.0.0.1', '127.0.0.5']);
    expect(known.get('b.test')).toEqual(['127.0.0.2']);
    expect(known.get('c.test')).toEqual(['127.0.0.3', '::1']);
    expect(probeTargets(files, known)).toContainEqual({ name: 'b.test', canary: false, lastAddresses: ['127.0.0.2'] });
    expect(probeTargets(files, known)).toContainEqual({ name: 'new.test', canary: false });
  });

  test('a sample without an address takes nothing back', () => {
    const none = { ...sample('b.test', 10, NOW, 'resolve'), primary: null, others: [] };
    expect(lastAddresses(files, state, new Map([['b.test', none]])).get('b.test')).toEqual(['127.0.0.2']);
  });
});

test('an address that is a canary too is a canary only, however it is spelled', () => {
  const canaries = new Map([['x.test', '::0:9']]);
  expect(edgesOf({ name: 'net', edges: ['::9', '::8', '0::09'], canaries })).toEqual(['::8']);
});

const HERE = { state: 'out', stateSince: null, health: 'pass', seen: 0 } as const;

test('a target has failed by its newest sample, by its record where this process has none', () => {
  const samples = new Map([
    ['fails', sample('fails', 10)],
    ['passes', sample('passes', 0.2)],
  ]);
  const records = new Map([
    ['passes', { ...NEW_EDGE, health: 'fail' as const }],
    ['recorded', { ...NEW_EDGE, health: 'fail' as const }],
    ['well', NEW_EDGE],
    // The record's own word is that of the network which judged it last.
    ['elsewhere', { ...NEW_EDGE, health: 'fail' as const, networks: new Map([['net', HERE]]) }],
  ]);
  const state = { live: [{ edge: 'well', v4: '127.0.0.1', v6: null, why: '' }] };
  expect(knownTargets({ network: 'net', state, samples, records })).toEqual({
    live: new Set(['well']),
    failed: new Set(['fails', 'recorded']),
  });
});
