/** Which vantage point this server is: its engine, what the networks' rounds see of it, and an operator's override. */

import { randomBytes } from 'node:crypto';
import type { Config } from '../../config/types.ts';
import type { RoundSets, RoundVantage } from '../../health/pools/round-vantage.ts';
import type { VantageSource } from '../../server/control/views/vantage-source.ts';
import { type ClockWarning, clockWarnings } from '../../server/control/views/vantage-view.ts';
import type { Fault } from '../../system/fault.ts';
import type { Guard } from '../../system/guard.ts';
import type { Log } from '../../system/log-events.ts';
import { logFaults } from '../../system/log-faults.ts';
import { version } from '../../system/version.ts';
import type { AgreedSets, EngineEvents } from '../../vantage/engine.ts';
import type { SerialAuthority } from '../../zones/agreement/content.ts';
import { NOTHING_TO_DO, type Part, type Prepared, part, type Reload, ready } from '../part.ts';
import { ContentAuthority } from './content-authority.ts';
import {
  type EngineSettings,
  type EngineTools,
  makeEngine,
  type RunningEngine,
  readEngineSettings,
} from './engines.ts';
import { OverrideWatch } from './override-watch.ts';

export type VantagePartOptions = {
  readonly config: Config;
  readonly log: Log;
  readonly guard: Guard;
  /** Views, sets or roles are others: of one network, or of all (null). */
  readonly onChange: (network: string | null, isRole: boolean) => void;
  /** Other contents of these zones are in force. */
  readonly onContents: EngineEvents['onContents'];
  /** As `RoundSets.takeContents`. */
  readonly takeContents: () => Promise<void>;
} & Pick<EngineTools, 'makeContents' | 'makeParts'>;

const NAME = 'vantage';
/** Between two looks at the others' clocks. */
const LOOK_MS = 10_000;

type Running = RunningEngine & { readonly settings: EngineSettings };

export class VantagePart {
  readonly part: Part;
  /** Stopped before everything else, so that another vantage decides while this server ends. */
  readonly role: Part;
  private readonly options: VantagePartOptions;
  private readonly boot = randomBytes(8).toString('hex');
  private readonly override: OverrideWatch;
  private readonly contents = new ContentAuthority();
  private readonly log: Log;
  private running: Running | null = null;
  /** Networks that this vantage cannot decide for, while others could. */
  private readonly unfit = new Set<string>();
  /** Those that are served, after a reload; null: those of the start. One that is gone keeps nobody from deciding. */
  private networks: ReadonlySet<string> | null = null;
  private decider: string | null = null;
  private skewed: ReadonlySet<string> = new Set();
  private timer: NodeJS.Timeout | undefined;
  private isEnding = false;

  constructor(options: VantagePartOptions) {
    this.options = options;
    const { log, guard, config } = options;
    this.log = (level, text, event) => log(level, `vantage: ${text}`, event);
    this.override = new OverrideWatch({
      stateDir: config.stateDir,
      onChange: () => this.overrideChanged(),
      log: this.log,
      guard,
      now: () => Date.now() / 1000,
    });
    this.part = part(NAME, {
      start: () => this.start(),
      prepare: async (reload) => this.prepare(reload),
      stop: () => this.stop(),
      faults: () => this.faults(),
    });
    this.role = part('vantage role', {
      stop: async () => {
        this.isEnding = true;
        this.sets?.setCandidate(false);
      },
    });
  }

  /** How a network's rounds agree with the other vantage points; null: this server decides alone. */
  of(network: string): RoundVantage | null {
    const { running, sets } = this;
    if (running === null) return null;
    const { engine, settings } = running;
    return {
      settings: settings.vantage,
      boot: this.boot,
      version: version(),
      views: () => engine.views(network),
      publishView: (view) => engine.publishView(view),
      override: () => this.override.override,
      sets: sets === null ? null : this.setsOf(network, sets),
    };
  }

  /** What agrees upon sets; null: each vantage decides for itself, or there are no others. */
  get sets(): AgreedSets | null {
    return this.running?.engine.agreement ?? null;
  }

  /** Who gives contents of zones their serials; null: this server does. */
  get authority(): SerialAuthority | null {
    return this.options.config.vantage?.engine === 'etcd' ? this.contents : null;
  }

  /** Whether what others keep (`publish:`) may be changed now: null if so, or the sentence why not. Never rejects. */
  async mayAct(): Promise<string | null> {
    if (this.running === null || this.sets === null) return null;
    if (this.override.override !== null) return 'an override is in force, so that two could write to it';
    return this.sets.mayAct();
  }

  /** What HTTP shows; null: this server decides alone. */
  source(): VantageSource | null {
    if (this.running === null) return null;
    const { kind, engine, settings } = this.running;
    const { sets } = this;
    return {
      engine: kind,
      name: settings.vantage.name,
      isConnected: sets?.isConnected() ?? null,
      role: sets?.role() ?? null,
      override: this.override.override,
      vantages: engine.vantages(),
      refused: kind === 'peers' ? engine.refusals() : new Map(),
      faults: this.faults(),
      warnings: engine.warnings(),
      views: (network) => engine.views(network),
      decided: (network) => sets?.decided(network) ?? null,
    };
  }

  private setsOf(network: string, sets: AgreedSets): RoundSets {
    return {
      role: () => sets.role(),
      isConnected: () => sets.isConnected(),
      decided: () => sets.decided(network),
      propose: (set) => sets.propose(set),
      takeContents: async () => {
        try {
          await this.options.takeContents();
        } catch (error) {
          this.options.guard.note(NAME, error);
        }
      },
      setFit: (isFit) => {
        if (isFit) this.unfit.delete(network);
        else this.unfit.add(network);
        this.setCandidate();
      },
    };
  }

  private setCandidate(): void {
    const { networks } = this;
    for (const network of this.unfit) if (networks?.has(network) === false) this.unfit.delete(network);
    const isFit = this.unfit.size === 0 && this.override.override === null && !this.isEnding;
    this.sets?.setCandidate(isFit);
  }

  private overrideChanged(): void {
    this.setCandidate();
    this.options.onChange(null, true);
  }

  private async start(): Promise<Fault | null> {
    const { config, guard } = this.options;
    if (config.vantage === null) return null;
    const read = readEngineSettings(config.vantage, config, Date.now() / 1000);
    if (!read.ok) return read.faults[0] ?? null;
    this.warn(read.warnings);
    this.override.start();
    await this.run(read.settings);
    this.timer = setInterval(
      guard.protect(NAME, () => this.look()),
      LOOK_MS,
    );
    this.timer.unref();
    return null;
  }

  private async run(settings: EngineSettings): Promise<void> {
    const { guard, makeContents, makeParts, onChange, onContents } = this.options;
    const made = makeEngine(settings, {
      events: {
        onView: guard.protect(NAME, (network: string) => onChange(network, false)),
        onDecided: guard.protect(NAME, (network: string) => onChange(network, false)),
        onRole: guard.protect(NAME, () => this.roleChanged()),
        onContents: guard.protect(NAME, onContents),
      },
      guard,
      log: this.log,
      now: () => Date.now() / 1000,
      makeContents,
      ...(makeParts === undefined ? {} : { makeParts }),
    });
    this.running = { ...made, settings };
    this.setCandidate();
    this.contents.follow(made.engine.agreement?.contents ?? null);
    await made.engine.start();
  }

  private prepare({ config, was, lists }: Reload): Prepared {
    const { vantage } = config;
    if (vantage === null || was.vantage === null) return NOTHING_TO_DO; // takes a restart
    const read = readEngineSettings(vantage, config, Date.now() / 1000);
    if (!read.ok) return { ok: false, faults: read.faults };
    const { settings, warnings } = read;
    return ready(async () => {
      this.warn(warnings);
      this.networks = new Set(lists.networks.keys());
      await this.reconfigure(settings);
      this.setCandidate();
    });
  }

  private async reconfigure(settings: EngineSettings): Promise<void> {
    const { running } = this;
    if (running === null || running.settings.mark === settings.mark) return;
    this.log('info', 'the settings are others: agrees by the new ones', 'vantage.settings_changed');
    if (running.kind === 'peers' && settings.kind === 'peers') {
      this.running = { ...running, settings };
      await running.engine.reconfigure(settings.peers);
    } else {
      await running.engine.stop();
      this.unfit.clear();
      await this.run(settings);
    }
    this.options.onChange(null, true);
  }

  private async stop(): Promise<void> {
    clearInterval(this.timer);
    this.override.stop();
    await this.running?.engine.stop();
  }

  private roleChanged(): void {
    const role = this.sets?.role() ?? null;
    if (role !== null && role.decider !== this.decider) {
      this.decider = role.decider;
      if (role.decider === null) {
        this.log('error', 'no vantage point decides: the last decided sets are answered', 'vantage.decider_lost');
      } else {
        const text = `${role.decider} decides${role.isOurs ? ', which is this server' : ''}`;
        this.log('info', text, { event: 'vantage.decider_changed', vantage: role.decider });
      }
    }
    this.options.onChange(null, true);
  }

  private faults(): readonly string[] {
    if (this.running === null) return [];
    const role = this.sets?.role() ?? null;
    const nobody = role !== null && role.decider === null;
    return [
      ...this.override.faults(),
      ...this.running.engine.faults(),
      ...(nobody ? ['no vantage point decides: the last decided sets are answered'] : []),
    ];
  }

  /** Clocks decide nothing, and one that is wrong is worth a line. */
  private look(): void {
    const warnings = clockWarnings(this.running?.engine.vantages() ?? []);
    const key = ({ vantage, isAhead }: ClockWarning): string => `${vantage} ${isAhead}`; // the seconds drift
    for (const warning of warnings) {
      const { vantage, text } = warning;
      if (!this.skewed.has(key(warning))) this.options.log('warn', text, { event: 'vantage.clock_wrong', vantage });
    }
    this.skewed = new Set(warnings.map(key));
  }

  private warn(faults: readonly Fault[]): void {
    logFaults(this.options.log, faults);
  }
}
