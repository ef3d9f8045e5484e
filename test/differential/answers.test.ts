import { beforeAll, describe, expect, test } from 'vitest';
import { decodeMessage } from '../support/dns-message.ts';
import { encodeQuery, type QuerySpec } from '../support/dns-query.ts';
import { TestResponder } from '../support/dns-responder.ts';
import { askMany, Peer, type PeerKind } from '../support/peers.ts';
import { type Outcome, outcomeOf } from './compare.ts';
import { EXPLAINED, explain } from './explained.ts';
import { queries } from './queries.ts';
import { RANDOM_ZONES } from './random-zones.ts';
import { ZONES } from './zones.ts';

/** What makes a peer answer as fully as ours does and no more, where it can be told so. */
const SETTINGS: { readonly [kind in PeerKind]: string } = {
  bind: 'minimal-responses no-auth; zero-no-soa-ttl no;',
  nsd: '',
  knot: '',
};

const zones = [...ZONES, ...RANDOM_ZONES];
const specs = [...queries(zones)];
const encoded = specs.map(encodeQuery);
let ours: readonly Outcome[] = [];

beforeAll(() => {
  const responder = new TestResponder(zones);
  ours = encoded.map((query) => outcomeOf(decodeMessage(responder.raw(query).octets)));
});

test('tens of thousands of questions are asked', () => {
  expect(specs.length).toBeGreaterThan(40_000);
});

describe.each(['bind', 'nsd', 'knot'] as const)('beside %s', (kind) => {
  let theirs: readonly Outcome[] = [];

  beforeAll(async () => {
    const served = zones.map(({ origin, text }) => ({ origin, text }));
    const peer = await Peer.start(kind, { zones: served, server: SETTINGS[kind] });
    try {
      theirs = (await askMany(peer.port, encoded)).map((octets) => outcomeOf(decodeMessage(octets)));
    } finally {
      await peer.stop();
    }
  });

  test('every difference has a reason, and every reason a difference', () => {
    const unexplained: { readonly query: QuerySpec; readonly ours: Outcome; readonly theirs: Outcome }[] = [];
    const used = new Set<string>();
    for (const [i, query] of specs.entries()) {
      const reasons = explain(kind, ours[i], theirs[i], query);
      if (reasons === null) unexplained.push({ query, ours: ours[i], theirs: theirs[i] });
      else for (const { name } of reasons) used.add(name);
    }
    expect(unexplained.slice(0, 5)).toEqual([]);
    const listed = EXPLAINED.filter(({ peers }) => peers.includes(kind)).map(({ name }) => name);
    expect([...used].sort()).toEqual(listed.sort());
  });
});
