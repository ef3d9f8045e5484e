/** Addresses of one family in one live RRset: what a slot holds. */
export const LIVE_MAX = 64;

/** How large one zone may become. What is over it is a fault. */
export type ZoneLimits = {
  readonly records: number;
  /** Records made by `$GENERATE`, of all its lines together. */
  readonly generated: number;
  /** Of owner names, each once, and rdata. */
  readonly octets: number;
};

/** Ten times the largest zones that were measured; `$GENERATE` is for reverse zones of some thousand records. */
export const ZONE_LIMITS: ZoneLimits = { records: 10_000_000, generated: 1 << 20, octets: 1 << 29 };
