import { setTimeout as pause } from 'node:timers/promises';
import { LineLimit } from './line-limit.ts';

/** Clients of which wrong tokens are counted; the one that was quiet longest is forgotten for another. */
const CLIENTS_MAX = 1000;
/** Seconds after its last one until a client's wrong tokens are forgotten. */
const FORGOTTEN_S = 600;
/** So many are answered at once: somebody may mistype. */
const FREE = 3;
const FIRST_MS = 100;
const SLOWEST_MS = 2000;
/** Answers that wait at a time; each holds a connection that others may need. */
const WAITING_MAX = 2;
/** Lines of the log: of one client each minute, and of all of them. */
const LINE_S = 60;
const LINES_MAX = 10;

type Client = { count: number; lastAt: number; loggedAt: number; unlogged: number };

/**
 * Slows down whoever tries tokens. Only refusals wait: a right token is never refused, nor delayed, for the wrong ones
 * of somebody behind the same address. Times are seconds.
 */
export class WrongTokens {
  private readonly clients = new Map<string, Client>();
  private waiting = 0;
  private readonly lines = new LineLimit(LINE_S, LINES_MAX);
  private readonly log: (message: string, client: string) => void;

  constructor(log: (message: string, client: string) => void) {
    this.log = log;
  }

  /** A wrong token came: resolves when it may be answered. False: too many come at a time; say so, and hang up. */
  async note(client: string, now: number): Promise<boolean> {
    const ms = this.count(client, now);
    if (ms === 0) return true;
    if (this.waiting >= WAITING_MAX) return false;
    this.waiting += 1;
    try {
      await pause(ms, undefined, { ref: false });
    } finally {
      this.waiting -= 1;
    }
    return true;
  }

  /** The same without waiting: for how long the answer should wait, milliseconds. */
  count(client: string, now: number): number {
    const before = this.clients.get(client);
    const isKnown = before !== undefined && now - before.lastAt < FORGOTTEN_S;
    const entry = isKnown ? before : { count: 0, lastAt: now, loggedAt: Number.NEGATIVE_INFINITY, unlogged: 0 };
    entry.count += 1;
    entry.unlogged += 1;
    entry.lastAt = now;
    this.clients.delete(client);
    this.clients.set(client, entry);
    if (this.clients.size > CLIENTS_MAX) {
      const [oldest] = this.clients.keys();
      if (oldest !== undefined) this.clients.delete(oldest);
    }
    this.write(client, entry, now);
    const over = entry.count - FREE;
    return over <= 0 ? 0 : Math.min(SLOWEST_MS, FIRST_MS * 2 ** Math.min(over - 1, 10));
  }

  get size(): number {
    return this.clients.size;
  }

  private write(client: string, entry: Client, now: number): void {
    if (now - entry.loggedAt < LINE_S) return;
    if (this.lines.take(now) === null) return;
    const { unlogged } = entry;
    this.log(`http: ${unlogged === 1 ? 'a wrong token' : `${unlogged} wrong tokens`} from ${client}`, client);
    entry.loggedAt = now;
    entry.unlogged = 0;
  }
}
