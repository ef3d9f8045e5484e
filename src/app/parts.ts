import { within } from '../system/deadline.ts';
import { errorText } from '../system/error-text.ts';
import { type Fault, plainFault } from '../system/fault.ts';
import type { Guard } from '../system/guard.ts';
import type { Log } from '../system/log-events.ts';
import type { Part, Prepared, Reload } from './part.ts';

export type PartFault = { readonly part: string; readonly message: string };

export type PartsOptions = {
  readonly log: Log;
  readonly guard: Guard;
  /** How long a part may take to get ready for a reload, milliseconds. */
  readonly prepareMs?: number;
  /** How long one part, and all of them together, may take to stop, milliseconds. */
  readonly stopMs?: number;
  readonly stopAllMs?: number;
};

const PREPARE_MS = 10_000;
const STOP_MS = 5_000;
const STOP_ALL_MS = 10_000;
/** What a part gets when all the time for stopping is spent. */
const STOP_LEAST_MS = 200;

/**
 * The parts of a server in the order of their start. A reload prepares every part before it commits any, so that it is
 * made or not made as a whole; a stop goes the other way round and waits for nobody for ever.
 */
export class Parts {
  private readonly list: readonly Part[];
  private readonly options: PartsOptions;
  private readonly started: Part[] = [];
  private stopping: Promise<void> | null = null;

  constructor(list: readonly Part[], options: PartsOptions) {
    this.list = list;
    this.options = options;
  }

  /** The first fault ends it; the caller stops what was started. */
  async start(): Promise<Fault | null> {
    for (const part of this.list) {
      if (this.stopping !== null) return plainFault('stopped', 'stopped while it started');
      this.started.push(part);
      try {
        const fault = await part.start();
        if (fault !== null) return fault;
      } catch (error) {
        return plainFault('start', `${part.name}: ${errorText(error)}`);
      }
    }
    return null;
  }

  /** Brings new settings into force; with faults nothing was changed. */
  async reload(reload: Reload): Promise<readonly Fault[]> {
    const prepared: { readonly part: Part; readonly work: Extract<Prepared, { ok: true }> }[] = [];
    const faults: Fault[] = [];
    for (const part of this.started) {
      const work = await this.prepare(part, reload);
      if (work.ok) prepared.push({ part, work });
      else faults.push(...work.faults);
    }
    if (this.stopping !== null) faults.push(plainFault('stopped', 'the server is being stopped'));
    if (faults.length > 0) {
      for (const { part, work } of prepared.reverse()) await this.contain(part, work.discard);
      return faults;
    }
    for (const { part, work } of prepared) {
      // What is committed already stays; what waits may need parts that are gone.
      if (this.stopping === null) await this.contain(part, work.commit);
    }
    return [];
  }

  /** Stops what was started, the last first. Never rejects; may be called twice. */
  stop(): Promise<void> {
    this.stopping ??= this.stopAll();
    return this.stopping;
  }

  faults(): readonly PartFault[] {
    return this.started.flatMap(({ name, faults }) => faults().map((message) => ({ part: name, message })));
  }

  private async prepare(part: Part, reload: Reload): Promise<Prepared> {
    const { prepareMs = PREPARE_MS, guard } = this.options;
    const failed = (message: string): Prepared => ({
      ok: false,
      faults: [plainFault('reload', `${part.name}: ${message}`)],
    });
    try {
      const work = part.prepare(reload);
      return await within(prepareMs, work, () => {
        // It may still get ready; then what it took must go.
        const discard = work.then((late) => (late.ok ? late.discard() : undefined));
        guard.run(part.name, discard);
        return failed(`not ready for the new settings within ${prepareMs / 1000} s`);
      });
    } catch (error) {
      return failed(errorText(error));
    }
  }

  private async contain(part: Part, work: () => void | Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.options.guard.note(part.name, error);
    }
  }

  private async stopAll(): Promise<void> {
    const { stopMs = STOP_MS, stopAllMs = STOP_ALL_MS, log } = this.options;
    const end = performance.now() + stopAllMs;
    for (const part of [...this.started].reverse()) {
      const ms = Math.min(stopMs, Math.max(end - performance.now(), STOP_LEAST_MS));
      await this.contain(part, () =>
        within(ms, part.stop(), () => {
          const text = `stop: ${part.name} takes too long and is left behind`;
          log('warn', text, { event: 'server.stop_timeout', part: part.name });
        }),
      );
    }
  }
}
