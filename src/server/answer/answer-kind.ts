/** Kinds of answers, as the rate limit tells them apart. */
export const KIND = {
  positive: 0,
  /** From a wildcard or a DNAME: names without number have it in common. */
  wildcard: 1,
  noData: 2,
  nxDomain: 3,
  referral: 4,
  /** REFUSED, FORMERR, SERVFAIL and their like. */
  error: 5,
} as const;
