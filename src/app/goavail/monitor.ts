/** `goavail monitor`: asks every address each interval, judges, and hands on what should be published. */
import type { Goavail } from '../../config/goavail-file.ts';
import type { Prober } from '../../health/checks/prober.ts';
import type { ProbePlan } from '../../health/checks/protocol.ts';
import type { Sample } from '../../health/checks/sample.ts';
import type { RoundLog } from '../../health/pools/round-log.ts';
import { errorText } from '../../system/error-text.ts';
import type { Guard } from '../../system/guard.ts';
import { type AddressState, wantedAddresses, withAddresses, withResult } from './results.ts';

/** One step towards what should be published. */
export type Correction = { readonly action: 'add' | 'remove'; readonly address: string };

/** A settled configuration: the file, and what each address is asked. */
export type MonitorSettings = { readonly goavail: Goavail; readonly plan: ProbePlan };

export type MonitorOptions = {
  readonly settings: MonitorSettings;
  readonly prober: Pick<Prober, 'round' | 'cancel'>;
  readonly guard: Guard;
  readonly log: RoundLog;
  /** Carries one correction out. False or rejected: it is asked for again with the next result. */
  readonly correct: (correction: Correction, goavail: Goavail) => Promise<boolean>;
};

/** Failures of our own machine, which say nothing of an address. */
const OWN_TROUBLE: ReadonlySet<string> = new Set(['forbidden', 'other']);

/**
 * Addresses are asked each for itself, so that one that hangs delays no other. What is published is compared with what
 * should be after every result, so that a correction that failed is made later.
 */
export class GoavailMonitor {
  private readonly options: MonitorOptions;
  private settings: MonitorSettings;
  private states: ReadonlyMap<string, AddressState>;
  private readonly published: Set<string>;
  private readonly timers = new Map<string, NodeJS.Timeout>();
  private readonly troubled = new Set<string>();
  private keptLast: string | null = null;
  private correcting: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(options: MonitorOptions) {
    this.options = options;
    this.settings = options.settings;
    const { addresses } = options.settings.goavail.provider;
    this.states = withAddresses(new Map(), addresses);
    this.published = new Set(addresses);
  }

  /** Each address, whether it counts as up. */
  get up(): ReadonlyMap<string, boolean> {
    return new Map([...this.states].map(([address, { up }]) => [address, up]));
  }

  /** What is published, as far as this process has carried it out. */
  get live(): readonly string[] {
    return [...this.published];
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
    for (const address of known.keys()) {
      if (this.states.has(address)) continue;
      clearTimeout(this.timers.get(address));
      this.timers.delete(address);
      this.troubled.delete(address);
      // No longer ours: it is neither kept nor taken out.
      this.published.delete(address);
    }
    for (const address of this.states.keys()) {
      if (known.has(address)) continue;
      this.published.add(address); // as at the start
      this.schedule(address, 0);
    }
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
    await this.correct();
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
      if (!this.stopped) log('warn', `${address} was not checked: ${errorText(error)}`);
    }
    return null;
  }

  /** Said once, until the address can be checked again. */
  private trouble(address: string, why: string): void {
    const text = `${address} could not be checked, so its state stays: ${why}`;
    if (!this.troubled.has(address)) this.options.log('error', text);
    this.troubled.add(address);
  }

  private report(address: string, was: AddressState, state: AddressState, { fail, seconds }: Sample): void {
    const { log } = this.options;
    const { threshold } = this.settings.goavail;
    const found =
      fail === null ? `passed in ${(seconds * 1000).toFixed(1)} ms` : `failed (${fail.reason}: ${fail.detail})`;
    const towards = state.against === 0 ? '' : `, ${state.against} of ${threshold} towards ${state.up ? 'down' : 'up'}`;
    log('debug', `${address} ${found}${towards}`);
    if (was.up === state.up) return;
    const row = threshold === 1 ? '' : `, result ${threshold} of that kind in a row`;
    log(state.up ? 'info' : 'warn', `${address} is ${state.up ? 'up' : 'down'}: ${found}${row}`);
  }

  /** One after the other, each from the newest state. */
  private correct(): Promise<void> {
    const next = this.correcting.then(() => this.correctNow());
    this.correcting = next.catch(() => undefined);
    return next;
  }

  private async correctNow(): Promise<void> {
    if (this.stopped) return;
    const { goavail } = this.settings;
    const wanted = wantedAddresses(this.states, this.published);
    const corrections: Correction[] = [
      // What comes is added before anything goes.
      ...[...wanted].filter((one) => !this.published.has(one)).map((address) => ({ action: 'add' as const, address })),
      ...[...this.published]
        .filter((one) => !wanted.has(one))
        .map((address) => ({ action: 'remove' as const, address })),
    ];
    let allAdded = true;
    for (const correction of corrections) {
      // Nothing goes while what takes its place is missing.
      if (correction.action === 'remove' && !allAdded) break;
      if (await this.carryOut(correction, goavail)) continue;
      if (correction.action === 'add') allAdded = false;
    }
    this.noteLast();
  }

  /** Whether it is done; what is not is asked for again with the next result. */
  private async carryOut(correction: Correction, goavail: Goavail): Promise<boolean> {
    const { action, address } = correction;
    try {
      if (!(await this.options.correct(correction, goavail))) return false;
    } catch (error) {
      this.options.log('error', `cannot ${action} ${address}, so it is tried again: ${errorText(error)}`);
      return false;
    }
    if (action === 'add') this.published.add(address);
    else this.published.delete(address);
    return true;
  }

  /** Says once that the last address is down and stays all the same. */
  private noteLast(): void {
    const [address] = this.published;
    const isKept = this.published.size === 1 && this.states.get(address)?.up === false;
    if (isKept && this.keptLast !== address) {
      this.options.log('error', `${address} is down, but stays published: it is the last address`);
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
