/** One target at work: its queue, its timer, and the message that is under way. */

import type { NoticeConfig } from '../../config/section-notices.ts';
import { limitOf, TIMER_MAX_MS, within } from '../../system/deadline.ts';
import { errorText } from '../../system/error-text.ts';
import type { Guard } from '../../system/guard.ts';
import type { Log } from '../../system/log-events.ts';
import type { Observation, Scope } from './conditions.ts';
import { isAtLeast, type Message, type NoticeEvent } from './event.ts';
import { Gather, type GatherRules } from './gather.ts';
import type { Outbox } from './outbox.ts';
import { type NoticeTarget, notSent, type Sent } from './targets/send.ts';

export type NoticeLog = Log;

export type DeliveryOptions = {
  readonly outbox: Outbox;
  readonly guard: Guard;
  readonly log: NoticeLog;
  /** Epoch seconds. */
  readonly now: () => number;
};

/** Since the start; `pending`: events that wait now. `failed`: attempts. */
export type NoticeCounts = { readonly sent: number; readonly failed: number; readonly pending: number };

/** Beyond a target's own timeout, after which an attempt counts as failed whatever it does. */
const GRACE_MS = 1000;
/** How long a message waits to be noted as under way on a disk that hangs. */
const WRITE_MS = 5000;

export class Delivery {
  private readonly options: DeliveryOptions;
  private config: NoticeConfig;
  private target: NoticeTarget;
  private readonly gather: Gather;
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | null = null;
  private readonly abort = new AbortController();
  private sentTotal = 0;
  private failedTotal = 0;
  private failing: { readonly since: number; readonly reason: string } | null = null;
  private closed = false;

  constructor(config: NoticeConfig, target: NoticeTarget, gather: Gather, options: DeliveryOptions) {
    this.config = config;
    this.target = target;
    this.gather = gather;
    this.options = options;
    this.schedule();
  }

  get name(): string {
    return this.config.name;
  }

  counts(): NoticeCounts {
    return { sent: this.sentTotal, failed: this.failedTotal, pending: this.gather.waiting };
  }

  faults(): readonly string[] {
    const { failing, gather, config, options } = this;
    const since = failing === null ? '' : new Date(failing.since * 1000).toISOString().slice(0, 19);
    const wait = gather.waiting === 1 ? '1 event waits' : `${gather.waiting} events wait`;
    return [
      ...(failing === null ? [] : [`notices: ${config.name} takes none since ${since}Z (${wait}): ${failing.reason}`]),
      ...(failing === null && config.to === 'unusable'
        ? [`notices: ${config.name} can be sent none: ${config.reason}`]
        : []),
      ...options.outbox.faults().map((fault) => `notices: ${config.name}: ${fault}`),
    ];
  }

  /** Other settings of the same target; what waits and what stands stays. */
  configure(config: NoticeConfig, target: NoticeTarget): void {
    const { guard } = this.options;
    const old = this.target;
    this.config = config;
    this.target = target;
    this.gather.configure(rulesOf(config));
    this.failing = null;
    // A message that is under way is finished the old way.
    guard.run(
      'notices',
      (this.running ?? Promise.resolve()).then(() => old.close()),
    );
    this.schedule();
  }

  scopes(): ReadonlySet<Scope> {
    return this.gather.scopes();
  }

  observe(observation: Observation): void {
    if (this.gather.observe(observation, this.options.now(), performance.now())) this.changed();
  }

  note(event: NoticeEvent): void {
    if (this.gather.note(event, this.options.now(), performance.now())) this.changed();
  }

  /**
   * Sends what waits, once, and ends; at the latest after `ms`. What does not arrive by then is kept. `sendsRest` false:
   * only the message that is under way is finished.
   */
  async close(ms: number, sendsRest = true): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    const giveUp = setTimeout(() => this.abort.abort(new Error('stopped')), ms * 0.7);
    const work = async (): Promise<void> => {
      await this.running;
      if (sendsRest && !this.abort.signal.aborted) await this.run(true);
    };
    await within(ms * 0.8, work(), () => undefined);
    clearTimeout(giveUp);
    this.abort.abort(new Error('stopped'));
    await within(ms * 0.2, Promise.all([this.options.outbox.close(), this.target.close()]), () => undefined);
  }

  private changed(): void {
    this.options.outbox.save(() => this.gather.saved());
    this.schedule();
  }

  private schedule(): void {
    clearTimeout(this.timer);
    if (this.closed || this.running !== null) return;
    const now = performance.now();
    const due = this.gather.dueMs(now);
    if (due === null) return;
    const tick = this.options.guard.protect('notices', () => {
      this.running = this.run(false).finally(() => {
        this.running = null;
        this.schedule();
      });
      return this.running;
    });
    // One millisecond more, since timers may fire a little early.
    this.timer = setTimeout(tick, Math.min(TIMER_MAX_MS, Math.max(0, Math.ceil(due - now) + 1)));
    this.timer.unref();
  }

  private async run(isLast: boolean): Promise<void> {
    const { outbox } = this.options;
    const message = this.gather.take(this.options.now(), performance.now(), isLast);
    if (message === null) return;
    outbox.save(() => this.gather.saved());
    await within(WRITE_MS, outbox.written(), () => undefined);
    const sent = await this.attempt(message);
    if (sent.ok) this.arrived();
    // It may have arrived: left as under way, it is not sent a second time by the next process, which says so.
    else if (this.abort.signal.aborted && sent.isUnsent !== true) this.interrupted(sent.reason);
    else this.failed(sent, message);
    outbox.save(() => this.gather.saved());
    await within(WRITE_MS, outbox.written(), () => undefined);
  }

  private async attempt(message: Message): Promise<Sent> {
    const { timeoutMs } = this.config;
    const text = `no end within ${timeoutMs / 1000} s`;
    const { signal, end } = limitOf(timeoutMs, this.abort.signal, () => new Error(text));
    const send = async (): Promise<Sent> => this.target.send(message, signal); // whatever it throws, and when
    const work = send().catch((error: unknown) => notSent(errorText(error)));
    return within(timeoutMs + GRACE_MS, work.finally(end), () => notSent(text));
  }

  private interrupted(reason: string): void {
    this.failedTotal += 1;
    const text = `notices: ${this.name}: a message was under way at the end and is in doubt: ${reason}`;
    this.options.log('warn', text, { event: 'notice.in_doubt', target: this.name });
  }

  private arrived(): void {
    this.gather.sent();
    this.sentTotal += 1;
    if (this.failing !== null) {
      const text = `notices: ${this.name} takes messages again`;
      this.options.log('info', text, { event: 'notice.recovered', target: this.name });
    }
    this.failing = null;
  }

  private failed(sent: Extract<Sent, { ok: false }>, message: Message): void {
    const { log, now } = this.options;
    const { reason } = sent;
    this.failedTotal += 1;
    if (!this.gather.failed(sent, performance.now())) {
      const events = message.entries.length === 1 ? '1 event' : `${message.entries.length} events`;
      const text = `notices: ${this.name} refuses a message again and again, so it is given up (${events}): ${reason}`;
      log('error', text, { event: 'notice.given_up', target: this.name });
      this.failing = null;
      return;
    }
    if (this.failing?.reason !== reason) {
      const text = `notices: ${this.name}: not sent, and tried again: ${reason}`;
      log('error', text, { event: 'notice.failed', target: this.name });
    }
    this.failing = { since: this.failing?.since ?? now(), reason };
  }
}

export function rulesOf({ gather, perMinute, events, networks, minSeverity }: NoticeConfig): GatherRules {
  return {
    gather,
    perMinute,
    wants: ({ name, severity, labels }) => {
      if (name === 'delivery_in_doubt' || name === 'test') return true;
      if (events !== null && !events.includes(name)) return false;
      if (networks !== null && labels.network !== undefined && !networks.includes(labels.network)) return false;
      return isAtLeast(severity, minSeverity);
    },
  };
}

/** The target's queue as it was left. */
export async function openGather(config: NoticeConfig, outbox: Outbox, at: number, log: NoticeLog): Promise<Gather> {
  const { saved, fault } = await outbox.read(at);
  if (fault !== null) {
    log('error', `notices: ${config.name}: ${fault}`, { event: 'notice.queue_fault', target: config.name });
  }
  return new Gather(rulesOf(config), performance.now(), at, saved);
}
