import type { Fault } from '../../system/fault.ts';
import type { Problem, TextProblemCode } from '../text/problem.ts';
import type { Position } from '../text/tokens.ts';

/**
 * Everything that can be wrong in a master file, as the scanner sees it. Checks on a loaded zone have codes of their
 * own.
 */
export type ZoneFaultCode =
  | TextProblemCode
  | 'bad-class'
  | 'bad-directive'
  | 'bad-ttl'
  | 'extra-text'
  | 'generate-range'
  | 'generate-template'
  | 'include-cycle'
  | 'include-depth'
  | 'include-outside'
  | 'include-unreadable'
  | 'meta-type'
  | 'no-owner'
  | 'no-ttl'
  | 'obsolete-type'
  | 'owner-inherited'
  | 'too-large'
  | 'too-many-faults'
  | 'too-many-generated'
  | 'ttl-inherited'
  | 'ttl-over-maximum';

export type ZoneFault = Fault<ZoneFaultCode>;

/** What is wrong with an entry, without its position. */
export type ZoneProblem = Problem<ZoneFaultCode>;

const FAULTS_MAX = 100; // of each severity
const TEXT_MAX = 400; // characters of a source line worth showing

/** Collects the faults of one reading in the order found; those over the limit are only counted. */
export class FaultLog {
  private readonly kept: ZoneFault[] = [];
  private errors = 0;
  private warnings = 0;

  /** `position` is called only for faults that are kept, since finding a column means decoding the line. */
  add(severity: 'error' | 'warning', { code, message }: ZoneProblem, file: string, position: () => Position): void {
    const found = severity === 'error' ? ++this.errors : ++this.warnings;
    if (found > FAULTS_MAX) return;
    const { line, col, text } = position();
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
