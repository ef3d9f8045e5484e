/** What a vantage does with a zone, by what it has and what is in force. Pure. */
import { serialCompare } from '../../dns/serial.ts';
import type { Content, ContentInForce } from './content.ts';

/**
 * How a version is served. `agreed`: it is the cluster's and follows the live set. `frozen`: it was the cluster's, and
 * its live set stays what it was. `unagreed`: nobody agreed upon it, so it claims no serial that another vantage could
 * give to other octets. The latter two are not transferred.
 */
export type Standing = 'agreed' | 'frozen' | 'unagreed';

/** Of zones that nobody agreed upon: earlier than every serial that is given (RFC 1982, until 2038). */
export const UNAGREED_SERIAL = 1;

export type OwnZone = {
  /** What is served; null: nothing. */
  readonly served: (Content & { readonly standing: Standing }) | null;
  /** Hash of the newest content that could be served; null: there is none beside what is served. */
  readonly newest: string | null;
  /** What the store says; null: nothing is known. */
  readonly inForce: ContentInForce | null;
  /** Serial of the live set that the zone has, or would have if it were not frozen; 0: none. */
  readonly live: number;
};

export type OwnStep =
  | { readonly kind: 'keep' }
  /**
   * The content in force, under its serial, with the live set. `isGap`: contents may have been in force between it and
   * what was served, so no difference leads from there.
   */
  | { readonly kind: 'serve'; readonly content: Content; readonly isGap: boolean }
  | { readonly kind: 'freeze' }
  /** The newest content, or what is served, without a serial of the cluster's. */
  | { readonly kind: 'unagreed' };

export function ownStep({ served, newest, inForce, live }: OwnZone): OwnStep {
  const agreed = served === null || served.standing === 'unagreed' ? null : served;
  // A store that was wiped or restored knows less than we do: it is told what we serve, and says nothing until then.
  const isBehind = inForce !== null && agreed !== null && serialCompare(inForce.serial, agreed.serial) < 0;
  if (inForce === null || isBehind) return agreed !== null || newest === null ? { kind: 'keep' } : { kind: 'unagreed' };
  const { hash, serial, from, after } = inForce;
  const isServed = agreed?.serial === serial && agreed.hash === hash;
  if (isServed && agreed.standing === 'agreed') return { kind: 'keep' };
  // One serial with two contents: some store repeated it. Nothing is claimed until there is one above.
  const isRepeated = agreed?.serial === serial && agreed.hash !== hash;
  const isHere = newest === hash || served?.hash === hash;
  const isReached = isServed || after === 0 || (live !== 0 && serialCompare(live, after) >= 0);
  if (isHere && isReached && !isRepeated) {
    const isGap = !isServed && from !== agreed?.serial;
    return { kind: 'serve', content: { hash, serial }, isGap };
  }
  if (agreed !== null) return agreed.standing === 'frozen' ? { kind: 'keep' } : { kind: 'freeze' };
  return newest === null ? { kind: 'keep' } : { kind: 'unagreed' };
}

/** What is remembered of a zone from an earlier run; `lacked`: what was in force meanwhile; null: just that. */
export type Remembered = Content & { readonly lacked: ContentInForce | null };

/**
 * What a start may serve as the cluster's before the store is heard of: what was in force when the process ended, if the
 * file still holds it. One that lacked the content in force even then has no live set that belongs to what it has.
 */
export function startContent(remembered: Remembered | null, newest: string): Content | null {
  if (remembered === null || remembered.lacked !== null || remembered.hash !== newest) return null;
  return { hash: remembered.hash, serial: remembered.serial };
}
