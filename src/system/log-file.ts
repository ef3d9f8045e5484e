import { closeSync, fstatSync, writeSync } from 'node:fs';
import { errorText, systemCode } from './error-text.ts';
import { ioProblem } from './io-problem.ts';
import { openForAppend } from './open-append.ts';
import { fileError } from './read-file.ts';

/** Octets of log lines that wait for room on a full disk; later ones are dropped. */
const HELD_MAX = 1 << 20;
const STANDARD_ERROR = 2;

/**
 * A log file that is held open. Writing never throws and never waits: what finds no room (a full disk, a pipe whose
 * reader is slow) is held, up to a bound, and goes out with a later line.
 */
export class LogFile {
  private readonly file: string;
  private fd: number;
  private held: Buffer[] = [];
  private heldOctets = 0;
  private problem: string | null = null;

  private constructor(file: string, fd: number) {
    this.file = file;
    this.fd = fd;
  }

  /** Makes the file and its folder where they are missing. Throws the system's error. */
  static open(file: string): LogFile {
    return new LogFile(file, openLogFile(file, true));
  }

  /** Where the file cannot be opened: writes to standard error until `reopen` can, and says why. */
  static openOrStandardError(file: string): { readonly log: LogFile; readonly fault: string | null } {
    try {
      return { log: LogFile.open(file), fault: null };
    } catch (error) {
      return { log: new LogFile(file, STANDARD_ERROR), fault: errorText(error) };
    }
  }

  /** Whether it stands in for the file, which could not be opened. */
  get isStandardError(): boolean {
    return this.fd === STANDARD_ERROR;
  }

  /** Why the newest lines are not in the file: its name and a phrase; null: they are, or a reader is slow. */
  writeFault(): string | null {
    this.flush(); // there may be room again, and the next line far off
    return this.problem === null || this.isStandardError ? null : `${this.file}: ${this.problem}`;
  }

  write(text: string): void {
    this.flush();
    const octets = Buffer.from(text);
    if (this.heldOctets + octets.length > HELD_MAX) return;
    this.held.push(octets);
    this.heldOctets += octets.length;
    this.flush();
  }

  /**
   * For log rotation: another file may have the name by now. Throws the system's error; the old file, or standard
   * error, then stays in use.
   */
  reopen(): void {
    const fd = openLogFile(this.file, this.isStandardError);
    if (this.isStandardError) {
      this.fd = fd;
      return;
    }
    const now = fstatSync(fd);
    const before = fstatSync(this.fd);
    if (now.ino === before.ino && now.dev === before.dev) {
      closeSync(fd);
      return;
    }
    this.flush();
    closeSync(this.fd);
    this.fd = fd;
  }

  private flush(): void {
    while (this.held.length > 0) {
      const [octets] = this.held;
      let count: number;
      try {
        count = writeSync(this.fd, octets);
      } catch (error) {
        // A full disk must cost log lines only.
        this.problem = systemCode(error) === 'EAGAIN' ? null : ioProblem(error);
        return;
      }
      this.problem = null;
      this.heldOctets -= count;
      if (count === octets.length) this.held.shift();
      else this.held[0] = octets.subarray(count);
    }
  }
}

function openLogFile(file: string, folder: boolean): number {
  const opened = openForAppend(file, { folder });
  if (!opened.ok) throw fileError(file, opened);
  return opened.fd;
}
