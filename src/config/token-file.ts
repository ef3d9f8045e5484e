/** Files of tokens for HTTP: `NAME TOKEN` in each line; empty lines, and those that begin with `#`, do not count. */
import { createHash } from 'node:crypto';
import type { Fault } from '../system/fault.ts';
import { readSecretText } from './secret-file.ts';

/** A person or program, as logs and histories name it. `digest`: SHA-256 of the token, which itself is not kept. */
export type NamedToken = { readonly name: string; readonly digest: Uint8Array };

/**
 * Tokens of the lines that can be used; those that cannot are a fault each, and let nobody in. `tokens` null: the file
 * cannot be read, though it is there.
 */
export type TokenFileRead = { readonly tokens: readonly NamedToken[] | null; readonly faults: readonly Fault[] };

/** Characters; 16 random ones are 96 bits and more. */
const TOKEN_MIN = 16;
const TOKEN_MAX = 256;
/** Each token that a request brings is compared with every one of these. */
const TOKENS_MAX = 1000;

/** Lines that cannot be used, of which each is a fault of its own. */
const FAULTS_MAX = 20;

/** What `Authorization: Bearer` can carry (RFC 6750 section 2.1). */
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$/;

export function tokenDigest(token: string): Uint8Array {
  return createHash('sha256').update(token, 'utf8').digest();
}

/** No fault repeats a token. */
export function readTokenFile(path: string): TokenFileRead {
  const read = readSecretText(path);
  if (!read.ok) return { tokens: read.isMissing ? [] : null, faults: [read.fault] };
  const { tokens, faults } = parseTokens(path, read.text);
  return { tokens, faults: read.warning === null ? faults : [read.warning, ...faults] };
}

type Parsed = { readonly tokens: readonly NamedToken[]; readonly faults: readonly Fault[] };

/** The contents of such a file. */
export function parseTokens(path: string, text: string): Parsed {
  const tokens = new Map<string, NamedToken>();
  const lineOf = new Map<string, number>();
  const faults: Fault[] = [];
  for (const [i, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const words = line.split(/\s+/);
    const [name = '', token = ''] = words;
    const digest = tokenDigest(token);
    const key = Buffer.from(digest).toString('hex');
    const why = words.length !== 2 ? 'expected a name and a token' : whyNot(name, token, tokens, lineOf, key);
    if (why === null) {
      tokens.set(name, { name, digest });
      lineOf.set(key, i + 1);
      continue;
    }
    if (faults.length >= FAULTS_MAX) continue;
    const message = `${path}:${i + 1}: ${why}; this line lets nobody in`;
    faults.push({ severity: 'error', code: 'bad-value', at: null, message });
  }
  if (tokens.size === 0) {
    const message = `${path}: has no token that can be used; it lets nobody in`;
    faults.push({ severity: 'error', code: 'bad-value', at: null, message });
  }
  return { tokens: [...tokens.values()], faults };
}

function whyNot(
  name: string,
  token: string,
  tokens: ReadonlyMap<string, NamedToken>,
  lineOf: ReadonlyMap<string, number>,
  key: string,
): string | null {
  if (!NAME.test(name)) return 'a name has up to 64 letters, digits and . _ @ + -';
  if (!TOKEN.test(token)) return 'a token has letters, digits and . _ ~ + / -, such as "openssl rand -hex 24" prints';
  if (token.length < TOKEN_MIN) return `a token of ${token.length} characters is too short; ${TOKEN_MIN} are the least`;
  if (token.length > TOKEN_MAX) return `a token has at most ${TOKEN_MAX} characters`;
  if (tokens.has(name)) return `${name} has a token already`;
  const before = lineOf.get(key);
  if (before !== undefined) return `line ${before} has the same token`;
  return tokens.size >= TOKENS_MAX ? `there are ${TOKENS_MAX} tokens already` : null;
}
