/** `goavail monitor`: asks every address each interval, judges, and hands on what should be published. */
import type { Goavail } from '../../config/goavail-file.ts';
import { FRESH_INTERVALS } from '../../health/agreement/view.ts';
import type { Prober } from '../../health/checks/prober.ts';
import type { ProbePlan } from '../../health/checks/protocol.ts';
import { type Sample, takenSeconds } from '../../health/checks/sample.ts';
import { agreementText } from '../../health/judge/agreement.ts';
import { errorText } from '../../system/error-text.ts';
import type { Guard } from '../../system/guard.ts';
import type { Log } from '../../system/log-events.ts';
import { type GoavailPeers, type OwnView, ruleOf } from './peers.ts';
import type { Wanted } from './publisher.ts';
import { type AddressState, wantedAddresses, withAddresses, withResult } from './results.ts';
import { type Standing, standing } from './standing.ts';

/** A settled configuration: the file, and what each address is asked. */
export type MonitorSettings = { readonly goavail: Goavail; readonly plan: ProbePlan };

export type MonitorOptions = {
  readonly settings: MonitorSettings;
  readonly prober: Pick<Prober, 'round' | 'cancel'>;
  readonly guard: Guard;
  readonly log: Log;
  /** Takes what should be published, with every result; it must not wait. */
  readonly publish: (wanted: Wanted) => void;
  /** Null: nobody has a view besides us. */
  readonly peers?: Pick<GoavailPeers, 'of' | 'show'> | null;
};

/** Failures of our own machine, which say nothing of an address. */
const OWN_TROUBLE: ReadonlySet<string> = new Set(['forbidden', 'other']);

/** Seconds that a check takes at most, besides the interval. */
const CHECK_SECONDS = 10;

/** Addresses are asked each for itself, so that one that hangs delays no other, and neither does publishing. */
export class GoavailMonitor {
  private readonly options: MonitorOptions;
  private settings: MonitorSettings;
  private states: ReadonlyMap<string, AddressState>;
  private wanted: ReadonlySet<string>;
  /** Addresses that have passed, or are down: before that, what is published of them stays as it is. */
  private readonly shown = new Set<string>();
  private readonly timers = new Map<string, NodeJS.Timeout>();
  private readonly troubled = new Set<string>();
  /** What is believed of each address: our own view, once enough peers agree. */
  private believed: ReadonlyMap<string, boolean>;
  /** When each address last had a result, by the monotonic clock. */
  private readonly resultMs = new Map<string, number>();
  /** Addresses of which peers do not agree, with what was said of it. */
  private readonly waiting = new Map<string, string>();
  private keptLast: string | null = null;
  private stopped = false;

  constructor(options: MonitorOptions) {
    this.options = options;
    this.settings = options.settings;
    const { addresses } = options.settings.goavail.provider;
    this.states = withAddresses(new Map(), addresses);
    this.wanted = new Set(addresses);
    this.believed = new Map(addresses.map((address) => [address, true]));
  }

  /** Each address, whether it counts as up. */
  get up(): ReadonlyMap<string, boolean> {
    return new Map([...this.states].map(([address, { up }]) => [address, up]));
  }

  /** The same for peers: null where there is no result of late. */
  get view(): OwnView {
    const maxMs = 1000 * (FRESH_INTERVALS * this.settings.goavail.intervalSeconds + CHECK_SECONDS);
    const oldest = performance.now() - maxMs;
    return new Map(
      [...this.states].map(([address, { up }]) => {
        const isRecent = (this.resultMs.get(address) ?? Number.NEGATIVE_INFINITY) >= oldest;
        return [address, isRecent ? up : null];
      }),
    );
  }

  /** A peer sees something else than before. */
  peersChanged(): void {
    if (!this.stopped) this.publish();
  }

  /** What should be published. */
  get live(): readonly string[] {
    return [...this.wanted];
  }

  /** Asks every address now, and again each interval. */
  start(): void {
    for (const address of this.states.keys()) this.schedule(address, 0);
  }

  /** Takes new settings over; addresses that stay keep their state and their results in a row. */
  reload(settings: MonitorSettings): void {
    const known = this.states;
    this.settings = settings;
    this.states = withAddresses(known, settings.goavail.provider.addresses);
    const wanted = new Set(this.wanted);
    for (const address of known.keys()) {
      if (this.states.has(address)) continue;
      clearTimeout(this.timers.get(address));
      this.timers.delete(address);
      this.troubled.delete(address);
      // No longer ours: it is neither kept nor taken out.
      wanted.delete(address);
      this.shown.delete(address);
      this.resultMs.delete(address);
    }
    for (const address of this.states.keys()) {
      if (known.has(address)) continue;
      wanted.add(address); // as at the start
      this.schedule(address, 0);
    }
    this.wanted = wanted;
    this.options.peers?.show();
    this.publish();
  }

  /** Nothing is asked any more. */
  stop(): void {
    this.stopped = true;
    for (const [address, timer] of this.timers) {
      clearTimeout(timer);
      this.options.prober.cancel(address);
    }
    this.timers.clear();
  }

  /** Asks one address once and acts on the result. Never rejects for what an address does. */
  async check(address: string): Promise<void> {
    const sample = await this.sampleOf(address);
    const was = this.states.get(address);
    // Reloaded away meanwhile, or no result.
    if (this.stopped || was === undefined || sample === null) return;
    const { threshold } = this.settings.goavail;
    const state = withResult(was, sample.fail === null, threshold);
    this.states = new Map(this.states).set(address, state);
    this.report(address, was, state, sample);
    if (sample.fail === null || !state.up) this.shown.add(address);
    this.resultMs.set(address, performance.now());
    if (was.up !== state.up) this.options.peers?.show(); // at once, not with the next interval
    this.publish();
  }

  private async sampleOf(address: string): Promise<Sample | null> {
    const { prober, log } = this.options;
    const { plan } = this.settings;
    try {
      const request = {
        network: address,
        plan,
        targets: [{ name: address, canary: false }],
        spread: 0,
        canaryKiller: 0,
      };
      const { samples, unknown } = await prober.round(request);
      const sample = samples.get(address) ?? null;
      if (sample?.fail == null || !OWN_TROUBLE.has(sample.fail.reason)) {
        if (sample !== null) this.troubled.delete(address);
        for (const { why } of unknown) this.trouble(address, why);
        return sample;
      }
      this.trouble(address, sample.fail.detail);
    } catch (error) {
      if (!this.stopped) {
        const text = `${address} was not checked: ${errorText(error)}`;
        log('warn', text, { event: 'goavail.check_failed', address });
      }
    }
    return null;
  }

  /** Said once, until the address can be checked again. */
  private trouble(address: string, why: string): void {
    const text = `${address} could not be checked, so its state stays: ${why}`;
    if (!this.troubled.has(address)) {
      this.options.log('error', text, { event: 'goavail.check_failed', address });
    }
    this.troubled.add(address);
  }

  private report(address: string, was: AddressState, state: AddressState, sample: Sample): void {
    const { fail, seconds } = sample;
    const { log } = this.options;
    const { threshold } = this.settings.goavail;
    const found =
      fail === null ? `passed in ${(seconds * 1000).toFixed(1)} ms` : `failed (${fail.reason}: ${fail.detail})`;
    const towards = state.against === 0 ? '' : `, ${state.against} of ${threshold} towards ${state.up ? 'down' : 'up'}`;
    const result = { duration_seconds: takenSeconds(sample), ...(fail === null ? {} : { reason: fail.reason }) };
    log('debug', `${address} ${found}${towards}`, { event: 'goavail.checked', address, ...result });
    if (was.up === state.up) return;
    const row = threshold === 1 ? '' : `, result ${threshold} of that kind in a row`;
    const text = `${address} is ${state.up ? 'up' : 'down'}: ${found}${row}`;
    log(state.up ? 'info' : 'warn', text, { event: 'goavail.state_changed', address });
  }

  private publish(): void {
    const standings = this.standings();
    this.believed = new Map([...this.states.keys()].map((address) => [address, standings.get(address)?.up ?? true]));
    const states = new Map([...this.believed].map(([address, up]) => [address, { up, against: 0 }]));
    this.wanted = wantedAddresses(states, this.wanted);
    this.noteWaiting(standings);
    this.noteLast();
    const { goavail } = this.settings;
    const shown = [...this.shown].filter((address) => standings.get(address)?.isAgreed !== false);
    this.options.publish({ goavail, addresses: this.wanted, shown: new Set(shown) });
  }

  private standings(): ReadonlyMap<string, Standing> {
    const { peers } = this.options;
    const rule = ruleOf(this.settings.goavail);
    return new Map(
      [...this.states].map(([address, { up }]): [string, Standing] => {
        if (rule === null) return [address, { up, isAgreed: true, agreement: null }];
        return [address, standing(this.believed.get(address) ?? true, up, peers?.of(address) ?? [], rule)];
      }),
    );
  }

  /** Says of each change once that peers do not agree, and when it is over. */
  private noteWaiting(standings: ReadonlyMap<string, Standing>): void {
    for (const address of this.waiting.keys()) if (!this.states.has(address)) this.waiting.delete(address);
    for (const [address, { up: own }] of this.states) {
      const { up, agreement } = standings.get(address) ?? { up: own, agreement: null };
      if (up === own || agreement === null) {
        this.waiting.delete(address);
        continue;
      }
      const change = own ? 'up' : 'down';
      if (this.waiting.get(address) === change) continue;
      this.waiting.set(address, change);
      const text = `${address} is ${change} here, and what is published stays until peers agree: ${agreementText(agreement)}`;
      this.options.log('info', text, { event: 'goavail.waiting', address });
    }
  }

  /** Says once that the last address is down and stays all the same. */
  private noteLast(): void {
    const [address = ''] = this.wanted;
    const isKept = this.wanted.size === 1 && this.believed.get(address) === false;
    if (isKept && this.keptLast !== address) {
      const text = `${address} is down, but stays published: it is the last address`;
      this.options.log('error', text, { event: 'goavail.last_kept', address });
    }
    this.keptLast = isKept ? address : null;
  }

  private schedule(address: string, delayMs: number): void {
    if (this.stopped || !this.states.has(address)) return;
    const { guard } = this.options;
    clearTimeout(this.timers.get(address));
    const timer = setTimeout(
      guard.protect('goavail', () => guard.run('goavail', this.turn(address))),
      delayMs,
    );
    this.timers.set(address, timer);
  }

  private async turn(address: string): Promise<void> {
    const started = performance.now();
    try {
      await this.check(address);
    } finally {
      const left = this.settings.goavail.intervalSeconds * 1000 - (performance.now() - started);
      this.schedule(address, Math.max(0, left));
    }
  }
}
