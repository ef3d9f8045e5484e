import type { Config } from '../config/types.ts';
import type { LiveRRsets } from '../live/live-rrsets.ts';
import { TargetFiles } from '../publish/providers/target-file.ts';
import type { TargetStatus } from '../publish/providers/target-status.ts';
import { type KeptTarget, liveTexts, prepareTargets, type TargetsOptions } from '../publish/providers/targets.ts';
import type { Sinks } from '../publish/sinks.ts';
import { hasErrors } from '../system/fault.ts';
import type { Guard } from '../system/guard.ts';
import type { Log } from '../system/log-events.ts';
import { logFaults } from '../system/log-faults.ts';
import { type Part, part, type Reload } from './part.ts';

export type ProvidersPartOptions = {
  readonly config: Config;
  /** Says what would be done, and writes nothing anywhere. */
  readonly dryRun: boolean;
  readonly live: LiveRRsets;
  readonly sinks: Sinks;
  readonly log: Log;
  readonly guard: Guard;
  /** As `TargetOptions.mayPublish`; unless given, this server always may. */
  readonly mayPublish?: () => Promise<string | null>;
  /** For tests. */
  readonly make?: TargetsOptions['make'];
};

const NAME = 'providers';

/** Keeps sets at other people's DNS equal to live sets: each target a sink of its own, and a look now and then. */
export class ProvidersPart {
  readonly part: Part;
  private readonly options: ProvidersPartOptions;
  private readonly files: TargetFiles | null;
  private targets: readonly KeptTarget[] = [];
  private readonly timers = new Map<string, NodeJS.Timeout>();
  private config: Config;

  constructor(options: ProvidersPartOptions) {
    this.options = options;
    this.config = options.config;
    const { log, config, dryRun } = options;
    this.files = dryRun
      ? null
      : new TargetFiles(config, (sentence, target) =>
          log('warn', sentence, { event: 'provider.memory_unusable', target }),
        );
    this.part = part(NAME, {
      start: async () => {
        const prepared = this.prepared(config);
        if (!prepared.ok) return prepared.faults.find((fault) => hasErrors([fault])) ?? null;
        logFaults(log, prepared.faults);
        await this.commit(config, prepared.targets);
        return null;
      },
      prepare: async (reload) => this.prepare(reload),
      stop: () => this.stop(),
      faults: () => this.faults(),
    });
  }

  /** Sorted by name. */
  statuses(): readonly TargetStatus[] {
    return this.targets.map(({ target }) => target.status()).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Has a network's targets say what they would do now that its live set would be another one. For a dry run. */
  plan(network: string): void {
    for (const { sink, config } of this.targets) if (config.network === network) this.look(sink.name, network);
  }

  private prepared(config: Config): ReturnType<typeof prepareTargets> {
    const { live, log, guard, make, mayPublish } = this.options;
    return prepareTargets(config, this.targets, {
      live: (network) => liveTexts(live.current(network)),
      files: this.files,
      env: process.env,
      guard,
      log: (level, network, text) => log(level, text, { event: 'provider.message', network }),
      now: () => Date.now() / 1000,
      ...(make === undefined ? {} : { make }),
      ...(mayPublish === undefined ? {} : { mayPublish }),
    });
  }

  private async prepare({ config }: Reload): ReturnType<Part['prepare']> {
    const prepared = this.prepared(config);
    if (!prepared.ok) return prepared;
    const fresh = prepared.targets.filter((one) => !this.targets.includes(one));
    return {
      ok: true,
      commit: async () => {
        logFaults(this.options.log, prepared.faults);
        await this.commit(config, prepared.targets);
      },
      discard: async () => {
        for (const { target } of fresh) await target.close();
      },
    };
  }

  private async commit(config: Config, targets: readonly KeptTarget[]): Promise<void> {
    const { sinks, guard } = this.options;
    const gone = this.targets.filter((one) => !targets.includes(one));
    const fresh = targets.filter((one) => !this.targets.includes(one));
    this.config = config;
    this.targets = targets;
    for (const { target, sink, config: was } of gone) {
      clearInterval(this.timers.get(sink.name));
      this.timers.delete(sink.name);
      await target.close();
      // It may hang all the same, and the new ones do not wait for it.
      guard.run(NAME, sinks.remove(sink.name));
      if (!targets.some((one) => one.config.name === was.name)) this.files?.forget(was.name);
    }
    for (const { sink, config: now } of fresh) {
      sinks.add(sink);
      const look = guard.protect(NAME, () => this.look(sink.name, now.network));
      const timer = setInterval(look, now.every * 1000);
      timer.unref();
      this.timers.set(sink.name, timer);
      look();
    }
  }

  /** Has one target reconcile, whatever changed or not. */
  private look(sink: string, network: string): void {
    const { config } = this;
    this.options.sinks.follow({ network, config, update: null, zones: [], filesWritten: false, look: true }, sink);
  }

  private async stop(): Promise<void> {
    for (const timer of this.timers.values()) clearInterval(timer);
    this.timers.clear();
    // None waits for another, which may hang.
    const closed = this.targets.map(async ({ target, sink }) => {
      await target.close();
      await this.options.sinks.remove(sink.name);
    });
    try {
      await Promise.all(closed);
    } finally {
      await this.files?.close();
    }
  }

  /** Targets that fail are in the sinks' faults. */
  private faults(): readonly string[] {
    const foreign = this.targets.flatMap(({ target }) => {
      const { name, network, state, problem } = target.status();
      return state === 'foreign' ? [`network ${network}: publish ${name}: ${problem?.text ?? 'changed'}`] : [];
    });
    return [...foreign, ...(this.files?.faults() ?? [])];
  }
}
