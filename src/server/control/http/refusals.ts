/** Why requests are refused for what they are or whoever sends them; what is merely not there does not count. */
export const REFUSALS = [
  'token', // wrong, or nobody's any more
  'certificate', // of a client, that no authority of ours signed
  'credentials', // none where some are needed
  'forbidden', // of somebody who may read but not change, or where nothing can be changed
  'cross_site', // sent by a browser on behalf of somebody else's page
  'host', // for a name that this server does not have
  'malformed', // no HTTP, too slow, too large, ambiguous, or no TLS where TLS is needed
] as const;
export type Refusal = (typeof REFUSALS)[number];

/** Counts since the start. */
export class Refusals {
  private readonly counts = new Map<Refusal, number>(REFUSALS.map((reason) => [reason, 0]));

  add(reason: Refusal): void {
    this.counts.set(reason, (this.counts.get(reason) ?? 0) + 1);
  }

  get all(): ReadonlyMap<Refusal, number> {
    return this.counts;
  }
}
