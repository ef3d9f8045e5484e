import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../config/types.ts';
import type { Decision } from '../health/choose/decision.ts';
import { count } from '../health/judge/reason.ts';
import { decisionObservation, liveSetEvent } from '../publish/notices/decision-events.ts';
import type { NoticeCounts } from '../publish/notices/delivery.ts';
import { Notices } from '../publish/notices/notices.ts';
import {
  certificateObservation,
  type ProviderFact,
  providerObservation,
  reloadObservation,
  type SecondaryFact,
  secondaryObservation,
  signatureObservation,
  type ZoneFact,
  zoneObservation,
} from '../publish/notices/server-events.ts';
import type { TargetStatus } from '../publish/providers/target-status.ts';
import type { Guard } from '../system/guard.ts';
import type { Log } from '../system/log-events.ts';
import { version } from '../system/version.ts';
import { type Part, part, ready } from './part.ts';

/** What is looked at every `POLL_MS`. */
export type NoticeSources = {
  /** Zones and networks are all there. */
  readonly ready: () => boolean;
  readonly networks: () => readonly string[];
  readonly zones: () => readonly ZoneFact[];
  readonly secondaries: () => readonly SecondaryFact[];
  readonly providers: () => readonly ProviderFact[];
  /** Epoch seconds; null: no TLS. */
  readonly tlsNotAfter: () => number | null;
  readonly reloadFault: () => string | null;
};

export type NoticesPartOptions = {
  readonly config: Config;
  /** Networks that this process is restricted to; none: all. */
  readonly only: readonly string[];
  readonly sources: NoticeSources;
  readonly log: Log;
  readonly guard: Guard;
};

const NAME = 'notices';
const POLL_MS = 2000;
/** What a stop gives the targets; half of what a part has. */
const STOP_MS = 2500;
/** Octets of a folder's name that is made of networks' names; file systems take 255. */
const FOLDER_NAME_MAX = 200;

/**
 * Who is notified of what. Two parts, since it is there before the first decision, and is the first to stop: then it
 * still has the time to say so.
 */
export class NoticesPart {
  /** Before the first round. */
  readonly open: Part;
  /** After everything else. */
  readonly part: Part;
  private readonly options: NoticesPartOptions;
  private readonly notices: Notices;
  private readonly startedMs = performance.now();
  private timer: NodeJS.Timeout | undefined;
  private isUnclean = false;

  constructor(options: NoticesPartOptions) {
    const { config, log, guard } = options;
    this.options = options;
    this.notices = new Notices({
      folder: noticesFolder(config, options.only),
      host: hostname(),
      guard,
      log,
      now: () => Date.now() / 1000,
    });
    this.open = part('notice queues', {
      start: async () => {
        this.isUnclean = await this.notices.open(config.notices, config.vantage?.name ?? null);
        return null;
      },
      // After a start that ended before `part` did, which otherwise closes them.
      stop: () => this.notices.close(STOP_MS),
    });
    this.part = part(NAME, {
      start: async () => this.started(),
      prepare: async ({ config: { notices, vantage } }) =>
        ready(() => this.notices.configure(notices, vantage?.name ?? null)),
      stop: () => this.stop(),
      faults: () => this.notices.faults(),
    });
  }

  counts(): ReadonlyMap<string, NoticeCounts> {
    return this.notices.counts();
  }

  /** With every decision, so that what lasts for a moment only is not missed. */
  decided(network: string, decision: Decision): void {
    if (this.notices.isEmpty) return;
    this.options.guard.run(NAME, () => {
      this.notices.observe(decisionObservation(network, decision));
      const changed = liveSetEvent(network, decision);
      if (changed !== null) this.notices.note(changed);
    });
  }

  private started(): null {
    const { sources, guard } = this.options;
    const what = `${count(sources.networks().length, 'network')} and ${count(sources.zones().length, 'zone')}`;
    const after = this.isUnclean ? ' after an end that was not orderly (killed, a crash, or a loss of power)' : '';
    this.notices.note({
      name: 'started',
      severity: this.isUnclean ? 'warning' : 'info',
      labels: {},
      summary: `Edgewise ${version()} serves ${what}${after}`,
    });
    this.timer = setInterval(
      guard.protect(NAME, () => this.poll()),
      POLL_MS,
    );
    this.timer.unref();
    guard.run(NAME, () => this.poll());
    return null;
  }

  private poll(): void {
    const { sources } = this.options;
    if (!sources.ready() || this.notices.isEmpty) return;
    const { notices } = this;
    notices.retireOthers(new Set(sources.networks()));
    notices.observe(zoneObservation(sources.zones()));
    notices.observe(secondaryObservation(sources.secondaries(), (performance.now() - this.startedMs) / 1000));
    notices.observe(providerObservation(sources.providers()));
    notices.observe(signatureObservation(sources.zones(), Date.now() / 1000));
    notices.observe(certificateObservation(sources.tlsNotAfter(), Date.now() / 1000));
    notices.observe(reloadObservation(sources.reloadFault()));
  }

  private async stop(): Promise<void> {
    clearInterval(this.timer);
    this.notices.note({ name: 'stopped', severity: 'info', labels: {}, summary: 'Edgewise was asked to stop' });
    await this.notices.close(STOP_MS);
  }
}

/** Where a server's queues are kept; one that serves some networks only has its own. */
export function noticesFolder({ stateDir }: Config, only: readonly string[]): string {
  const folder = join(stateDir, 'notices');
  if (only.length === 0) return folder;
  const name = [...only].sort().join('+');
  const isShort = Buffer.byteLength(name) <= FOLDER_NAME_MAX;
  return join(folder, isShort ? name : createHash('sha256').update(name).digest('hex'));
}

/** A provider's target as people hear of it; a dry run's sets, which differ and stay so, are not worth a notice. */
export function providerFact({ name, network, state, problem }: TargetStatus): ProviderFact {
  const isWrong = state === 'failing' || state === 'foreign';
  return { name, network, isKnown: state !== 'unknown', problem: isWrong ? (problem?.text ?? state) : null };
}
