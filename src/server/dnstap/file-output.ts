import { closeSync, ftruncateSync, lstatSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import type { DnstapOutput } from '../../config/section-dnstap.ts';
import { ioProblem } from '../../system/io-problem.ts';
import { retryPauseMs } from '../../system/retry-pause.ts';
import { CONTROL, controlFrame } from './frame-streams.ts';
import type { Output, OutputEvents } from './output.ts';
import type { Frames } from './ring.ts';

const PAUSES = { firstMs: 1000, maxMs: 30_000 };
/** How often it is looked whether the file still has its name. */
const LOOK_MS = 5000;
/** What clients ask is nobody else's business. */
const MODE = 0o640;

type FileConfig = Extract<DnstapOutput, { kind: 'file' }>;

/**
 * Frame Streams in a file. A stream has one start and one end, so each run, and each file that has its size, begins another:
 * the older ones are FILE.0, FILE.1 and so on. What cannot be written whole is taken back, so that a reader finds whole
 * frames only, and is tried again with a back-off. Its system calls block; it belongs into a thread of its own.
 */
export class FileOutput implements Output {
  readonly isFull = false;
  private readonly config: FileConfig;
  private readonly events: OutputEvents;
  private fd: number | null = null;
  /** Octets of whole frames. */
  private written = 0;
  private inode = 0;
  /** The last write failed, and its time to be tried again has not come. */
  private isWaiting = false;
  private failures = 0;
  private timer: NodeJS.Timeout | undefined;
  private readonly look: NodeJS.Timeout;

  constructor(config: FileConfig, events: OutputEvents) {
    this.config = config;
    this.events = events;
    this.look = setInterval(() => this.reopenIfGone(), LOOK_MS);
    this.open();
  }

  get isOpen(): boolean {
    return this.fd !== null && !this.isWaiting;
  }

  write({ octets, count }: Frames): void {
    if (this.fd !== null && this.written + octets.length > this.config.size && this.written > START.length) {
      this.end();
      this.open();
    }
    if (this.append(octets)) this.events.onSent(count);
    else this.events.onLost(count);
  }

  async close(): Promise<void> {
    clearInterval(this.look);
    clearTimeout(this.timer);
    this.end();
  }

  /** Begins a file, after the one that has the name has made way. */
  private open(): void {
    const { path } = this.config;
    try {
      this.makeWay();
      // Never through a link, and never over a file that came in between.
      const fd = openSync(path, 'wx', MODE);
      this.fd = fd;
      this.inode = statSync(path).ino;
      this.written = 0;
      if (this.append(START)) this.events.onState(null);
    } catch (error) {
      this.failed(error instanceof NotRegular ? error.message : ioProblem(error));
    }
  }

  private makeWay(): void {
    const { path, versions } = this.config;
    const name = (i: number): string => (i < 0 ? path : `${path}.${i}`);
    const now = lstatSync(path, { throwIfNoEntry: false });
    if (now === undefined) return;
    if (!now.isFile()) throw new NotRegular('is no regular file, and is left as it is');
    if (versions === 0) rmSync(path);
    for (let i = versions - 1; i >= 0; i--) {
      if (lstatSync(name(i - 1), { throwIfNoEntry: false }) !== undefined) renameSync(name(i - 1), name(i));
    }
  }

  /** All of it or nothing. */
  private append(octets: Uint8Array): boolean {
    const { fd } = this;
    if (fd === null) return false;
    let at = 0;
    try {
      while (at < octets.length) at += writeSync(fd, octets, at, octets.length - at, this.written + at);
      this.written += octets.length;
      if (this.failures > 0) this.events.onState(null);
      this.failures = 0;
      return true;
    } catch (error) {
      if (at > 0) ignoreErrors(() => ftruncateSync(fd, this.written));
      this.failed(ioProblem(error));
      return false;
    }
  }

  private failed(problem: string): void {
    this.failures++;
    this.isWaiting = true;
    this.events.onState(problem);
    clearTimeout(this.timer);
    this.timer = setTimeout(
      () => {
        this.isWaiting = false;
        if (this.fd === null) this.open();
        else if (this.written === 0) this.append(START);
      },
      retryPauseMs(this.failures, PAUSES),
    );
  }

  private end(): void {
    const { fd } = this;
    if (fd === null) return;
    if (this.written > 0) ignoreErrors(() => writeSync(fd, STOP, 0, STOP.length, this.written));
    ignoreErrors(() => closeSync(fd));
    this.fd = null;
  }

  /** Somebody has moved or removed the file: the next one begins under the name. */
  private reopenIfGone(): void {
    if (this.fd === null) return;
    try {
      if (lstatSync(this.config.path, { throwIfNoEntry: false })?.ino === this.inode) return;
    } catch {
      return; // the folder cannot be looked into just now, and what is open can still be written
    }
    this.end();
    this.open();
  }
}

class NotRegular extends Error {}

const START = controlFrame(CONTROL.start);
const STOP = controlFrame(CONTROL.stop);

function ignoreErrors(work: () => unknown): void {
  try {
    work();
  } catch {
    // A file without its last frame can be read all the same.
  }
}
