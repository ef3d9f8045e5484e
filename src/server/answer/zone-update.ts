import type { WireName } from '../../dns/name.ts';

/** What a zone is to a thread that answers. `zone` is a small number, stable while the process lives. */
export type ZoneUpdate =
  | {
      readonly kind: 'zone';
      readonly zone: number;
      readonly origin: WireName;
      readonly image: SharedArrayBuffer;
      /** Slot in the live slots; -1: a static zone. */
      readonly slot: number;
      /** Row in the per-network statistics; 0 is "static". */
      readonly network: number;
      /** A list of zones for secondaries (RFC 9432): it is transferred, and nothing but its SOA is answered. */
      readonly catalog?: boolean;
      /** Not to be transferred for now: it is not the version that the other vantages serve. */
      readonly isHeld?: boolean;
    }
  /** The zone has no usable version: SERVFAIL. */
  | { readonly kind: 'broken'; readonly zone: number; readonly origin: WireName; readonly network: number }
  /** Same image, other slot: its canary came or went. */
  | { readonly kind: 'slot'; readonly zone: number; readonly slot: number }
  | { readonly kind: 'gone'; readonly zone: number };
