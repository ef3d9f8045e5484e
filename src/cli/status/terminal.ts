/** A terminal that shows one full screen and is given back as it was, however the program ends. */
import { writeSync } from 'node:fs';
import type { Size } from './screen.ts';

// The alternate screen, no cursor, no automatic line break: xterm's control sequences, which others have, too.
const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[2J';
const LEAVE = '\u001b[?7h\u001b[?25h\u001b[?1049l';

/** Without `TIOCGWINSZ`, as on a serial line. */
const USUAL_SIZE: Size = { rows: 24, columns: 80 };

export type TerminalEvents = {
  readonly keys: (text: string) => void;
  readonly resized: () => void;
  /** A signal that ends the program; the terminal is given back by then. */
  readonly ended: (signal: NodeJS.Signals) => void;
};

const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export class Terminal {
  private readonly events: TerminalEvents;
  private isOpen = false;
  private readonly giveBack = (): void => this.leave();
  private readonly onResize = (): void => this.events.resized();
  private readonly onContinue = (): void => this.continued();
  private readonly onKeys = (text: string): void => this.events.keys(text);
  private readonly onSignal = (signal: NodeJS.Signals): void => {
    this.close();
    this.events.ended(signal);
  };

  constructor(events: TerminalEvents) {
    this.events = events;
  }

  get size(): Size {
    const { rows, columns } = process.stdout;
    return rows > 0 && columns > 0 ? { rows, columns } : USUAL_SIZE;
  }

  open(): void {
    for (const signal of ENDING) process.on(signal, this.onSignal);
    process.on('SIGCONT', this.onContinue);
    process.on('exit', this.giveBack);
    // Before the trace is printed, which would vanish with the alternate screen.
    process.on('uncaughtExceptionMonitor', this.giveBack);
    process.stdout.on('resize', this.onResize);
    process.stdin.setEncoding('utf8').on('data', this.onKeys);
    this.enter();
  }

  /** Nothing on a terminal that has not taken the last frame yet. */
  draw(text: string): void {
    if (this.isOpen && !process.stdout.writableNeedDrain) process.stdout.write(text);
  }

  /** Ctrl-Z: the shell gets its terminal, and `fg` comes back here. */
  suspend(): void {
    this.leave();
    process.kill(process.pid, 'SIGTSTP');
  }

  close(): void {
    this.leave();
    for (const signal of ENDING) process.off(signal, this.onSignal);
    process.off('SIGCONT', this.onContinue);
    process.off('exit', this.giveBack);
    process.off('uncaughtExceptionMonitor', this.giveBack);
    process.stdout.off('resize', this.onResize);
    process.stdin.off('data', this.onKeys).pause();
  }

  private continued(): void {
    if (!this.isOpen) this.enter();
    this.events.resized();
  }

  private enter(): void {
    this.isOpen = true;
    if (process.stdin.isTTY) process.stdin.setRawMode(true);
    process.stdout.write(ENTER);
  }

  private leave(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    try {
      if (process.stdin.isTTY) process.stdin.setRawMode(false);
      writeSync(1, LEAVE); // now: there may be no next turn of the event loop
    } catch {
      // The terminal is gone.
    }
  }
}
