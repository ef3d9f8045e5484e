import type { Fault } from '../../system/fault.ts';
import type { Place } from './tokens.ts';

/** Everything that can be wrong in a master file, as the reader sees it. Checks on a loaded zone have codes of their own. */
export type ZoneFaultCode =
  | 'bad-address'
  | 'bad-base64'
  | 'bad-class'
  | 'bad-directive'
  | 'bad-encoding'
  | 'bad-escape'
  | 'bad-hex'
  | 'bad-name'
  | 'bad-number'
  | 'bad-rdata'
  | 'bad-time'
  | 'bad-ttl'
  | 'bad-word'
  | 'extra-text'
  | 'generate-range'
  | 'generate-template'
  | 'include-cycle'
  | 'include-depth'
  | 'include-outside'
  | 'include-unreadable'
  | 'meta-type'
  | 'missing-text'
  | 'no-owner'
  | 'no-ttl'
  | 'obsolete-type'
  | 'owner-inherited'
  | 'rdata-too-long'
  | 'string-too-long'
  | 'too-many-faults'
  | 'ttl-inherited'
  | 'ttl-over-maximum'
  | 'too-many-generated'
  | 'too-large'
  | 'unbalanced-parenthesis'
  | 'unknown-type'
  | 'unterminated-quote';

export type ZoneFault = Fault<ZoneFaultCode>;

/** What is wrong with the token just read; the reader adds the place. Made only when something is wrong. */
export type Problem = { readonly code: ZoneFaultCode; readonly message: string };

export function problem(code: ZoneFaultCode, message: string): Problem {
  return { code, message };
}

const FAULTS_MAX = 100; // of each severity
const TEXT_MAX = 400; // characters of a source line worth showing

/** Collects the faults of one reading, in the order found; those over the limit are counted, not kept. */
export class FaultLog {
  private readonly kept: ZoneFault[] = [];
  private errors = 0;
  private warnings = 0;

  /** `place` is asked only when the fault is kept: working out a place costs a look at its line. */
  add(severity: 'error' | 'warning', { code, message }: Problem, file: string, place: () => Place): void {
    const found = severity === 'error' ? ++this.errors : ++this.warnings;
    if (found > FAULTS_MAX) return;
    const { line, col, text } = place();
    const at = { file, line, col, text: col > TEXT_MAX ? '' : text.slice(0, TEXT_MAX) };
    this.kept.push({ severity, code, at, message });
  }

  /** All faults, with a last one that counts what was left out. */
  list(): ZoneFault[] {
    const more = (count: number, severity: 'error' | 'warning'): ZoneFault[] =>
      count <= FAULTS_MAX
        ? []
        : [{ severity, code: 'too-many-faults', at: null, message: `and ${count - FAULTS_MAX} more ${severity}s` }];
    return [...this.kept, ...more(this.errors, 'error'), ...more(this.warnings, 'warning')];
  }
}
