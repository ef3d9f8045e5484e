import { CLASS_IN } from './record-store.ts';
import { type Problem, problem } from './scan-fault.ts';
import { RDATA_MAX, type RdataScan, tokenProblem } from './scan-rdata.ts';
import { TOKEN, type Tokens } from './scan-tokens.ts';
import { NOT_A_NUMBER, scanTtl, TTL_MAX } from './scan-ttl.ts';
import { writeHexRest } from './types/field-hex.ts';
import { checkRdata, genericNumber, isMetaType, recordType, scanType, typeName } from './types/record-type.ts';

const BACKSLASH = 0x5c;
const HASH = 0x23;
const SOA = 6;

/** What stands between owner and rdata. `ttl` -1: not written. */
export type RecordHead = { ttl: number; type: number; ttlOverMaximum: boolean };

/**
 * Reads TTL, class and type, the token last read being the first of them: class and TTL may be missing and stand in
 * either order (RFC 1035 §5.1). Fills `head`.
 */
export function scanHead(scan: RdataScan, head: RecordHead): Problem | null {
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
      const ttl = scanTtl(text, start, end);
      if (ttl < 0) {
        return ttl === NOT_A_NUMBER
          ? problem('unknown-type', `"${scan.shown()}" is no TTL, class or record type`)
          : problem('bad-ttl', `TTL ${scan.shown()} is over ${TTL_MAX} (RFC 2181 §8)`);
      }
      head.ttlOverMaximum = ttl > TTL_MAX;
      head.ttl = ttl > TTL_MAX ? 0 : ttl; // RFC 2181 §8: the top bit set means zero
      continue;
    }
    if (!classSeen) {
      const code = scanClass(text, start, end);
      if (code >= 0) {
        if (code !== CLASS_IN) return problem('bad-class', `class ${scan.shown()}: only class IN is served`);
        classSeen = true;
        continue;
      }
    }
    head.type = scanType(text, start, end);
    if (head.type < 0) {
      return problem('unknown-type', `"${scan.shown()}" is no record type`);
    }
    return isMetaType(head.type)
      ? problem('meta-type', `type ${scan.shown()} is only for queries and messages; a zone cannot hold it`)
      : null;
  }
}

const CLASSES: ReadonlyMap<string, number> = new Map([
  ['IN', 1],
  ['CH', 3],
  ['CHAOS', 3],
  ['HS', 4],
  ['HESIOD', 4],
  ['NONE', 254],
  ['ANY', 255],
]);

/** Number of the class written in `text[start..end)`, -1: none. */
function scanClass(text: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length === 2 && (text[start] | 0x20) === 0x69 && (text[start + 1] | 0x20) === 0x6e) return CLASS_IN;
  const first = text[start] | 0x20;
  // Only C, H, N and A can begin another; most types need not be looked up.
  if (first !== 0x63 && first !== 0x68 && first !== 0x6e && first !== 0x61) return -1;
  if (length < 2 || length > 10) return -1;
  const generic = genericNumber(text, start, end, 'class');
  if (generic >= 0) return generic;
  return CLASSES.get(String.fromCharCode(...text.subarray(start, end)).toUpperCase()) ?? -1;
}

/** Reads the rdata of one record into `scan.out[0..scan.at)`, and the end of its entry. */
export function scanRdata(scan: RdataScan, type: number): Problem | null {
  scan.at = 0;
  const failure = isGeneric(scan.tokens) ? scanGeneric(scan, type) : scanFields(scan, type);
  if (failure !== null) return failure;
  if (scan.tokens.next() === TOKEN.end) return null;
  return (
    tokenProblem(scan.tokens) ??
    problem('extra-text', `"${scan.shown()}" is left over after the ${typeName(type)} data`)
  );
}

function scanFields(scan: RdataScan, type: number): Problem | null {
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

/** Whether the rdata begins with `\#`; the token is kept for who reads on. */
function isGeneric(tokens: Tokens): boolean {
  const kind = tokens.next();
  tokens.hold();
  const { text, start, end } = tokens;
  return kind === TOKEN.word && end - start === 2 && text[start] === BACKSLASH && text[start + 1] === HASH;
}

/** RFC 3597 §5: `\#`, the length, and that many octets in hex, in words split anywhere. */
function scanGeneric(scan: RdataScan, type: number): Problem | null {
  const { tokens } = scan;
  tokens.next();
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
