import { NAME_MAX } from './name.ts';
import { RecordStore } from './record-store.ts';
import { FaultLog, type Problem, problem } from './scan-fault.ts';
import { expandTemplate, overflows, type Range, scanRange, scanTemplate, type Template } from './scan-generate.ts';
import { type Included, IncludeLog } from './scan-include.ts';
import { nameProblem, scanName } from './scan-name.ts';
import { RdataScan, tokenProblem } from './scan-rdata.ts';
import { isSoa, type RecordHead, scanHead, scanRdata, scanTtlToken, soaMinimum } from './scan-record.ts';
import { TOKEN, Tokens } from './scan-tokens.ts';
import { TTL_MAX } from './scan-ttl.ts';
import { secondsOfDate } from './types/dnssec.ts';

/** What a reading starts from; `ReadRequest` says more of each. */
export type ZoneScanStart = {
  readonly origin: Uint8Array;
  readonly defaultTtl: number | null;
  readonly initialOwner: Uint8Array | null;
  readonly into?: RecordStore;
  readonly includeRoot: string | null;
  readonly include: (path: string) => Included;
};

/** What belongs to one file of a reading. */
type OpenFile = {
  readonly name: string;
  readonly number: number; // in the store
  readonly tokens: Tokens;
  /** What relative names end in, wire form. */
  origin: Uint8Array;
  /** `$ORIGIN` came after the last written owner. */
  originChanged: boolean;
};

const DOLLAR = 0x24;
const BOM = [0xef, 0xbb, 0xbf];

/** One reading of a master file and what it includes: the state that an entry hands to the next. */
export class ZoneScan {
  readonly store: RecordStore;
  readonly log: FaultLog = new FaultLog();
  readonly includes: IncludeLog = new IncludeLog();
  private readonly start: ZoneScanStart;
  private readonly rdata: RdataScan;
  private readonly head: RecordHead = { ttl: -1, type: 0, ttlOverMaximum: false };
  private readonly ownerWire = new Uint8Array(3 * NAME_MAX);
  private owner = -1; // number of the current owner's name; -1: none yet
  private defaultTtl = -1; // of `$TTL`
  private lastTtl: number; // the last one written
  private ttlWarned = false;
  private file: OpenFile;

  constructor(start: ZoneScanStart, name: string, text: Uint8Array) {
    this.start = start;
    this.store = start.into ?? new RecordStore();
    this.lastTtl = start.defaultTtl ?? -1;
    if (start.initialOwner !== null) this.owner = this.store.names.intern(start.initialOwner);
    this.file = this.openFile(name, text, start.origin);
    this.rdata = new RdataScan(this.file.tokens, start.origin);
  }

  /** Reads the open file to its end. */
  run(): void {
    const { tokens } = this.file;
    if (hasByteOrderMark(tokens.text)) {
      this.fault(problem('bad-encoding', 'the file begins with a UTF-8 byte order mark; save it without'));
    }
    while (!tokens.done) {
      const blank = tokens.startsBlank;
      const kind = tokens.next();
      if (kind === TOKEN.end) continue;
      tokens.markEntry();
      const failure =
        tokenProblem(tokens) ??
        (!blank && tokens.text[tokens.start] === DOLLAR ? this.directive() : this.record(blank));
      if (failure !== null) {
        this.fault(failure);
        tokens.skipEntry();
      }
    }
  }

  private openFile(name: string, text: Uint8Array, origin: Uint8Array): OpenFile {
    const number = this.store.files.push(name) - 1;
    const tokens = new Tokens(text, hasByteOrderMark(text) ? BOM.length : 0);
    return { name, number, tokens, origin, originChanged: false };
  }

  private fault(failure: Problem): void {
    const { name, tokens } = this.file;
    const whole = failure.code === 'bad-rdata' || failure.code === 'no-ttl'; // no single token is wrong
    this.log.add('error', failure, name, () => (whole ? tokens.entryPlace() : tokens.place()));
  }

  private warn(warning: Problem): void {
    this.log.add('warning', warning, this.file.name, () => this.file.tokens.entryPlace());
  }

  /** A record; the token last read is its first. */
  private record(blank: boolean): Problem | null {
    const { file, rdata } = this;
    const { tokens } = file;
    rdata.tokens = tokens;
    rdata.origin = file.origin;
    if (blank) {
      if (this.owner < 0)
        return problem('no-owner', 'a blank owner stands for the previous record’s, and there is none');
      if (file.originChanged)
        this.warn(problem('owner-inherited', 'a blank owner right after $ORIGIN is still the previous record’s'));
    } else {
      const failure = this.setOwner(tokens.text, tokens.start, tokens.end);
      if (failure !== null) return failure;
      tokens.next();
    }
    file.originChanged = false;
    const failure = scanHead(rdata, this.head) ?? scanRdata(rdata, this.head.type);
    return failure ?? this.addRecord();
  }

  private setOwner(text: Uint8Array, start: number, end: number): Problem | null {
    const after = scanName(text, start, end, this.ownerWire, 0, this.file.origin);
    if (after < 0) return nameProblem(after, text, start, end);
    this.owner = this.store.names.intern(this.ownerWire);
    return null;
  }

  /** Adds the record whose head and rdata were just read. */
  private addRecord(): Problem | null {
    const { head, rdata, file } = this;
    const ttl = this.ttlOf(head);
    if (ttl < 0) {
      return problem('no-ttl', 'the record has no TTL, and neither $TTL nor an earlier record gives one');
    }
    this.store.add(this.owner, head.type, ttl, rdata.out, 0, rdata.at, file.number, file.tokens.entryLine);
    return null;
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
      // Without a default asked for by the caller, the operator relies on an old rule: say so once, as BIND does.
      if (!this.ttlWarned && this.start.defaultTtl === null) {
        this.ttlWarned = true;
        this.warn(problem('ttl-inherited', 'no $TTL: records without a TTL get the previous record’s (RFC 1035 §5.1)'));
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

  /** A line that begins with `$`; the token last read is its first word. */
  private directive(): Problem | null {
    const { tokens } = this.file;
    this.rdata.tokens = tokens;
    this.rdata.origin = this.file.origin;
    switch (tokens.asText().toUpperCase()) {
      case '$ORIGIN':
        return this.originDirective();
      case '$TTL':
        return this.ttlDirective();
      case '$INCLUDE':
        return this.includeDirective();
      case '$GENERATE':
        return this.generateDirective();
      case '$DATE':
        return this.dateDirective();
      default:
        return problem(
          'bad-directive',
          `${this.rdata.shown()}: the directives are $ORIGIN, $TTL, $INCLUDE and $GENERATE`,
        );
    }
  }

  private endOfEntry(): Problem | null {
    const { tokens } = this.file;
    if (tokens.next() === TOKEN.end) return null;
    return tokenProblem(tokens) ?? problem('extra-text', `"${this.rdata.shown()}" is left over at the end of the line`);
  }

  private originDirective(): Problem | null {
    const origin = this.nameArgument('the new origin');
    if (!(origin instanceof Uint8Array)) return origin;
    const failure = this.endOfEntry();
    if (failure !== null) return failure;
    this.file.origin = origin;
    this.file.originChanged = true;
    return null;
  }

  private nameArgument(what: string): Uint8Array | Problem {
    this.rdata.at = 0;
    return this.rdata.name(what) ?? this.rdata.out.slice(0, this.rdata.at);
  }

  private ttlDirective(): Problem | null {
    const { rdata, head } = this;
    const failure = rdata.word('a TTL') ?? scanTtlToken(rdata, head) ?? this.endOfEntry();
    if (failure !== null) return failure;
    if (head.ttlOverMaximum) this.warnOfTtl();
    this.defaultTtl = head.ttl;
    return null;
  }

  private warnOfTtl(): void {
    this.warn(problem('ttl-over-maximum', `the TTL is over ${TTL_MAX}, so it counts as 0 (RFC 2181 §8)`));
  }

  /** `$DATE`, which dumps of zones begin with: checked and otherwise ignored. */
  private dateDirective(): Problem | null {
    const failure = this.rdata.word('a date');
    if (failure !== null) return failure;
    if (secondsOfDate(this.file.tokens.asText()) !== null) return this.endOfEntry();
    return problem('bad-time', `"${this.rdata.shown()}" is no time such as 20300131235959`);
  }

  private includeDirective(): Problem | null {
    const { tokens } = this.file;
    const missing = this.rdata.text('a file name');
    if (missing !== null) return missing;
    const name = Buffer.from(tokens.text.subarray(tokens.start, tokens.end)).toString('utf8');
    let origin = this.file.origin;
    if (this.rdata.more()) {
      tokens.hold();
      const argument = this.nameArgument('the origin');
      if (!(argument instanceof Uint8Array)) return argument;
      origin = argument;
    }
    const entered = this.includes.enter(name, this.start.includeRoot);
    if (!('path' in entered)) return entered;
    const included = this.start.include(entered.path);
    if (!included.ok) {
      this.includes.leave();
      return problem('include-unreadable', `${name}: ${included.message}`);
    }
    const failure = this.endOfEntry();
    if (failure === null) this.readIncluded(entered.path, included.text, origin);
    this.includes.leave();
    return failure;
  }

  /** Owner and TTLs go on into the included file and back out of it, as in BIND; the origin is the file's own. */
  private readIncluded(path: string, text: Uint8Array, origin: Uint8Array): void {
    const outer = this.file;
    this.file = this.openFile(path, text, origin);
    const { owner } = this;
    this.run();
    this.file = outer;
    if (owner >= 0) this.owner = owner; // RFC 1035 §5.1
  }

  private generateDirective(): Problem | null {
    const { rdata } = this;
    const { tokens } = this.file;
    const noRange = rdata.word('a range such as 1-100');
    if (noRange !== null) return noRange;
    const range = scanRange(tokens.text, tokens.start, tokens.end);
    if ('code' in range) return range;
    const noOwner = rdata.word('the owner');
    if (noOwner !== null) return noOwner;
    const owner = scanTemplate(tokens.text.subarray(tokens.start, tokens.end));
    if ('code' in owner) return owner;
    tokens.next();
    const noData = scanHead(rdata, this.head) ?? rdata.text('the data');
    if (noData !== null) return noData;
    const data = scanTemplate(templateText(tokens));
    if ('code' in data) return data;
    if (overflows(owner, range) || overflows(data, range)) {
      return problem('generate-range', 'the number with its offset is over 31 bits');
    }
    return this.generate(range, owner, data) ?? this.endOfEntry();
  }

  private generate(range: Range, owner: Template, data: Template): Problem | null {
    const { rdata, owner: before } = this;
    for (let number = range.first; number <= range.last; number += range.step) {
      const name = expandTemplate(owner, number);
      rdata.tokens = new Tokens(expandTemplate(data, number));
      const failure = this.setOwner(name, 0, name.length) ?? scanRdata(rdata, this.head.type) ?? this.addRecord();
      if (failure !== null) return { code: failure.code, message: `with $ = ${number}: ${failure.message}` };
    }
    rdata.tokens = this.file.tokens;
    this.owner = before; // generated owners are not what a blank owner after them means
    return null;
  }
}

function hasByteOrderMark(text: Uint8Array): boolean {
  return BOM.every((octet, i) => text[i] === octet);
}

/** The right side of `$GENERATE`, read again once the number is in: inside quotes, `\"` stands for a quote of the inner text. */
function templateText(tokens: Tokens): Uint8Array {
  const octets = tokens.text.subarray(tokens.start, tokens.end);
  if (tokens.kind !== TOKEN.quoted || !tokens.escaped) return octets;
  return Buffer.from(
    Buffer.from(octets)
      .toString('latin1')
      .replace(/\\(\\)|\\(")/g, (_, slash, quote) => (slash ? '\\\\' : quote)),
    'latin1',
  );
}
