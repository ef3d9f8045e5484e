import { expect, test } from 'vitest';
import { publishable } from '../../../src/health/choose/live-set.ts';
import type { Fetch, Sample } from '../../../src/health/judge/types.ts';
import { sample } from '../../support/round-input.ts';

function fetched(address: string, passes: boolean): Fetch {
  const seconds = passes ? 0.2 : 10;
  const phases = { resolve: null, connect: 0.1, tls: null, firstByte: null, total: seconds };
  const fail = passes ? null : { reason: 'refused' as const, detail: '' };
  return { address, seconds, fail, phases, attempts: 1, hops: 0 };
}

function sampled(primary: Fetch | null, ...others: Fetch[]): Sample {
  return { ...sample('edge.example', primary?.seconds ?? 10), primary, others };
}

const V4 = '192.0.2.1';
const V6 = '2001:db8::1';

test.each<[string, string, Sample | null, string | null, string | null]>([
  ['both addresses pass', 'edge.example', sampled(fetched(V4, true), fetched(V6, true)), V4, V6],
  ['IPv6 fails: IPv4 only', 'edge.example', sampled(fetched(V4, true), fetched(V6, false)), V4, null],
  ['IPv4 fails: IPv6 only', 'edge.example', sampled(fetched(V4, false), fetched(V6, true)), null, V6],
  [
    'both fail: both, should the edge stay live for lack of others',
    'edge.example',
    sampled(fetched(V4, false), fetched(V6, false)),
    V4,
    V6,
  ],
  ['an edge with IPv6 only', 'edge.example', sampled(fetched(V6, true)), null, V6],
  ['a name that does not resolve', 'edge.example', sampled(null), null, null],
  ['a name not fetched yet', 'edge.example', null, null, null],
  ['an IPv4 address not fetched yet', V4, null, V4, null],
  ['an IPv6 address not fetched yet', V6, null, null, V6],
])('%s', (_, edge, one, v4, v6) => {
  expect(publishable(edge, one)).toEqual({ v4, v6 });
});
