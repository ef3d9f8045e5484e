/** All targets of notices: each has a queue of its own, so that one that hangs delays neither the others nor anything else. */
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { NoticeConfig } from '../../config/section-notices.ts';
import { sweepTemporaries, writeAtomic } from '../../system/atomic-write.ts';
import { errorText } from '../../system/error-text.ts';
import type { Guard } from '../../system/guard.ts';
import { makeFolder } from '../../system/make-folder.ts';
import { exists } from '../../system/set-aside.ts';
import { networkOf, type Observation } from './conditions.ts';
import { Delivery, type NoticeCounts, type NoticeLog, openGather } from './delivery.ts';
import type { NoticeEvent } from './event.ts';
import { Outbox, queueFile } from './outbox.ts';
import { makeTarget } from './targets/make.ts';
import type { NoticeTarget } from './targets/send.ts';
import type { Origin } from './text.ts';

export type NoticesOptions = {
  /** Where queues are kept; of this process alone. */
  readonly folder: string;
  /** This machine's name. */
  readonly host: string;
  readonly guard: Guard;
  readonly log: NoticeLog;
  /** Epoch seconds. */
  readonly now: () => number;
  /** For tests. */
  readonly make?: (config: NoticeConfig, origin: Origin) => Promise<NoticeTarget>;
};

/** There while a process runs that means to end in an orderly way. */
const RUNNING = 'running';
/** What a target that was removed has for the message that is under way. */
const REMOVED_MS = 1000;

export class Notices {
  private readonly options: NoticesOptions;
  private readonly deliveries = new Map<string, Delivery>();
  /** Targets that were removed and may still write their queues. */
  private readonly closing = new Map<string, Promise<void>>();
  /** The newest observation of each scope: what a target that is added learns at once. */
  private readonly observed = new Map<string, Observation>();
  private isPrepared = false;
  private isUnclean = false;

  constructor(options: NoticesOptions) {
    this.options = options;
  }

  /** Whether the process before this one ended without `close`. `vantage`: our name as one; null: none. Never rejects. */
  async open(targets: readonly NoticeConfig[], vantage: string | null = null): Promise<boolean> {
    await this.configure(targets, vantage);
    return this.isUnclean;
  }

  /** Nobody is told anything. */
  get isEmpty(): boolean {
    return this.deliveries.size === 0;
  }

  /** Targets that are gone finish the message that is under way; what else they were to send is kept. */
  async configure(targets: readonly NoticeConfig[], vantage: string | null = null): Promise<void> {
    const { folder, host, guard, log, now, make = makeTarget } = this.options;
    if (targets.length > 0 && !this.isPrepared) await this.prepare();
    const wanted = new Set(targets.map(({ name }) => name));
    for (const [name, delivery] of this.deliveries) {
      if (wanted.has(name)) continue;
      this.deliveries.delete(name);
      const closing = delivery.close(REMOVED_MS, false);
      this.closing.set(name, closing);
      guard.run('notices', closing);
    }
    for (const config of targets) {
      const target = await make(config, { host, vantage });
      const there = this.deliveries.get(config.name);
      if (there !== undefined) {
        there.configure(config, target);
        continue;
      }
      await this.closing.get(config.name)?.catch(() => undefined); // it still writes the queue
      this.closing.delete(config.name);
      const outbox = new Outbox(queueFile(folder, config.name), (message) => {
        if (message === null) return;
        const text = `notices: ${config.name}: its queue cannot be written: ${message}`;
        log('error', text, { event: 'notice.queue_fault', target: config.name });
      });
      const gather = await openGather(config, outbox, now(), log);
      const delivery = new Delivery(config, target, gather, { outbox, guard, log, now });
      this.deliveries.set(config.name, delivery);
      for (const observation of this.observed.values()) delivery.observe(observation);
    }
  }

  observe(observation: Observation): void {
    if (observation.standing.length === 0) this.observed.delete(observation.scope);
    else this.observed.set(observation.scope, observation);
    for (const delivery of this.deliveries.values()) delivery.observe(observation);
  }

  /** Networks that are no longer there: what stood of them ends. */
  retireOthers(networks: ReadonlySet<string>): void {
    const scopes = new Set([...this.deliveries.values()].flatMap((delivery) => [...delivery.scopes()]));
    for (const scope of scopes) {
      const network = networkOf(scope);
      if (network !== null && !networks.has(network)) this.observe({ scope, standing: [] });
    }
  }

  note(event: NoticeEvent): void {
    for (const delivery of this.deliveries.values()) delivery.note(event);
  }

  /** What cannot be sent or kept, a sentence each. */
  faults(): readonly string[] {
    return [...this.deliveries.values()].flatMap((delivery) => delivery.faults());
  }

  /** By target. */
  counts(): ReadonlyMap<string, NoticeCounts> {
    return new Map([...this.deliveries].map(([name, delivery]) => [name, delivery.counts()]));
  }

  /** Sends what waits, once and for at most `ms`, and ends; the next process knows that this was an orderly end. */
  async close(ms: number): Promise<void> {
    await Promise.all([
      ...Array.from(this.deliveries.values(), (delivery) => delivery.close(ms)),
      ...Array.from(this.closing.values(), (closing) => closing.catch(() => undefined)),
    ]);
    this.closing.clear();
    if (this.isPrepared) await unlink(join(this.options.folder, RUNNING)).catch(() => undefined);
    this.deliveries.clear();
  }

  /** The folder, with the mark of a process that runs. */
  private async prepare(): Promise<void> {
    const { folder, log } = this.options;
    const marker = join(folder, RUNNING);
    this.isPrepared = true;
    try {
      await makeFolder(folder);
      await sweepTemporaries(folder);
      this.isUnclean = await exists(marker);
      await writeAtomic(marker, `${process.pid}\n`);
    } catch (error) {
      const text = `notices: ${folder} cannot be used, so nothing is kept across a restart: ${errorText(error)}`;
      log('error', text, 'notice.queue_fault');
    }
  }
}
