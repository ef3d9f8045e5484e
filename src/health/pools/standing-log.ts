import { type Fault, formatFault } from '../../system/fault.ts';
import type { Log } from '../../system/log-events.ts';
import { faultLevel, stateFault } from './faults.ts';
import { type LogLine, logLine } from './round-log.ts';

/**
 * The log of what may go on over many decisions: a line is written when it begins or changes, and again only where it
 * `repeats`, as with each full turn. That the last trouble is over is a line, too.
 */
export class StandingLog {
  private readonly log: Log;
  private readonly before = new Map<string, readonly LogLine[]>();

  constructor(log: Log) {
    this.log = log;
  }

  /** All that goes on of a topic now. Lines that do not go on are always written. */
  lines(topic: string, lines: readonly LogLine[], repeats: boolean): void {
    const before = this.before.get(topic) ?? [];
    const known = new Set(before.map(({ text }) => text));
    for (const line of lines) if (repeats || !line.goesOn || !known.has(line.text)) logLine(this.log, line);
    const goingOn = lines.filter(({ goesOn }) => goesOn);
    this.before.set(topic, goingOn);
    const over = before.filter(isTrouble);
    if (over.length > 0 && !goingOn.some(isTrouble))
      this.log('info', `over: ${over.map(({ text }) => text.split('\n')[0]).join('; ')}`, 'round.recovered');
  }

  faults(topic: string, faults: readonly Fault[], repeats: boolean): void {
    const lines = faults.map(
      (fault): LogLine => ({
        level: faultLevel(fault),
        text: formatFault(fault),
        event: stateFault(fault),
        goesOn: true,
      }),
    );
    this.lines(topic, lines, repeats);
  }
}

function isTrouble({ level }: LogLine): boolean {
  return level === 'warn' || level === 'error';
}
