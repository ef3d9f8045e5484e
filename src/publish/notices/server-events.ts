/** What the state of the server itself means for people: zones, secondaries, providers, certificate, reload. Pure. */
import type { Observation } from './conditions.ts';
import { keyOf, type NoticeEvent } from './event.ts';

export type ZoneFact = {
  readonly name: string;
  readonly network: string | null;
  readonly state: 'ok' | 'stale' | 'broken';
  /** When its first signature ends, epoch seconds; null: it is not signed. */
  readonly signaturesEnd: number | null;
};

export type SecondaryFact = {
  readonly secondary: string;
  readonly zone: string;
  readonly state: 'current' | 'behind' | 'ahead' | 'unknown';
  /** How long it has not had our serial, seconds; null: it never answered. */
  readonly lagSeconds: number | null;
  readonly error: string | null;
};

/** `problem` null: it is right, or nothing is known yet. */
export type ProviderFact = {
  readonly name: string;
  readonly network: string;
  readonly isKnown: boolean;
  readonly problem: string | null;
};

/** Seconds that a secondary may take over a change. */
const BEHIND_S = 60;
const ZONES_NAMED = 5;
const DAY_S = 86_400;
/** Days before the end of a certificate. */
const CERTIFICATE_DAYS = [
  [14, 'warning'],
  [3, 'critical'],
] as const;

export function zoneObservation(zones: readonly ZoneFact[]): Observation {
  const bad = zones.filter(({ state }) => state !== 'ok');
  return {
    scope: 'zone_broken',
    standing: bad.map((zone) => zoneBroken(zone)),
  };
}

/** `uptime`: seconds since the start, after which a secondary should have answered. */
export function secondaryObservation(facts: readonly SecondaryFact[], uptime: number): Observation {
  const bySecondary = new Map<string, SecondaryFact[]>();
  for (const fact of facts) {
    const found = bySecondary.get(fact.secondary);
    if (found === undefined) bySecondary.set(fact.secondary, [fact]);
    else found.push(fact);
  }
  const standing: NoticeEvent[] = [];
  const unknown = new Set<string>();
  const endings = new Map<string, string>();
  for (const [secondary, all] of bySecondary) {
    const late = all.filter((fact) => isLate(fact, uptime));
    const event = secondaryBehind(secondary, late);
    if (late.length > 0) standing.push(event);
    else if (all.some(({ state }) => state !== 'current')) unknown.add(keyOf(event));
    else endings.set(keyOf(event), `${secondary} has the newest version of every zone`);
  }
  return { scope: 'secondary_behind', standing, unknown, endings };
}

export function providerObservation(facts: readonly ProviderFact[]): Observation {
  const event = ({ name, network, problem }: ProviderFact): NoticeEvent => ({
    name: 'provider_failing',
    severity: 'warning',
    labels: { network, provider: name },
    summary: `${name} does not have the live set of ${network}: ${problem ?? ''}`,
  });
  return {
    scope: 'provider_failing',
    standing: facts.filter(({ problem }) => problem !== null).map(event),
    unknown: new Set(facts.filter(({ isKnown }) => !isKnown).map((fact) => keyOf(event(fact)))),
    endings: new Map(
      facts
        .filter(({ isKnown, problem }) => isKnown && problem === null)
        .map((fact) => [keyOf(event(fact)), `${fact.name} has the live set of ${fact.network}`]),
    ),
  };
}

/** `notAfter`: when the certificate ends, epoch seconds; null: there is none. */
export function certificateObservation(notAfter: number | null, now: number): Observation {
  const left = notAfter === null ? Number.POSITIVE_INFINITY : notAfter - now;
  const near = CERTIFICATE_DAYS.filter(([days]) => left < days * DAY_S);
  return {
    scope: 'certificate_expiry',
    standing: near.map(([days, severity]) => ({
      name: 'certificate_expiry',
      severity,
      labels: { days: String(days) },
      summary:
        left <= 0
          ? 'the certificate for DNS over TLS has ended'
          : `the certificate for DNS over TLS ends in less than ${days} days`,
    })),
  };
}

/** Days before the first signature of a zone ends. */
const SIGNATURE_DAYS = [
  [3, 'warning'],
  [1, 'critical'],
] as const;

/** Zones that were signed elsewhere: whoever signs them may have stopped to. */
export function signatureObservation(zones: readonly ZoneFact[], now: number): Observation {
  return {
    scope: 'signatures_expiry',
    standing: zones.flatMap(({ name, network, signaturesEnd }): NoticeEvent[] => {
      if (signaturesEnd === null) return [];
      const left = signaturesEnd - now;
      return SIGNATURE_DAYS.filter(([days]) => left < days * DAY_S).map(([days, severity]) => {
        const zone = network === null ? { zone: name } : { network, zone: name };
        const end = left <= 0 ? 'has ended' : `ends in less than ${days === 1 ? 'a day' : `${days} days`}`;
        return {
          name: 'signatures_expiry',
          severity,
          labels: { ...zone, days: String(days) },
          summary: `a signature of zone ${name} ${end}`,
        };
      });
    }),
  };
}

/** `fault`: why the last reload changed nothing; null: it did. */
export function reloadObservation(fault: string | null): Observation {
  const event: NoticeEvent = { name: 'reload_failed', severity: 'warning', labels: {}, summary: fault ?? '' };
  return {
    scope: 'reload_failed',
    standing: fault === null ? [] : [event],
    endings: new Map([[keyOf(event), 'the configuration was reloaded']]),
  };
}

function zoneBroken({ name, network, state }: ZoneFact): NoticeEvent {
  const effect = state === 'stale' ? 'its last good version is answered' : 'it is answered with SERVFAIL';
  return {
    name: 'zone_broken',
    severity: state === 'stale' ? 'warning' : 'critical',
    labels: network === null ? { zone: name } : { network, zone: name },
    summary: `zone ${name} does not load; ${effect}`,
  };
}

function isLate({ state, lagSeconds, error }: SecondaryFact, uptime: number): boolean {
  if (state === 'ahead') return true;
  if (state === 'unknown') return error !== null && uptime > BEHIND_S;
  return state === 'behind' && (lagSeconds ?? 0) >= BEHIND_S;
}

function secondaryBehind(secondary: string, late: readonly SecondaryFact[]): NoticeEvent {
  const zones = late.slice(0, ZONES_NAMED).map(({ zone }) => zone);
  const more = late.length > ZONES_NAMED ? ` and ${late.length - ZONES_NAMED} more` : '';
  const error = late.find((fact) => fact.error !== null)?.error ?? null;
  const why = late.some(({ state }) => state === 'ahead') ? 'its serial is ahead of ours' : error;
  return {
    name: 'secondary_behind',
    severity: 'warning',
    labels: { secondary },
    summary: `${secondary} does not have the newest version of ${zones.join(', ')}${more}${why === null ? '' : `: ${why}`}`,
  };
}
