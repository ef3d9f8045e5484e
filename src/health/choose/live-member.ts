/** A member of a live set, with what is answered of it; at least one address. */
export type LiveMember = {
  readonly edge: string;
  readonly v4: string | null;
  readonly v6: string | null;
  /** Why this edge is live: "still healthy: last 0.201 s < goodenough 0.700 s". */
  readonly why: string;
};
