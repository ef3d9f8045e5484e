/** What was refused of strangers and of peers: counted by kind, and said once an hour of each sender. */

export const REFUSAL_KINDS = [
  /** Sealed with another key, forged, or changed on the way. */
  'wrong-key',
  /** With our key, from a name that is not configured. */
  'unknown-peer',
  'other-recipient',
  'replayed',
  /** With our key, but not what this version knows. */
  'malformed',
  'too-large',
  /** An answer that is none to the request it came for. */
  'forged-answer',
  /** A view in an answer that is none, or is another vantage's. */
  'bad-view',
] as const;
export type RefusalKind = (typeof REFUSAL_KINDS)[number];

const AGAIN_MS = 3600_000;
/** Lines an hour, so that no number of addresses fills the log. */
const LINES_MAX = 100;

export class Refusals {
  private readonly log: (text: string) => void;
  private readonly monotonicMs: () => number;
  private readonly counted = new Map<RefusalKind, number>(REFUSAL_KINDS.map((kind) => [kind, 0]));
  private readonly said = new Set<string>();
  private since = Number.NEGATIVE_INFINITY;

  constructor(log: (text: string) => void, monotonicMs: () => number) {
    this.log = log;
    this.monotonicMs = monotonicMs;
  }

  /** `sender`: a peer's name or an address. `text`: a sentence that names it. */
  add(kind: RefusalKind, sender: string, text: string): void {
    this.counted.set(kind, (this.counted.get(kind) ?? 0) + 1);
    const now = this.monotonicMs();
    if (now - this.since >= AGAIN_MS) {
      this.since = now;
      this.said.clear();
    }
    const key = `${kind} ${sender}`;
    if (this.said.has(key) || this.said.size > LINES_MAX) return;
    this.said.add(key);
    const isLast = this.said.size > LINES_MAX;
    this.log(isLast ? 'more senders are refused, which are counted only for an hour' : text);
  }

  /** Each kind, how often since the start. */
  counts(): ReadonlyMap<RefusalKind, number> {
    return new Map(this.counted);
  }
}
