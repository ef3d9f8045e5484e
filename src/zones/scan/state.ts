import { ZONE_LIMITS, type ZoneLimits } from '../../config/limits.ts';
import { NAME_MAX } from '../../dns/name.ts';
import { RecordStore } from '../records/record-store.ts';
import { nameProblem, scanName } from '../text/name.ts';
import { TTL_MAX } from '../text/number.ts';
import { problem } from '../text/problem.ts';
import { RdataScan, tokenProblem } from '../text/rdata.ts';
import { TOKEN, Tokens } from '../text/tokens.ts';
import { FaultLog, type ZoneProblem } from './fault.ts';
import type { Range } from './generate.ts';
import { type Included, IncludeLog } from './include.ts';
import { isSoa, type RecordHead, soaMinimum } from './record.ts';

/** What a reading starts from. */
export type ScanStart = {
  /** Wire form. */
  readonly origin: Uint8Array;
  /** Seconds, for records without a TTL before any `$TTL` or written TTL; null: there is none. */
  readonly defaultTtl: number | null;
  /** Owner of a first record that begins with a blank, wire form; null: such a record is a fault. */
  readonly initialOwner: Uint8Array | null;
  /** Where the records are added; a new store otherwise. */
  readonly into?: RecordStore;
  /**
   * Absolute path of the folder that `$INCLUDE` is confined to and that relative paths start from, as BIND's do from
   * its `directory`; null: `$INCLUDE` is refused.
   */
  readonly includeRoot: string | null;
  /** Absolute paths of more folders that `$INCLUDE` may read from; none otherwise. */
  readonly includeDirs?: readonly string[];
  /** `ZONE_LIMITS` otherwise. */
  readonly limits?: ZoneLimits;
  /**
   * Reads a file by absolute path. It lies below one of those folders by its text; what links do is the callee's
   * concern.
   */
  readonly include: (path: string) => Included;
};

/** What belongs to one file of a reading. */
export type OpenFile = {
  readonly name: string;
  /** Number in the store. */
  readonly number: number;
  readonly tokens: Tokens;
  /** What relative names end in, wire form. */
  origin: Uint8Array;
  /** `$ORIGIN` came after the last written owner. */
  originChanged: boolean;
};

/** The owner just read. One for all readings, as they never wait. */
const OWNER = new Uint8Array(3 * NAME_MAX);

/** One reading of a master file and of what it includes: the state that one entry leaves for the next. */
export class ScanState {
  readonly start: ScanStart;
  readonly store: RecordStore;
  readonly log: FaultLog = new FaultLog();
  readonly includes: IncludeLog = new IncludeLog();
  readonly rdata: RdataScan;
  readonly head: RecordHead = { ttl: -1, type: 0, ttlOverMaximum: false };
  /** The file that is read now. */
  file: OpenFile;
  /** Number of the current owner's name; -1: none yet. */
  owner = -1;
  /** Of `$TTL`; -1: none yet. */
  defaultTtl = -1;
  /** The zone has reached a limit: nothing more is read. */
  stopped = false;
  readonly limits: ZoneLimits;
  private generated = 0; // records that $GENERATE makes
  private lastTtl: number; // the last one written
  private ttlWarned = false;

  constructor(start: ScanStart, name: string, text: Uint8Array) {
    this.start = start;
    this.store = start.into ?? new RecordStore();
    this.limits = start.limits ?? ZONE_LIMITS;
    this.lastTtl = start.defaultTtl ?? -1;
    if (start.initialOwner !== null) this.owner = this.store.names.intern(start.initialOwner);
    this.file = this.openFile(name, text, start.origin);
    this.rdata = new RdataScan(this.file.tokens, start.origin);
  }

  openFile(name: string, text: Uint8Array, origin: Uint8Array): OpenFile {
    const number = this.store.files.push(name) - 1;
    return { name, number, tokens: new Tokens(text), origin, originChanged: false };
  }

  fault(failure: ZoneProblem): void {
    const { name, tokens } = this.file;
    const whole = failure.code === 'bad-rdata' || failure.code === 'no-ttl'; // no single token is wrong
    this.log.add('error', failure, name, () => (whole ? tokens.entryPosition() : tokens.position()));
  }

  warn(warning: ZoneProblem): void {
    this.log.add('warning', warning, this.file.name, () => this.file.tokens.entryPosition());
  }

  warnOfTtl(): void {
    this.warn(problem('ttl-over-maximum', `the TTL is over ${TTL_MAX}, so it counts as 0 (RFC 2181 §8)`));
  }

  /** Makes the name in `text[start..end)` the current owner. */
  setOwner(text: Uint8Array, start: number, end: number): ZoneProblem | null {
    const after = scanName(text, start, end, OWNER, 0, this.file.origin);
    if (after < 0) return nameProblem(after, text, start, end);
    this.owner = this.store.names.intern(OWNER);
    return null;
  }

  /** Adds the record whose head and rdata were just read. */
  addRecord(): ZoneProblem | null {
    const { head, rdata, file, store, limits } = this;
    if (store.size >= limits.records || store.octets + rdata.at > limits.octets) return this.tooLarge();
    const ttl = this.ttlOf(head);
    if (ttl < 0) return problem('no-ttl', 'the record has no TTL, and neither $TTL nor an earlier record gives one');
    store.add(this.owner, head.type, ttl, rdata.out, 0, rdata.at, file.number, file.tokens.entryLine);
    return null;
  }

  private tooLarge(): ZoneProblem {
    const { store, limits } = this;
    this.stopped = true;
    const what = store.size >= limits.records ? `${limits.records} records` : `${limits.octets} octets`;
    return problem('too-large', `the zone is over ${what}, the limit in zone_limits: the rest is not read`);
  }

  /** Counts the records that one `$GENERATE` makes. One that would make too many makes none. */
  countGenerated({ first, last, step }: Range): ZoneProblem | null {
    const { generated } = this.limits;
    const count = Math.floor((last - first) / step) + 1;
    if (this.generated + count > generated) {
      const before = this.generated === 0 ? '' : `, ${this.generated} others before it`;
      return problem(
        'too-many-generated',
        `this $GENERATE makes ${count} records${before}: over ${generated}, the limit of a zone in zone_limits`,
      );
    }
    this.generated += count;
    return null;
  }

  /** Reads the end of a directive. */
  endOfEntry(): ZoneProblem | null {
    const { tokens } = this.file;
    if (tokens.next() === TOKEN.end) return null;
    return tokenProblem(tokens) ?? problem('extra-text', `"${this.rdata.shown()}" is left over at the end of the line`);
  }

  /** The TTL of a record: its own, else `$TTL` (RFC 2308 §4), else the last one written (RFC 1035 §5.1). -1: none. */
  private ttlOf(head: RecordHead): number {
    if (head.ttl >= 0) {
      if (head.ttlOverMaximum) this.warnOfTtl();
      this.lastTtl = head.ttl;
      return head.ttl;
    }
    if (this.defaultTtl >= 0) return this.defaultTtl;
    if (this.lastTtl >= 0) {
      // Without a default of the caller's the operator relies on an old rule: warn once, as BIND does.
      if (!this.ttlWarned && this.start.defaultTtl === null) {
        this.ttlWarned = true;
        this.warn(problem('ttl-inherited', "no $TTL: records without a TTL get the previous record's (RFC 1035 §5.1)"));
      }
      return this.lastTtl;
    }
    if (!isSoa(head.type)) return -1;
    const written = soaMinimum(this.rdata.out, this.rdata.at);
    const minimum = written > TTL_MAX ? 0 : written;
    this.warn(problem('ttl-inherited', `no $TTL: the SOA's minimum, ${minimum}, is the default`));
    this.defaultTtl = minimum;
    return minimum;
  }
}
