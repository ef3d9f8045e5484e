/**
 * Which NOTIFY goes out when (RFC 1996 §3.6): pure, so that pacing and retries can be tested without waiting. For each
 * secondary and zone only the newest serial matters; what is older is forgotten, wherever it is.
 */
import type { WireName } from '../zones/name.ts';

/** First wait for an answer, doubled at each try. Milliseconds. */
export const FIRST_WAIT_MS = 500;
export const TRIES = 7; // the last one half a minute after the first
/** Unanswered at one secondary at a time: a burst its socket buffer takes, while its answers pace what follows. */
export const WINDOW = 100;

/** `target`: the secondary's place in the configuration. */
export type NotifyItem = { readonly target: number; readonly zone: WireName; readonly serial: number };
export type NotifySend = NotifyItem & { readonly id: number; readonly attempt: number };
export type NotifyResult = 'acknowledged' | 'refused' | 'unanswered';

type Flight = { readonly item: NotifyItem; id: number; attempt: number; dueMs: number };
type Target = { readonly waiting: Map<WireName, NotifyItem>; readonly flying: Map<WireName, Flight> };

export class NotifyQueue {
  private readonly targets = new Map<number, Target>();
  private readonly nextId: () => number;

  /** `nextId`: an unpredictable 16-bit number, so that answers cannot be forged blindly (RFC 5452 §9.2). */
  constructor(nextId: () => number) {
    this.nextId = nextId;
  }

  /** Zones whose secondaries must hear of a new serial. */
  add(items: Iterable<NotifyItem>): void {
    for (const item of items) {
      const target = this.target(item.target);
      target.flying.delete(item.zone); // an answer to the old one would prove nothing
      target.waiting.set(item.zone, item);
    }
  }

  /** The target is no longer configured. */
  drop(target: number): void {
    this.targets.delete(target);
  }

  /** What is to be sent now, and what was given up. */
  take(nowMs: number): { readonly send: readonly NotifySend[]; readonly lost: readonly NotifyItem[] } {
    const send: NotifySend[] = [];
    const lost: NotifyItem[] = [];
    for (const target of this.targets.values()) {
      for (const [zone, flight] of target.flying) {
        if (flight.dueMs > nowMs) continue;
        if (flight.attempt === TRIES) {
          target.flying.delete(zone);
          lost.push(flight.item);
          continue;
        }
        flight.attempt += 1;
        flight.id = this.nextId();
        flight.dueMs = nowMs + FIRST_WAIT_MS * 2 ** (flight.attempt - 1);
        send.push({ ...flight.item, id: flight.id, attempt: flight.attempt });
      }
      for (const [zone, item] of target.waiting) {
        if (target.flying.size >= WINDOW) break;
        target.waiting.delete(zone);
        const flight = { item, id: this.nextId(), attempt: 1, dueMs: nowMs + FIRST_WAIT_MS };
        target.flying.set(zone, flight);
        send.push({ ...item, id: flight.id, attempt: 1 });
      }
    }
    return { send, lost };
  }

  /** An answer came. The item it belongs to, which is done; null: nobody waits for it. */
  answered(targets: readonly number[], zone: WireName, id: number): NotifyItem | null {
    for (const number of targets) {
      const target = this.targets.get(number);
      const flight = target?.flying.get(zone);
      if (target === undefined || flight === undefined || flight.id !== id) continue;
      target.flying.delete(zone);
      return flight.item;
    }
    return null;
  }

  /** When `take` has something to do again; null: when something is added or answered. */
  nextMs(): number | null {
    let next: number | null = null;
    for (const { flying, waiting } of this.targets.values()) {
      if (waiting.size > 0 && flying.size < WINDOW) return 0;
      for (const { dueMs } of flying.values()) next = next === null ? dueMs : Math.min(next, dueMs);
    }
    return next;
  }

  /** Not yet acknowledged. */
  get size(): number {
    let size = 0;
    for (const { flying, waiting } of this.targets.values()) size += flying.size + waiting.size;
    return size;
  }

  private target(number: number): Target {
    const known = this.targets.get(number);
    if (known !== undefined) return known;
    const target = { waiting: new Map<WireName, NotifyItem>(), flying: new Map<WireName, Flight>() };
    this.targets.set(number, target);
    return target;
  }
}
