/** What several vantages agree upon of one zone's content. Serials are SOA serials; 0: none. */
import type { WireName } from '../../dns/name.ts';

/** A content as one vantage knows it; `hash`: of its records (`contentHash`). */
export type Content = { readonly hash: string; readonly serial: number };

/**
 * The content that every vantage should serve. The zone's versions are in one order, that of the store: `from` and
 * `after` say where in it the content came, so that a vantage that was away brings nothing into force too early, and
 * claims no difference that it cannot know.
 */
export type ContentInForce = Content & {
  /** Serial of the content that was in force before it; 0: none, or it is not known. */
  readonly from: number;
  /** Serial of the zone's live set that was in force when it came: earlier than its own. */
  readonly after: number;
};

/** What a vantage has of a zone, as it reports it. */
export type OwnContent = {
  /** Null: a static zone, whose serial is the operator's. */
  readonly network: string | null;
  /** Of the newest content that it could serve. */
  readonly hash: string;
  /** The latest serial that it knows the zone to have had, that of its live set included. */
  readonly serial: number;
  /** The content in force that it serves or served last, with the serial that was agreed upon; null: none. */
  readonly served: Content | null;
};

export type ReadyContent = OwnContent & { readonly origin: WireName };

/** Who says which content of a zone is in force, and under which serial, where several vantages serve it. */
export type SerialAuthority = {
  /** What every vantage should serve; null: nothing is known of the zone, or of any (not connected yet). */
  readonly inForce: (origin: WireName) => ContentInForce | null;
  /** We could serve these from now on. The newest of a zone counts. */
  readonly ready: (contents: readonly ReadyContent[]) => void;
  /** We serve these zones no longer. */
  readonly gone: (origins: readonly WireName[]) => void;
  /** What the zone's newest content waits for, a phrase that names vantages; null: not known here. */
  readonly why: (origin: WireName) => string | null;
};
