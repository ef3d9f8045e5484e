import { type Fault, plainFault } from '../../system/fault.ts';
import type { Correction, HeldSet, ProviderProblem } from './provider.ts';
import type { ForeignChange, SetRules } from './sets.ts';

export const TARGET_STATES = [
  /** Nothing was read yet. */
  'unknown',
  /** Every set was right when it was last read. */
  'right',
  /** Sets differ and stay so: a dry run, or it is another node's to write. */
  'differs',
  /** `owner: no`: somebody else changed a set, and it stays so. */
  'foreign',
  /** What is to be done could not be. */
  'failing',
] as const;

export type TargetState = (typeof TARGET_STATES)[number];

/** A target as operators see it. Times are epoch seconds. */
export type TargetStatus = {
  readonly name: string;
  readonly kind: string;
  readonly network: string;
  readonly names: readonly string[];
  readonly state: TargetState;
  readonly since: number;
  /** When everything was last found right; null: never yet. */
  readonly lastRight: number | null;
  /** What went wrong last, of a state that is not right; null: nothing. */
  readonly problem: { readonly kind: ProviderProblem | 'differs' | 'foreign' | 'fence'; readonly text: string } | null;
  readonly failures: number;
  readonly corrections: number;
  readonly foreignChanges: number;
  /** The sets as they were last read. */
  readonly held: readonly Pick<HeldSet, 'name' | 'type' | 'ttl' | 'addresses' | 'extra'>[];
};

/** What could not be done. */
export type Wrong = { readonly kind: ProviderProblem; readonly text: string };

export type TargetLog = (level: 'info' | 'warn', text: string) => void;

type TargetReportSpec = Pick<SetRules, 'names' | 'owner'> & { readonly name: string; readonly network: string };

type TargetReportOptions = {
  /** The provider's. */
  readonly kind: string;
  readonly log: TargetLog;
  /** The status changed. */
  readonly onState?: ((status: TargetStatus) => void) | undefined;
  /** Epoch seconds. */
  readonly now: () => number;
};

/** What is told of a target: its status, and log lines of what is not said again until it changes. */
export class TargetReport {
  private readonly spec: TargetReportSpec;
  private readonly options: TargetReportOptions;
  private current: TargetStatus;
  private said = '';

  constructor(spec: TargetReportSpec, options: TargetReportOptions) {
    this.spec = spec;
    this.options = options;
    this.current = {
      name: spec.name,
      kind: options.kind,
      network: spec.network,
      names: spec.names,
      state: 'unknown',
      since: options.now(),
      lastRight: null,
      problem: null,
      failures: 0,
      corrections: 0,
      foreignChanges: 0,
      held: [],
    };
  }

  get status(): TargetStatus {
    return this.current;
  }

  /** When all was right before a restart. */
  restore(lastRight: number | null): void {
    this.current = { ...this.current, lastRight };
  }

  /** The sets of these names as they were just read. */
  read(names: readonly string[], held: readonly HeldSet[]): void {
    const shown = held.map(({ name, type, ttl, addresses, extra }) => ({ name, type, ttl, addresses, extra }));
    const others = this.current.held.filter(({ name }) => !names.includes(name));
    this.current = { ...this.current, held: [...others, ...shown] };
  }

  /** Corrections that were written. */
  corrected(done: readonly Correction[]): void {
    for (const { text } of done) this.options.log('info', `${this.spec.name}: ${text}`);
    this.current = { ...this.current, corrections: this.current.corrections + done.length };
  }

  right(): void {
    this.said = '';
    this.current = { ...this.current, lastRight: this.options.now() };
    this.set('right', null);
  }

  /** Sets that somebody else changed. */
  noteForeign(foreign: readonly ForeignChange[]): void {
    if (foreign.length === 0) return;
    const text = foreign.map((one) => one.text).join('; ');
    if (this.said === text) return;
    this.said = text;
    this.current = { ...this.current, foreignChanges: this.current.foreignChanges + foreign.length };
    const then = this.spec.owner ? 'it is set right' : 'it stays so (owner: no)';
    this.options.log('warn', `${this.spec.name}: ${text}; ${then}`);
  }

  /** What a dry run leaves undone. */
  wouldDo(corrections: readonly Correction[]): void {
    const text = sentenceOf(corrections);
    if (this.said !== text) {
      for (const one of corrections) this.options.log('info', `${this.spec.name}: would do: ${one.text}`);
    }
    this.said = text;
    this.set('differs', { kind: 'differs', text });
  }

  failed({ kind, text }: Wrong): Fault {
    this.current = { ...this.current, failures: this.current.failures + 1 };
    this.set('failing', { kind, text });
    return plainFault(`provider-${kind}`, text);
  }

  set(state: TargetState, problem: TargetStatus['problem']): void {
    const was = this.current;
    const isNew = state !== was.state || problem?.text !== was.problem?.text;
    this.current = { ...was, state, since: state === was.state ? was.since : this.options.now(), problem };
    if (isNew) this.options.onState?.(this.current);
  }
}

/** One sentence of several corrections. */
export function sentenceOf(corrections: readonly Correction[]): string {
  return corrections.map(({ text }) => text).join('; ');
}
