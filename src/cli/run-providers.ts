import type { Config } from '../config/types.ts';
import type { NetworkState } from '../health/state/network-state.ts';
import { liveOf } from '../live/network-live.ts';
import { TargetFiles } from '../publish/providers/target-file.ts';
import { liveTexts, prepareTargets } from '../publish/providers/targets.ts';
import type { FollowingSink } from '../publish/sink.ts';
import type { Sinks } from '../publish/sinks.ts';
import { within } from '../system/deadline.ts';
import { formatFault } from '../system/fault.ts';
import type { Guard } from '../system/guard.ts';
import type { Log } from '../system/log-events.ts';
import { logFaults } from '../system/log-faults.ts';

export type RunProviders = {
  readonly sinks: readonly FollowingSink[];
  /** Reads what is there and says what would be done. For a dry run. */
  readonly plan: () => Promise<void>;
  /** Gives up what is under way, and what waits until a provider may be asked again. */
  readonly stop: () => Promise<void>;
  /** Stops, and resolves when it is on disk what was published. */
  readonly close: () => Promise<void>;
};

/** How long a run that is over has its network locked because of a provider, milliseconds. */
const END_MS = 30_000;

/** Ends a run's sinks, each of which tries once more what failed; providers are given up after `ms`. */
export async function closeSinks(
  sinks: Pick<Sinks, 'close'>,
  providers: Pick<RunProviders, 'stop' | 'close'>,
  ms = END_MS,
): Promise<void> {
  const closed = sinks.close();
  await within(ms, closed, () => undefined);
  await providers.stop();
  await closed;
  await providers.close();
}

/**
 * The targets of one network for a single run, or a row of them. One that cannot be made is an error in the log: zone files
 * and answers do not depend on it.
 */
export function runProviders(
  config: Config,
  network: string,
  dryRun: boolean,
  state: () => NetworkState,
  log: Log,
  guard: Guard,
): RunProviders {
  const files = dryRun
    ? null
    : new TargetFiles(config, (sentence, target) =>
        log('warn', sentence, { event: 'provider.memory_unusable', target }),
      );
  const own = config.publish.filter((target) => target.network === network);
  const targets = own.flatMap((one) => {
    const prepared = prepareTargets({ ...config, publish: [one] }, [], {
      live: () => liveTexts(liveOf(state()).version),
      files,
      env: process.env,
      guard,
      log: (level, _network, text) => {
        if (dryRun && level === 'info') process.stdout.write(`${text}\n`);
        else log(level, text, 'provider.message');
      },
      now: () => Date.now() / 1000,
    });
    logFaults(log, prepared.faults);
    return prepared.ok ? prepared.targets : [];
  });
  const stop = async (): Promise<void> => {
    await Promise.all(targets.map(({ target }) => target.close()));
  };
  return {
    stop,
    sinks: targets.map(({ sink, config: { every } }) => {
      // A run is a moment to look in any case, but not each of a row of them.
      let looked = Number.NEGATIVE_INFINITY;
      const isDue = (): boolean => performance.now() - looked > every * 1000;
      const apply: FollowingSink['apply'] = (change) => {
        looked = performance.now(); // what fails is tried again by itself
        return sink.apply(change);
      };
      return { ...sink, wants: (change) => isDue() || sink.wants?.(change) !== false, apply };
    }),
    plan: async () => {
      for (const { target } of targets) {
        for (const fault of await target.reconcile()) {
          const { name } = target.spec;
          log('error', `${name}: ${formatFault(fault)}`, { event: 'provider.failed', target: name });
        }
      }
    },
    close: async () => {
      await stop();
      await files?.close();
    },
  };
}
