/**
 * Which NOTIFY goes out when (RFC 1996 §3.6): pure, so that pacing and retries can be tested without waiting. For each
 * secondary and zone only the newest serial matters; what is older is forgotten, wherever it is.
 */
import type { WireName } from '../../dns/name.ts';

/** First wait for an answer, doubled at each try. Milliseconds. */
export const FIRST_WAIT_MS = 500;
export const TRIES = 7; // the last one half a minute after the first
/** Sent to one secondary at once: a burst its socket buffer takes. Its answers pace what follows, … */
export const WINDOW = 100;
/** … and where they are late, as those of a busy BIND, so many go out in a millisecond all the same. */
const PER_MS = 1;
/** Where nothing may be sent, looked at again so soon. */
const PAUSE_MS = 10;
/** Unanswered at one secondary at a time, however late it is. */
const FLYING_MAX = 1000;

/** `target`: the secondary's place in the configuration. */
export type NotifyItem = { readonly target: number; readonly zone: WireName; readonly serial: number };
export type NotifySend = NotifyItem & { readonly id: number; readonly attempt: number };
export type NotifyResult = 'acknowledged' | 'refused' | 'unanswered';

/** `ids`: of all attempts, since the answer to an earlier one is as good. */
type Flight = { readonly item: NotifyItem; readonly ids: number[]; attempt: number; dueMs: number };
/** `room`: how many may be sent now; `roomMs`: when that was so; `resumeMs`: when to look again where there is none. */
type Target = {
  readonly waiting: Map<WireName, NotifyItem>;
  readonly flying: Map<WireName, Flight>;
  room: number;
  roomMs: number;
  resumeMs: number;
};

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
      target.room = Math.min(WINDOW, target.room + Math.max(0, nowMs - target.roomMs) * PER_MS);
      target.roomMs = nowMs;
      target.resumeMs = nowMs + PAUSE_MS;
      // What was not sent at all goes first.
      for (const [zone, item] of target.waiting) {
        if (target.flying.size >= FLYING_MAX || target.room < 1) break;
        const id = this.nextId();
        target.room -= 1;
        target.waiting.delete(zone);
        target.flying.set(zone, { item, ids: [id], attempt: 1, dueMs: nowMs + FIRST_WAIT_MS });
        send.push({ ...item, id, attempt: 1 });
      }
      for (const [zone, flight] of target.flying) {
        if (flight.dueMs > nowMs) continue;
        if (flight.attempt === TRIES) {
          target.flying.delete(zone);
          lost.push(flight.item);
          continue;
        }
        if (target.room < 1) {
          flight.dueMs = target.resumeMs;
          continue;
        }
        const id = this.nextId();
        target.room -= 1;
        flight.attempt += 1;
        flight.ids.push(id);
        flight.dueMs = nowMs + FIRST_WAIT_MS * 2 ** (flight.attempt - 1);
        send.push({ ...flight.item, id, attempt: flight.attempt });
      }
    }
    return { send, lost };
  }

  /** An answer came. The item it belongs to, which is done; null: nobody waits for it. */
  answered(targets: readonly number[], zone: WireName, id: number): NotifyItem | null {
    for (const number of targets) {
      const target = this.targets.get(number);
      const flight = target?.flying.get(zone);
      if (target === undefined || flight === undefined || !flight.ids.includes(id)) continue;
      target.flying.delete(zone);
      target.room = Math.min(WINDOW, target.room + 1);
      return flight.item;
    }
    return null;
  }

  /** When `take` has something to do again; null: when something is added or answered. */
  nextMs(): number | null {
    let next: number | null = null;
    for (const { flying, waiting, room, resumeMs } of this.targets.values()) {
      if (waiting.size > 0 && flying.size < FLYING_MAX) {
        if (room >= 1) return 0;
        next = next === null ? resumeMs : Math.min(next, resumeMs);
      }
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
    const target: Target = { waiting: new Map(), flying: new Map(), room: WINDOW, roomMs: 0, resumeMs: 0 };
    this.targets.set(number, target);
    return target;
  }
}
