import { beforeAll, describe, expect, test } from 'vitest';
import { decodeMessage } from '../support/dns-message.ts';
import { encodeQuery, type QuerySpec } from '../support/dns-query.ts';
import { TestResponder } from '../support/dns-responder.ts';
import { askMany, Peer, type PeerKind } from '../support/peers.ts';
import type { ZoneSpec } from '../support/zone-images.ts';
import { type Outcome, outcomeOf } from './compare.ts';
import { EXPLAINED, explain } from './explained.ts';
import { queries } from './queries.ts';
import { nestedZones, RANDOM_ZONES } from './random-zones.ts';
import { ZONES } from './zones.ts';

/** What makes a peer answer as fully as ours does and no more, where it can be told so. */
const SETTINGS: { readonly [kind in PeerKind]: string } = {
  bind: 'minimal-responses no-auth; zero-no-soa-ttl no;',
  nsd: '',
  knot: '',
};

/** The same questions to us and to a peer. */
class Comparison {
  readonly specs: readonly QuerySpec[];
  private readonly zones: readonly ZoneSpec[];
  private readonly encoded: readonly Uint8Array[];
  private readonly ours: readonly Outcome[];

  constructor(zones: readonly ZoneSpec[]) {
    this.zones = zones;
    this.specs = [...queries(zones)];
    this.encoded = this.specs.map(encodeQuery);
    const responder = new TestResponder(zones);
    this.ours = this.encoded.map((query) => outcomeOf(decodeMessage(responder.raw(query).octets)));
  }

  /** Differences without a reason, and the names of the reasons that others have. */
  async with(kind: PeerKind): Promise<{ readonly unexplained: readonly object[]; readonly used: readonly string[] }> {
    const peer = await Peer.start(kind, { zones: this.zones, server: SETTINGS[kind] });
    try {
      const theirs = (await askMany(peer.port, this.encoded)).map((octets) => outcomeOf(decodeMessage(octets)));
      const unexplained: object[] = [];
      const used = new Set<string>();
      for (const [i, query] of this.specs.entries()) {
        const reasons = explain(kind, this.ours[i], theirs[i], query);
        if (reasons === null) unexplained.push({ query, ours: this.ours[i], theirs: theirs[i] });
        else for (const { name } of reasons) used.add(name);
      }
      return { unexplained, used: [...used] };
    } finally {
      await peer.stop();
    }
  }
}

describe('zones side by side', () => {
  let comparison: Comparison;
  beforeAll(() => {
    comparison = new Comparison([...ZONES, ...RANDOM_ZONES]);
  });

  test('tens of thousands of questions are asked', () => {
    expect(comparison.specs.length).toBeGreaterThan(40_000);
  });

  test.each(['bind', 'nsd', 'knot'] as const)(
    'beside %s every difference has a reason, and every reason a difference',
    async (kind) => {
      const { unexplained, used } = await comparison.with(kind);
      expect(unexplained.slice(0, 5)).toEqual([]);
      const listed = EXPLAINED.filter(({ peers }) => peers.includes(kind)).map(({ name }) => name);
      expect([...used].sort()).toEqual(listed.sort());
    },
  );
});

// NSD keeps the names of all zones in one tree, so that what one zone hides exists in the next.
describe.each([1, 2])('zones inside one another (%i)', (seed) => {
  let comparison: Comparison;
  beforeAll(() => {
    comparison = new Comparison(nestedZones(2000 + 100 * seed));
  });

  test.each(['bind', 'knot'] as const)('beside %s every difference has a reason', async (kind) => {
    expect(comparison.specs.length).toBeGreaterThan(5000);
    expect((await comparison.with(kind)).unexplained.slice(0, 5)).toEqual([]);
  });
});
