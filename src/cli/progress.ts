/**
 * A line on standard error that shows how far long work is, where a person looks. Our own few lines: the libraries for
 * it draw from a timer, which work that keeps the event loop to itself never lets run.
 */
import { writeSync } from 'node:fs';
import { duration } from './duration-text.ts';

export type Progress = {
  /** So much is done; costs a look at the clock. `of` unless it is the one from the beginning. */
  readonly at: (done: number, of?: number) => void;
  /** Takes the line away: before other output, and at the end. It comes back with the next `at`. */
  readonly clear: () => void;
};

export type ProgressTerminal = {
  readonly columns: number;
  readonly write: (text: string) => void;
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
};

/** At most ten a second. */
const EVERY_MS = 100;
/** Work that is over by then is not worth a line. */
const FIRST_MS = 300;
/** A rest is foretold from here on, not from the first few. */
const FORETOLD_MS = 1000;

/** Of work that is to be quiet. */
export const NO_PROGRESS: Progress = { at: () => undefined, clear: () => undefined };

/** `what`: `zones read`. `terminal` null: nobody looks. */
export function progress(what: string, total: number, terminal: ProgressTerminal | null = ourTerminal()): Progress {
  if (terminal === null) return NO_PROGRESS;
  const { columns, write, now } = terminal;
  const beganMs = now();
  let nextMs = beganMs + FIRST_MS;
  let isShown = false;
  return {
    at: (done, of = total) => {
      const ms = now();
      if (ms < nextMs) return;
      nextMs = ms + EVERY_MS;
      isShown = true;
      write(`\r${progressText(what, done, of, ms - beganMs).slice(0, Math.max(0, columns - 1))}\u001b[K`);
    },
    clear: () => {
      if (isShown) write('\r\u001b[K');
      isShown = false;
    },
  };
}

/** `2,500 of 10,000 zones read, 25 %, 4 s left`. */
export function progressText(what: string, done: number, of: number, elapsedMs: number): string {
  const share = of === 0 ? 1 : Math.min(1, done / of);
  const count = `${grouped(done)} of ${grouped(of)} ${what}, ${Math.floor(share * 100)} %`;
  if (share === 0 || elapsedMs < FORETOLD_MS) return count;
  return `${count}, ${duration(Math.round((elapsedMs / share - elapsedMs) / 1000))} left`;
}

function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Null: standard error is a pipe or a file, a terminal that cannot rewrite a line, or the log of a CI job. */
function ourTerminal(): ProgressTerminal | null {
  const { TERM, CI = '' } = process.env;
  if (!process.stderr.isTTY || TERM === 'dumb' || (CI !== '' && CI !== 'false')) return null;
  return {
    columns: process.stderr.columns > 0 ? process.stderr.columns : 80,
    // Not through the stream, which work that keeps the event loop to itself would not let write.
    write: (text) => {
      try {
        writeSync(2, text);
      } catch {
        // A terminal that is gone, or that takes nothing now, misses an update.
      }
    },
    now: () => performance.now(),
  };
}
