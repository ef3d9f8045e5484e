import { describe, expect, test } from 'vitest';
import type { Decision } from '../../../src/health/choose/decision.ts';
import { difference, type Observation } from '../../../src/publish/notices/conditions.ts';
import { decisionObservation, liveSetEvent } from '../../../src/publish/notices/decision-events.ts';
import { keyOf, type NoticeEvent } from '../../../src/publish/notices/event.ts';
import {
  certificateObservation,
  providerObservation,
  reloadObservation,
  type SecondaryFact,
  secondaryObservation,
  signatureObservation,
  zoneObservation,
} from '../../../src/publish/notices/server-events.ts';
import { decision } from '../decision-fixture.ts';
import { edgeDown } from './messages.ts';

const DAY = 86_400;

/** What somebody is told who takes `before` to stand. */
function told(observation: Observation, before: readonly NoticeEvent[] = []): readonly string[] {
  const { began, ended } = difference(observation, new Map(before.map((event) => [keyOf(event), event])));
  return [
    ...began.map(([, { name, severity, summary }]) => `${severity} ${name}: ${summary}`),
    ...ended.map(([, summary]) => `ended: ${summary}`),
  ];
}

describe('of a decision', () => {
  const WELL = decision('mynet', { a: 0.1, b: 0.2 });
  const seen = (changes: Partial<Decision>, before: readonly NoticeEvent[] = []) =>
    told(decisionObservation('mynet', { ...WELL, ...changes }), before);
  const judged = (edge: string, judgement: 'pass' | 'fail' | null, why = 'why') => ({
    ...WELL.verdicts[0],
    edge,
    judgement,
    why,
  });

  test('one that is well has nothing to say', () => {
    expect(seen({})).toEqual([]);
  });

  test('an edge that fails, passes again, is not asked, or is no longer listed', () => {
    expect(seen({ verdicts: [judged('a', 'fail', 'it answers 500'), judged('b', 'pass')] })).toEqual([
      'warning edge_down: a of mynet is down: it answers 500',
    ]);
    expect(seen({ verdicts: [judged('a', 'pass', 'it is fast')] }, [edgeDown('a')])).toEqual([
      'ended: a of mynet passes again: it is fast',
    ]);
    expect(seen({ verdicts: [judged('a', null)] }, [edgeDown('a')])).toEqual([]);
    expect(seen({ verdicts: [] }, [edgeDown('a')])).toEqual([
      'ended: no longer so: a of mynet is down: it answers 500',
    ]);
  });

  test('what is known of the set stays while the uplink is in doubt', () => {
    const empty = { outcome: { kind: 'empty' }, live: [] } as unknown as Partial<Decision>;
    const { standing } = decisionObservation('mynet', { ...WELL, ...empty });
    expect(standing.map(({ name }) => name)).toEqual(['no_live_edge']);
    const safety = { ...WELL.safety, uplink: { inDoubt: true, known: 1, failing: ['gateway'] } };
    expect(seen({ ...empty, safety }, standing)).toEqual([expect.stringMatching(/^critical uplink_in_doubt: /)]);
    expect(seen({ safety }, standing)).toEqual([expect.stringMatching(/^critical uplink_in_doubt: /)]);
    expect(seen({}, standing)).toEqual([expect.stringMatching(/^ended: no longer so: no edge of mynet/)]);
  });

  test.each<[string, Partial<Decision>, readonly unknown[]]>([
    [
      'a hold that keeps nothing bad',
      { hold: { until: 1_764_410_000, recent: 5, limit: 4 } },
      [
        expect.stringMatching(
          /^info hold: the rotation limit of mynet holds changes back until 2025-11-29T09:53:20Z \(5 of 4 changes/,
        ),
      ],
    ],
    [
      'a hold that keeps what fails',
      { hold: { until: 1_764_410_000, recent: 5, limit: 4 }, heldFailing: ['a', 'b'] },
      [expect.stringMatching(/^warning hold: .*it keeps what fails live: a and b$/)],
    ],
    [
      'fewer than min_up',
      { safety: { ...WELL.safety, minUp: { needed: 3, up: 1, below: 'keep' } } },
      ['critical below_min_up: 1 of 3 edges that mynet needs pass (min_up)'],
    ],
    ['as many as min_up', { safety: { ...WELL.safety, minUp: { needed: 3, up: 3, below: null } } }, []],
    [
      'no edge',
      { live: [] },
      ['critical no_live_edge: no edge of mynet is fit to be live; what was live last is answered'],
    ],
    [
      'no edge that works',
      { families: { v4: 'failing', v6: 'none' } },
      ['critical no_live_edge: every live edge of mynet fails; the last set is answered'],
    ],
    [
      'our own line, whatever the edges look like',
      { live: [], safety: { ...WELL.safety, uplink: { inDoubt: true, known: 1, failing: ['gateway'] } } },
      ['critical uplink_in_doubt: mynet: our own line is in doubt (the only reference fails: gateway)'],
    ],
  ])('%s', (_, changes, expected) => {
    expect(seen(changes)).toEqual(expected);
  });

  test('a change of what is live is said, with few names', () => {
    const names = Array.from({ length: 12 }, (_, i) => `edge${i}`);
    const changed = liveSetEvent('mynet', {
      ...WELL,
      outcome: { kind: 'changed', added: names, removed: ['x'], moved: [] },
    });
    expect(changed?.summary).toMatch(
      /^the live set of mynet changed: edge0, .*edge9 and 2 more came, x left; live now: /,
    );
    expect(liveSetEvent('mynet', { ...WELL, outcome: { kind: 'unchanged' } })).toBeNull();
  });
});

describe('of the server', () => {
  test('zones', () => {
    const zones = [
      { name: 'a.test', network: null, state: 'broken', signaturesEnd: null },
      { name: 'b.test', network: 'mynet', state: 'stale', signaturesEnd: null },
      { name: 'c.test', network: null, state: 'ok', signaturesEnd: null },
    ] as const;
    expect(told(zoneObservation(zones))).toEqual([
      'critical zone_broken: zone a.test does not load; it is answered with SERVFAIL',
      'warning zone_broken: zone b.test does not load; its last good version is answered',
    ]);
    const before = zoneObservation(zones).standing;
    expect(told(zoneObservation([{ ...zones[0], state: 'stale' }]), before)).toEqual([
      'ended: zone b.test loads again, or is no longer served',
    ]);
  });

  const fact = (
    state: SecondaryFact['state'],
    lagSeconds: number | null,
    error: string | null = null,
    zone = 'a.test',
  ) => ({
    secondary: '127.0.0.1:53',
    zone,
    state,
    lagSeconds,
    error,
  });
  const BEHIND = secondaryObservation([fact('behind', 90)], 900).standing;

  test.each<[string, readonly SecondaryFact[], number, boolean, readonly unknown[]]>([
    ['one that has just been told', [fact('behind', 59)], 900, false, []],
    [
      'one that is late',
      [fact('behind', 60, 'no answer')],
      900,
      false,
      ['warning secondary_behind: 127.0.0.1:53 does not have the newest version of a.test: no answer'],
    ],
    ['one that is ahead', [fact('ahead', 0)], 900, false, [expect.stringContaining('its serial is ahead of ours')]],
    ['one that never answered, at first', [fact('unknown', null, 'refused')], 59, false, []],
    ['one that never answered', [fact('unknown', null, 'refused')], 61, false, [expect.stringContaining('refused')]],
    [
      'one of many zones',
      Array.from({ length: 8 }, (_, i) => fact('behind', 99, null, `z${i}`)),
      900,
      false,
      [expect.stringContaining('z0, z1, z2, z3, z4 and 3 more')],
    ],
    ['late as before', [fact('behind', 100)], 900, true, []],
    ['not known yet after a restart', [fact('unknown', null)], 1, true, []],
    ['behind again, though not yet late', [fact('behind', 3)], 900, true, []],
    ['up to date', [fact('current', 0)], 900, true, ['ended: 127.0.0.1:53 has the newest version of every zone']],
    ['no longer configured', [], 900, true, [expect.stringMatching(/^ended: no longer so: /)]],
  ])('a secondary: %s', (_, facts, uptime, wasBehind, expected) => {
    expect(told(secondaryObservation(facts, uptime), wasBehind ? BEHIND : [])).toEqual(expected);
  });

  test('signatures of zones, twice each', () => {
    const at = (...days: readonly (number | null)[]) =>
      told(
        signatureObservation(
          days.map((left, i) => ({
            name: `z${i}.test`,
            network: i === 0 ? null : 'mynet',
            state: 'ok',
            signaturesEnd: left === null ? null : left * DAY,
          })),
          0,
        ),
      );
    expect([at(null), at(3)]).toEqual([[], []]);
    expect(at(2.9, 30)).toEqual(['warning signatures_expiry: a signature of zone z0.test ends in less than 3 days']);
    expect(at(null, 0.5)[1]).toBe('critical signatures_expiry: a signature of zone z1.test ends in less than a day');
    expect(at(-1)[1]).toBe('critical signatures_expiry: a signature of zone z0.test has ended');
  });

  test('a certificate, twice', () => {
    const at = (days: number | null) => told(certificateObservation(days === null ? null : days * DAY, 0));
    expect([at(null), at(14)]).toEqual([[], []]);
    expect(at(13.9)).toEqual([
      'warning certificate_expiry: the certificate for DNS over TLS ends in less than 14 days',
    ]);
    expect(at(2.9)).toHaveLength(2);
    expect(at(2.9)[1]).toBe('critical certificate_expiry: the certificate for DNS over TLS ends in less than 3 days');
    expect(at(-1)[1]).toBe('critical certificate_expiry: the certificate for DNS over TLS has ended');
  });

  test('a reload', () => {
    const failed = reloadObservation('the configuration has errors');
    expect(told(failed)).toEqual(['warning reload_failed: the configuration has errors']);
    expect(told(reloadObservation(null), failed.standing)).toEqual(['ended: the configuration was reloaded']);
  });

  test('a provider', () => {
    const one = { name: 'cloudflare example.org', network: 'mynet', isKnown: true, problem: 'the token is refused' };
    const failing = providerObservation([one]);
    expect(told(failing)).toEqual([
      'warning provider_failing: cloudflare example.org does not have the live set of mynet: the token is refused',
    ]);
    expect(told(providerObservation([{ ...one, isKnown: false, problem: null }]), failing.standing)).toEqual([]);
    expect(told(providerObservation([{ ...one, problem: null }]), failing.standing)).toEqual([
      'ended: cloudflare example.org has the live set of mynet',
    ]);
  });
});
