import { type Fault, formatFault } from '../../system/fault.ts';
import { faultLevel } from './faults.ts';
import type { LogLine, RoundLog } from './round-log.ts';

/**
 * The log of what may go on over many decisions: a line is written when it begins or changes, and again only where it
 * `repeats`, as with each full turn. That the last trouble is over is a line, too.
 */
export class StandingLog {
  private readonly log: RoundLog;
  private readonly before = new Map<string, readonly LogLine[]>();

  constructor(log: RoundLog) {
    this.log = log;
  }

  /** All that goes on of a topic now. Lines that do not go on are always written. */
  lines(topic: string, lines: readonly LogLine[], repeats: boolean): void {
    const before = this.before.get(topic) ?? [];
    const known = new Set(before.map(({ text }) => text));
    for (const { level, text, goesOn } of lines) if (repeats || !goesOn || !known.has(text)) this.log(level, text);
    const goingOn = lines.filter(({ goesOn }) => goesOn);
    this.before.set(topic, goingOn);
    const over = before.filter(isTrouble);
    if (over.length > 0 && !goingOn.some(isTrouble))
      this.log('info', `over: ${over.map(({ text }) => text.split('\n')[0]).join('; ')}`);
  }

  faults(topic: string, faults: readonly Fault[], repeats: boolean): void {
    const lines = faults.map(
      (fault): LogLine => ({ level: faultLevel(fault), text: formatFault(fault), goesOn: true }),
    );
    this.lines(topic, lines, repeats);
  }
}

function isTrouble({ level }: LogLine): boolean {
  return level === 'warn' || level === 'error';
}
