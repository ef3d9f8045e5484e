import { problem } from '../text/problem.ts';
import { TOKEN, Tokens } from '../text/tokens.ts';
import { secondsOfDate } from '../types/field-time.ts';
import type { ZoneProblem } from './fault.ts';
import { expandTemplate, overflows, type Range, scanRange, scanTemplate, type Template } from './generate.ts';
import { scanHead, scanRdata, scanTtlToken } from './record.ts';
import type { OpenFile, ScanState } from './state.ts';

/**
 * Reads a line that begins with `$`, its first word being the token last read. `readFile` reads a file that `$INCLUDE`
 * names to its end.
 */
export function scanDirective(state: ScanState, readFile: (file: OpenFile) => void): ZoneProblem | null {
  const { rdata, file } = state;
  rdata.tokens = file.tokens;
  rdata.origin = file.origin;
  switch (file.tokens.asText().toUpperCase()) {
    case '$ORIGIN':
      return scanOrigin(state);
    case '$TTL':
      return scanDefaultTtl(state);
    case '$INCLUDE':
      return scanInclude(state, readFile);
    case '$GENERATE':
      return scanGenerate(state);
    case '$DATE':
      return scanDate(state);
    default:
      return problem('bad-directive', `${rdata.shown()}: the directives are $ORIGIN, $TTL, $INCLUDE and $GENERATE`);
  }
}

function scanOrigin(state: ScanState): ZoneProblem | null {
  const origin = nameArgument(state, 'the new origin');
  if (!(origin instanceof Uint8Array)) return origin;
  const failure = state.endOfEntry();
  if (failure !== null) return failure;
  state.file.origin = origin;
  state.file.originChanged = true;
  return null;
}

function nameArgument({ rdata }: ScanState, what: string): Uint8Array | ZoneProblem {
  rdata.at = 0;
  return rdata.name(what) ?? rdata.out.slice(0, rdata.at);
}

/** `$TTL`, RFC 2308 §4. */
function scanDefaultTtl(state: ScanState): ZoneProblem | null {
  const { rdata, head } = state;
  const failure = rdata.word('a TTL') ?? scanTtlToken(rdata, head) ?? state.endOfEntry();
  if (failure !== null) return failure;
  if (head.ttlOverMaximum) state.warnOfTtl();
  state.defaultTtl = head.ttl;
  return null;
}

/** `$DATE`, which dumps of zones begin with: checked and otherwise ignored. */
function scanDate(state: ScanState): ZoneProblem | null {
  const failure = state.rdata.word('a date');
  if (failure !== null) return failure;
  if (secondsOfDate(state.file.tokens.asText()) !== null) return state.endOfEntry();
  return problem('bad-time', `"${state.rdata.shown()}" is no time such as 20300131235959`);
}

function scanInclude(state: ScanState, readFile: (file: OpenFile) => void): ZoneProblem | null {
  const { rdata, file, includes, start } = state;
  const { tokens } = file;
  const missing = rdata.text('a file name');
  if (missing !== null) return missing;
  const name = Buffer.from(tokens.text.subarray(tokens.start, tokens.end)).toString('utf8');
  const nameAt = tokens.beforeToken();
  let { origin } = file;
  if (rdata.more()) {
    tokens.hold();
    const argument = nameArgument(state, 'the origin');
    if (!(argument instanceof Uint8Array)) return argument;
    origin = argument;
  }
  const failure = state.endOfEntry();
  if (failure !== null) return failure;
  /** Makes the file's name the token that the fault is about. */
  const atName = (fault: ZoneProblem): ZoneProblem => {
    tokens.restore(nameAt);
    tokens.next();
    return fault;
  };
  const entered = includes.enter(name, start.includeRoot, start.includeDirs ?? []);
  if (!('path' in entered)) return atName(entered);
  const included = start.include(entered.path);
  if (included.ok) {
    // Owner and TTLs go on into the file, as in BIND; the owner comes back unchanged (RFC 1035 §5.1).
    const { owner } = state;
    readFile(state.openFile(entered.path, included.text, origin));
    if (owner >= 0) state.owner = owner;
  }
  includes.leave();
  return included.ok ? null : atName(problem('include-unreadable', `${name}: ${included.message}`));
}

/** `$GENERATE RANGE OWNER [TTL] [CLASS] TYPE DATA`, BIND's. */
function scanGenerate(state: ScanState): ZoneProblem | null {
  const { rdata, head } = state;
  const { tokens } = state.file;
  const noRange = rdata.word('a range such as 1-100');
  if (noRange !== null) return noRange;
  const range = scanRange(tokens.text, tokens.start, tokens.end);
  if ('code' in range) return range;
  const tooMany = state.countGenerated(range);
  if (tooMany !== null) return tooMany;
  const noOwner = rdata.word('the owner');
  if (noOwner !== null) return noOwner;
  const owner = scanTemplate(tokens.text.subarray(tokens.start, tokens.end));
  if ('code' in owner) return owner;
  tokens.next();
  const noData = scanHead(rdata, head) ?? rdata.text('the data');
  if (noData !== null) return noData;
  const data = scanTemplate(dataTemplate(tokens));
  if ('code' in data) return data;
  if (overflows(owner, range) || overflows(data, range)) {
    return problem('generate-range', 'the number with its offset is over 31 bits');
  }
  const before = state.owner;
  const failure = generate(state, range, owner, data);
  rdata.tokens = tokens;
  state.owner = before; // generated owners are not what a blank owner after them means
  return failure ?? state.endOfEntry();
}

function generate(state: ScanState, range: Range, owner: Template, data: Template): ZoneProblem | null {
  const { rdata, head } = state;
  for (let number = range.first; number <= range.last; number += range.step) {
    const name = expandTemplate(owner, number);
    rdata.tokens = new Tokens(expandTemplate(data, number));
    const failure = state.setOwner(name, 0, name.length) ?? scanRdata(rdata, head.type) ?? state.addRecord();
    if (failure !== null) return { code: failure.code, message: `with $ = ${number}: ${failure.message}` };
  }
  return null;
}

/** The data of `$GENERATE`, read again once the number is in: inside quotes, `\"` is a quote of the inner text. */
function dataTemplate(tokens: Tokens): Uint8Array {
  const octets = tokens.text.subarray(tokens.start, tokens.end);
  if (tokens.kind !== TOKEN.quoted || !tokens.escaped) return octets;
  const inner = Buffer.from(octets)
    .toString('latin1')
    .replace(/\\(.)/gs, (pair, char) => (char === '"' ? char : pair));
  return Buffer.from(inner, 'latin1');
}
