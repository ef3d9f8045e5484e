import { isMetaType, isObsoleteType, scanGenericName, scanTypeName, typeName } from '../../dns/type-name.ts';
import { CLASS_IN } from '../records/record-store.ts';
import { NOT_A_NUMBER, scanNumber, scanTtl, TOO_LARGE, TTL_MAX } from '../text/number.ts';
import { problem } from '../text/problem.ts';
import { RDATA_MAX, type RdataScan, tokenProblem } from '../text/rdata.ts';
import { TOKEN, type Tokens } from '../text/tokens.ts';
import { writeHexRest } from '../types/field-hex.ts';
import { checkRdata, recordType } from '../types/record-type.ts';
import type { ZoneProblem } from './fault.ts';

const BACKSLASH = 0x5c;
const HASH = 0x23;
const SOA = 6;
const TXT = 16;

/** What is written between owner and rdata. `ttl` -1: not written. */
export type RecordHead = { ttl: number; type: number; ttlOverMaximum: boolean };

/**
 * The token just read as a TTL in seconds, units allowed; beyond 31 bits it counts as 0 (RFC 2181 §8). Fills `head`.
 */
export function scanTtlToken(scan: RdataScan, head: { ttl: number; ttlOverMaximum: boolean }): ZoneProblem | null {
  const { text, start, end } = scan.tokens;
  const ttl = scanTtl(text, start, end);
  if (ttl === TOO_LARGE) return problem('bad-ttl', `TTL ${scan.shown()} is over ${TTL_MAX} (RFC 2181 §8)`);
  if (ttl === NOT_A_NUMBER) return problem('bad-ttl', `"${scan.shown()}" is no TTL such as 3600 or 1h30m`);
  head.ttlOverMaximum = ttl > TTL_MAX;
  head.ttl = head.ttlOverMaximum ? 0 : ttl;
  return null;
}

/**
 * Reads TTL, class and type, the token last read being the first of them: class and TTL may be missing and come in
 * either order (RFC 1035 §5.1). Fills `head`.
 */
export function scanHead(scan: RdataScan, head: RecordHead): ZoneProblem | null {
  const { tokens } = scan;
  head.ttl = -1;
  head.ttlOverMaximum = false;
  let classSeen = false;
  for (; ; tokens.next()) {
    if (tokens.kind !== TOKEN.word) {
      return tokens.kind === TOKEN.quoted
        ? problem('bad-word', 'a record type goes here; it must not be quoted')
        : scan.missing('a record type');
    }
    const { text, start, end } = tokens;
    const digit = text[start] - 0x30;
    if (digit >= 0 && digit <= 9 && head.ttl < 0) {
      const failure = scanTtlToken(scan, head);
      if (failure !== null) return failure;
      continue;
    }
    if (!classSeen && isClassIn(text, start, end)) {
      classSeen = true;
      continue;
    }
    head.type = scanTypeName(text, start, end);
    if (head.type >= 0) return typeProblem(scan, head.type);
    const other = !classSeen && isOtherClass(tokens.asText());
    return other
      ? problem('bad-class', `class ${scan.shown()}: only class IN is served`)
      : problem('unknown-type', `"${scan.shown()}" is no record type`);
  }
}

function typeProblem(scan: RdataScan, type: number): ZoneProblem | null {
  if (isMetaType(type)) {
    return problem('meta-type', `type ${scan.shown()} is only for queries and messages; a zone cannot hold it`);
  }
  return isObsoleteType(type)
    ? problem('obsolete-type', `type ${scan.shown()} is obsolete; use MX (RFC 1035 §3.3.4)`)
    : null;
}

function isClassIn(text: Uint8Array, start: number, end: number): boolean {
  if (end - start === 2) return (text[start] | 0x20) === 0x69 && (text[start + 1] | 0x20) === 0x6e;
  return scanGenericName('class', text, start, end) === CLASS_IN;
}

function isOtherClass(word: string): boolean {
  return /^(CH|CHAOS|HS|HESIOD|NONE|RESERVED0|CLASS\d+)$/i.test(word);
}

/** Reads the rdata of one record into `scan.out[0..scan.at)`, and the end of its entry. */
export function scanRdata(scan: RdataScan, type: number): ZoneProblem | null {
  scan.at = 0;
  const failure = isGeneric(scan.tokens, type) ? scanGeneric(scan, type) : scanFields(scan, type);
  if (failure !== null) return failure;
  if (scan.tokens.next() === TOKEN.end) return null;
  return (
    tokenProblem(scan.tokens) ??
    problem('extra-text', `"${scan.shown()}" is left over after the ${typeName(type)} data`)
  );
}

function scanFields(scan: RdataScan, type: number): ZoneProblem | null {
  const known = recordType(type);
  if (known === null) {
    return problem('unknown-type', `${typeName(type)} data must be written as \\# LENGTH HEX (RFC 3597 §5)`);
  }
  const { fields } = known;
  for (let i = 0; i < fields.length; i++) {
    const failure = fields[i].read(scan);
    if (failure !== null) return failure;
  }
  if (known.rule === null) return null;
  const broken = known.rule(scan.out, 0, scan.at);
  return broken === null ? null : problem('bad-rdata', broken);
}

/**
 * Whether the rdata begins with `\#`. In a TXT, where it may also be a text that needed no escape, a number must
 * follow. If so, the next token is the one after `\#`; otherwise no token has been consumed.
 */
function isGeneric(tokens: Tokens, type: number): boolean {
  const kind = tokens.next();
  const { text, start, end } = tokens;
  if (kind === TOKEN.word && end - start === 2 && text[start] === BACKSLASH && text[start + 1] === HASH) {
    if (type !== TXT) return true;
    const before = tokens.beforeToken();
    if (tokens.next() === TOKEN.word && scanNumber(text, tokens.start, tokens.end, RDATA_MAX) !== NOT_A_NUMBER) {
      tokens.hold();
      return true;
    }
    tokens.restore(before);
  } else tokens.hold();
  return false;
}

/** RFC 3597 §5: the length, and that many octets in hex, in words split anywhere. */
function scanGeneric(scan: RdataScan, type: number): ZoneProblem | null {
  const length = scan.number('the length', RDATA_MAX);
  if (typeof length !== 'number') return length;
  const failure = writeHexRest(scan, 'the data');
  if (failure !== null) return failure;
  if (scan.at !== length) return problem('bad-rdata', `${scan.at} octets follow, not ${length}`);
  const broken = checkRdata(type, scan.out, 0, scan.at);
  return broken === null ? null : problem('bad-rdata', broken);
}

/** The MINIMUM field of SOA rdata, its last four octets. */
export function soaMinimum(rdata: Uint8Array, end: number): number {
  return ((rdata[end - 4] << 24) | (rdata[end - 3] << 16) | (rdata[end - 2] << 8) | rdata[end - 1]) >>> 0;
}

export function isSoa(type: number): boolean {
  return type === SOA;
}
