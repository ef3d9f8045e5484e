/**
 * Which NOTIFY goes out when (RFC 1996 §3.6): pure, so that pacing and retries can be tested without waiting. For each
 * secondary and zone only the newest serial matters; older ones are forgotten wherever they are.
 */
import type { WireName } from '../../dns/name.ts';

/** First wait for an answer, doubled at each try. Milliseconds. */
export const FIRST_WAIT_MS = 500;
export const TRIES = 7; // the last one half a minute after the first
/** Sent to one secondary in a burst, which its socket buffer takes; its answers pace what follows. */
export const WINDOW = 100;
/** Sent in a millisecond where answers are late, as those of a busy BIND. */
const PER_MS = 1;
/** Pause before the next look where nothing may be sent now. */
const PAUSE_MS = 10;
/** Unanswered at one secondary at a time, however late it is. */
const IN_FLIGHT_MAX = 1000;

/** `target`: the secondary's number (`NotifyTargets`). */
export type NotifyItem = { readonly target: number; readonly zone: WireName; readonly serial: number };
/** A message to be sent. `attempt`: 1 for the first. */
export type NotifySend = NotifyItem & { readonly id: number; readonly attempt: number };

/** `ids`: of all attempts, since the answer to an earlier one is as good. */
type Flight = { readonly item: NotifyItem; readonly ids: number[]; attempt: number; dueMs: number };
/** `credit`: how many may be sent at `creditMs`; `resumeMs`: when to look again where it is used up. */
type Target = {
  readonly waiting: Map<WireName, NotifyItem>;
  readonly inFlight: Map<WireName, Flight>;
  /** Zones of the messages in flight. No two have the same identifier. */
  readonly byId: Map<number, WireName>;
  credit: number;
  creditMs: number;
  resumeMs: number;
};

export class NotifyQueue {
  private readonly targets = new Map<number, Target>();
  private readonly nextId: () => number;

  /** `nextId`: an unpredictable 16-bit number, so that answers cannot be forged blindly (RFC 5452 §9.2). */
  constructor(nextId: () => number) {
    this.nextId = nextId;
  }

  /** New serials. One that waits or is in flight already goes on; an older one of the same zone is forgotten. */
  add(items: Iterable<NotifyItem>): void {
    for (const item of items) {
      const target = this.target(item.target);
      const flight = target.inFlight.get(item.zone);
      if (flight?.item.serial === item.serial) continue;
      if (flight !== undefined) land(target, item.zone, flight); // an answer to the old one would prove nothing
      target.waiting.set(item.zone, item);
    }
  }

  /** The target is no longer configured. */
  drop(target: number): void {
    this.targets.delete(target);
  }

  /** The zone is gone, or this secondary is done with it. */
  forget(number: number, zone: WireName): void {
    const target = this.targets.get(number);
    const flight = target?.inFlight.get(zone);
    if (target === undefined) return;
    target.waiting.delete(zone);
    if (flight !== undefined) land(target, zone, flight);
  }

  /** What is to be sent now, and what was given up. */
  take(nowMs: number): { readonly send: readonly NotifySend[]; readonly lost: readonly NotifyItem[] } {
    const send: NotifySend[] = [];
    const lost: NotifyItem[] = [];
    for (const target of this.targets.values()) {
      target.credit = Math.min(WINDOW, target.credit + Math.max(0, nowMs - target.creditMs) * PER_MS);
      target.creditMs = nowMs;
      target.resumeMs = nowMs + PAUSE_MS;
      // What was never sent goes before retries.
      for (const [zone, item] of target.waiting) {
        if (target.inFlight.size >= IN_FLIGHT_MAX || target.credit < 1) break;
        const id = this.identifier(target, zone);
        target.credit -= 1;
        target.waiting.delete(zone);
        target.inFlight.set(zone, { item, ids: [id], attempt: 1, dueMs: nowMs + FIRST_WAIT_MS });
        send.push({ ...item, id, attempt: 1 });
      }
      for (const [zone, flight] of target.inFlight) {
        if (flight.dueMs > nowMs) continue;
        if (flight.attempt === TRIES) {
          land(target, zone, flight);
          lost.push(flight.item);
          continue;
        }
        if (target.credit < 1) {
          flight.dueMs = target.resumeMs;
          continue;
        }
        const id = this.identifier(target, zone);
        target.credit -= 1;
        flight.attempt += 1;
        flight.ids.push(id);
        flight.dueMs = nowMs + FIRST_WAIT_MS * 2 ** (flight.attempt - 1);
        send.push({ ...flight.item, id, attempt: flight.attempt });
      }
    }
    return { send, lost };
  }

  /** The zone of the message with this identifier; null: no such message waits for an answer. */
  zoneOf(target: number, id: number): WireName | null {
    return this.targets.get(target)?.byId.get(id) ?? null;
  }

  /** An answer came. The item it belongs to, which is done; null: no such message waits for one. */
  answered(number: number, zone: WireName, id: number): NotifyItem | null {
    const target = this.targets.get(number);
    const flight = target?.inFlight.get(zone);
    if (target === undefined || flight === undefined || target.byId.get(id) !== zone) return null;
    land(target, zone, flight);
    target.credit = Math.min(WINDOW, target.credit + 1);
    return flight.item;
  }

  /** When `take` has something to do again; null: when something is added or answered. */
  nextMs(): number | null {
    let next: number | null = null;
    for (const { inFlight, waiting, credit, resumeMs } of this.targets.values()) {
      if (waiting.size > 0 && inFlight.size < IN_FLIGHT_MAX) {
        if (credit >= 1) return 0;
        next = next === null ? resumeMs : Math.min(next, resumeMs);
      }
      for (const { dueMs } of inFlight.values()) next = next === null ? dueMs : Math.min(next, dueMs);
    }
    return next;
  }

  /** Not yet acknowledged. */
  get size(): number {
    let size = 0;
    for (const { inFlight, waiting } of this.targets.values()) size += inFlight.size + waiting.size;
    return size;
  }

  private identifier(target: Target, zone: WireName): number {
    let id = this.nextId();
    while (target.byId.has(id)) id = (id + 1) & 0xffff; // at most IN_FLIGHT_MAX * TRIES are taken
    target.byId.set(id, zone);
    return id;
  }

  private target(number: number): Target {
    const known = this.targets.get(number);
    if (known !== undefined) return known;
    const target: Target = {
      waiting: new Map(),
      inFlight: new Map(),
      byId: new Map(),
      credit: WINDOW,
      creditMs: 0,
      resumeMs: 0,
    };
    this.targets.set(number, target);
    return target;
  }
}

/** Its identifiers are free again. */
function land(target: Target, zone: WireName, { ids }: Flight): void {
  target.inFlight.delete(zone);
  for (const id of ids) target.byId.delete(id);
}
