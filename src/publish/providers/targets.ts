import { createHash } from 'node:crypto';
import type { PublishConfig } from '../../config/section-publish.ts';
import type { Config } from '../../config/types.ts';
import { addressText } from '../../system/address-text.ts';
import { errorText } from '../../system/error-text.ts';
import { type Fault, hasErrors, plainFault } from '../../system/fault.ts';
import type { Guard } from '../../system/guard.ts';
import type { LiveVersion } from '../../zones/image/live-version.ts';
import type { FollowingSink } from '../sink.ts';
import type { Provider } from './provider.ts';
import { type MadeProvider, makeProvider } from './registry.ts';
import type { LiveTexts } from './sets.ts';
import { type LeftStore, ProviderTarget } from './target.ts';
import type { TargetFiles } from './target-file.ts';

export type TargetsOptions = {
  /** A network's live set as it is now; null: none was decided yet. */
  readonly live: (network: string) => LiveTexts | null;
  /** Null: a dry run, which reads, says what it would do, and writes nothing anywhere. */
  readonly files: TargetFiles | null;
  readonly env: NodeJS.ProcessEnv;
  readonly guard: Guard;
  readonly log: (level: 'info' | 'warn', network: string, text: string) => void;
  /** Epoch seconds. */
  readonly now: () => number;
  /** As in `TargetOptions`. */
  readonly mayPublish?: () => Promise<string | null>;
  /** For tests. */
  readonly make?: typeof makeProvider;
};

/** Null: nothing was decided yet. */
export function liveTexts(version: LiveVersion | null): LiveTexts | null {
  if (version === null || version.serial === 0) return null;
  const { v4, v6, unanswered = null } = version;
  return { v4: v4.map(addressText), v6: v6.map(addressText), unanswered };
}

/** A target that is kept, with what it was made from. */
export type KeptTarget = {
  readonly config: PublishConfig;
  readonly target: ProviderTarget;
  readonly sink: FollowingSink;
  /** Changes with its keys and its secrets. */
  readonly fingerprint: string;
};

export type PreparedTargets =
  | { readonly ok: true; readonly faults: readonly Fault[]; readonly targets: readonly KeptTarget[] }
  | { readonly ok: false; readonly faults: readonly Fault[] };

/**
 * The targets of a configuration. One of `before` whose keys and secrets are the same goes on as it is. Reads the files of
 * secrets; asks nobody.
 */
export function prepareTargets(
  config: Config,
  before: readonly KeptTarget[],
  options: TargetsOptions,
): PreparedTargets {
  const made = config.publish.map((one) => ({ one, made: makeSafely(one, config, options) }));
  const faults = made.flatMap((each) => each.made.faults);
  if (hasErrors(faults)) {
    for (const { made: each } of made) if (each.provider !== null) void each.provider.close();
    return { ok: false, faults };
  }
  const targets = made.flatMap(({ one, made: { provider, secrets } }) => {
    if (provider === null) return [];
    const fingerprint = fingerprintOf(
      one,
      secrets.map((secret) => secret.reveal()),
    );
    const known = before.find((kept) => kept.fingerprint === fingerprint);
    if (known === undefined) return [keep(one, provider, fingerprint, options)];
    void provider.close();
    return [known];
  });
  return { ok: true, faults, targets };
}

function makeSafely(
  one: PublishConfig,
  config: Config,
  { env, guard, log, make = makeProvider }: TargetsOptions,
): MadeProvider {
  try {
    return make(one, {
      keys: config.transfer.keys,
      env,
      guard,
      log: (level, text) => log(level, one.network, `${one.name}: ${text}`),
    });
  } catch (error) {
    const message = `publish: ${one.name}: ${errorText(error)}`;
    return { provider: null, secrets: [], faults: [plainFault('provider', message)] };
  }
}

function fingerprintOf(config: PublishConfig, secrets: readonly string[]): string {
  return createHash('sha256')
    .update(JSON.stringify([config, secrets]))
    .digest('hex');
}

/** The keys that say where sets are; what else there is says what they should be, or who may change them. */
const PLACE = ['provider', 'to', 'api', 'url', 'server', 'profile', 'zone', 'zone_id'];

/** The same text for as long as a target's sets are at the same place. */
function whereOf(config: PublishConfig): string {
  const given = new Map<string, unknown>(Object.entries(config));
  const weighted = config.provider === 'route53' ? (config.weighted?.set_identifier ?? config.weighted !== null) : null;
  return JSON.stringify([...PLACE.map((key) => given.get(key) ?? null), weighted]);
}

const NOTHING_LEFT: LeftStore = { read: async () => ({ left: null, lastRight: null }), write: () => undefined };

function keep(
  config: PublishConfig,
  provider: Provider,
  fingerprint: string,
  { live, files, log, now, mayPublish }: TargetsOptions,
): KeptTarget {
  const { name, network, names, types, ttl, owner, timeout } = config;
  const target = new ProviderTarget({
    spec: { name, network, names, types, ttl, owner, timeoutMs: timeout * 1000, dryRun: files === null },
    provider,
    live: () => live(network),
    left: files?.leftOf(name, whereOf(config)) ?? NOTHING_LEFT,
    ...(mayPublish === undefined ? {} : { mayPublish }),
    log: (level, text) => log(level, network, text),
    onState: (state) => files?.saveStatus(state),
    now,
  });
  return { config, target, fingerprint, sink: sinkOf(target) };
}

/** Reconciles with every change of the live set, and when asked to look. */
function sinkOf(target: ProviderTarget): FollowingSink {
  const { name, network } = target.spec;
  return {
    name: `publish ${name}`,
    phase: 'follow',
    network,
    wants: ({ update, look }) => look === true || update?.liveChanged === true,
    apply: () => target.reconcile(),
  };
}
