/** Which content of a zone comes in force: the decider's rule. Pure. */
import { type SerialClass, serialAfterAll, serialCompare, serialMax, serialOfClass } from '../../dns/serial.ts';
import type { Content, ContentInForce, OwnContent } from './content.ts';

/** How long a content waits for vantages that do not have it, seconds. */
export const READY_SECONDS = 30;

export type ContentFacts = {
  /** All configured vantages. */
  readonly members: readonly string[];
  /** Those that are heard of and have a vote. */
  readonly voters: readonly string[];
  /**
   * By vantage, a voter or not: what it has, where that is not simply the content in force under its serial. A vantage
   * that is not in here has the content in force, or no such zone.
   */
  readonly reports: ReadonlyMap<string, OwnContent>;
  /** Null: the store has none. */
  readonly inForce: ContentInForce | null;
  /** Of the zone's live set in the store; 0: none. */
  readonly liveSerial: number;
  /** The latest of those that vantages report for it, whoever decided them; 0: none. */
  readonly reportedLive: number;
  /**
   * Of new serials: no other vantage gives such ones, so that a decider that is cut off when the store is wiped and the
   * next one, which knows of no content, do not give one serial to two.
   */
  readonly serialClass: SerialClass;
  /** Seconds since something of this zone was first found to wait. */
  readonly waited: number;
  /** Epoch seconds. */
  readonly now: number;
};

export type ContentChoice =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'put'; readonly content: ContentInForce }
  /** `why`: a phrase, which names the vantages. */
  | { readonly kind: 'wait'; readonly why: string };

export function majorityOf(members: readonly string[]): number {
  return Math.floor(members.length / 2) + 1;
}

export function chooseContent(facts: ContentFacts): ContentChoice {
  const { members, voters, reports, inForce, liveSerial, reportedLive, waited } = facts;
  const own = [...reports].filter(([, { network }]) => network !== null);
  if (own.length === 0) return { kind: 'nothing' };
  const majority = majorityOf(members);
  if (voters.length < majority) {
    return { kind: 'wait', why: `${voters.length} of ${members.length} vantages are heard of, ${majority} are needed` };
  }
  if (liveSerial === 0 ? reportedLive !== 0 : serialCompare(reportedLive, liveSerial) > 0 && reportedLive !== 0) {
    return { kind: 'wait', why: 'the store has no live set yet that is later than those that are served' };
  }
  const isPatient = waited >= READY_SECONDS;
  const lost = lostContent(own, inForce);
  if (lost === 'repeated') return raised(facts, inForce);
  if (lost !== null) {
    if (voters.length === members.length || isPatient) return { kind: 'put', content: lost };
    return { kind: 'wait', why: 'the store has lost what was in force, and not all vantages are heard of yet' };
  }
  const votes = new Map<string, string[]>();
  for (const vantage of voters) {
    const hash = reports.get(vantage)?.hash;
    if (hash === undefined || hash === inForce?.hash) continue;
    votes.set(hash, [...(votes.get(hash) ?? []), vantage]);
  }
  for (const [hash, vantages] of votes) {
    const isEnough = vantages.length === voters.length || (isPatient && vantages.length >= majority);
    if (isEnough) return { kind: 'put', content: newContent(facts, hash) };
  }
  if (votes.size === 0) return { kind: 'nothing' };
  const who = [...votes.values()].map((vantages) => vantages.join(' and ')).join(', another one ');
  const others = voters.filter((vantage) => ![...votes.values()].flat().includes(vantage));
  const rest = others.length === 0 ? '' : `; ${others.join(', ')} not`;
  return { kind: 'wait', why: `${who} ${votes.size > 1 ? 'have' : 'has'} another content${rest}` };
}

/**
 * What was in force by a store that has lost it since: the vantages' latest. `repeated`: two of them, or one and the
 * store, have one serial for two contents. Null: the store is not behind.
 */
function lostContent(
  own: readonly (readonly [string, OwnContent])[],
  inForce: ContentInForce | null,
): ContentInForce | 'repeated' | null {
  let latest: Content | null = inForce;
  let isRepeated = false;
  for (const [, { served }] of own) {
    if (served === null) continue;
    const order = latest === null ? 1 : serialCompare(served.serial, latest.serial);
    if (order === 0 && served.hash !== latest?.hash) isRepeated = true;
    if (order <= 0) continue;
    latest = served;
    isRepeated = false;
  }
  if (isRepeated) return 'repeated';
  if (latest === null || latest === inForce) return null;
  // Which live set it had is lost as well: who does not serve it already waits for one that comes later.
  return { ...latest, from: 0, after: latest.serial };
}

/** The content in force, or the one that most vantages have, under a serial above all. */
function raised(facts: ContentFacts, inForce: ContentInForce | null): ContentChoice {
  const { voters, reports } = facts;
  const count = new Map<string, number>();
  for (const vantage of voters) {
    const hash = reports.get(vantage)?.hash ?? inForce?.hash;
    if (hash !== undefined) count.set(hash, (count.get(hash) ?? 0) + 1);
  }
  const [most] = [...count].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  return most === undefined ? { kind: 'nothing' } : { kind: 'put', content: newContent(facts, most[0]) };
}

function newContent({ reports, inForce, liveSerial, serialClass, now }: ContentFacts, hash: string): ContentInForce {
  const known = [...reports.values()].flatMap(({ serial, served }) => [serial, served?.serial ?? 0]);
  const before = serialMax(inForce?.serial ?? 0, liveSerial);
  const serial = serialOfClass(serialAfterAll([before, ...known], now), serialClass);
  return { hash, serial, from: inForce?.serial ?? 0, after: liveSerial };
}

/** A static zone has one serial for several contents: who has what, as a sentence; null: not so. */
export function staticConflict(zone: string, reports: ReadonlyMap<string, OwnContent>): string | null {
  const bySerial = new Map<number, Map<string, string[]>>();
  for (const [vantage, { network, hash, serial }] of reports) {
    if (network !== null) continue;
    const contents = bySerial.get(serial) ?? new Map<string, string[]>();
    bySerial.set(serial, contents);
    contents.set(hash, [...(contents.get(hash) ?? []), vantage]);
  }
  for (const [serial, contents] of bySerial) {
    if (contents.size < 2) continue;
    const who = [...contents.values()].map((vantages) => vantages.join(' and ')).join(' than ');
    return `static zone ${zone} has other contents under the same serial ${serial} on ${who}: raise the serial in its file on all of them`;
  }
  return null;
}
