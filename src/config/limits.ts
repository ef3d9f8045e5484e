/** Addresses of one family in one live RRset: what a slot holds. */
export const LIVE_MAX = 64;
