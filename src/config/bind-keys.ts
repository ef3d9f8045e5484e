/**
 * Key files as BIND writes and reads them: `key "name" { algorithm hmac-sha256; secret "base64"; };`, any number of
 * them.
 */
import { lowerName, nameFromText } from '../dns/name.ts';
import type { TsigAlgorithm, TsigKey } from '../dns/tsig-key.ts';
import { isPublishedSecret, PUBLISHED_SECRET, secretOctets, tsigAlgorithm } from '../dns/tsig-key.ts';
import { type BindToken, scanBindTokens } from './bind-tokens.ts';
import type { ConfigFault } from './fault.ts';

export type BindKeys = { readonly keys: readonly TsigKey[]; readonly faults: readonly ConfigFault[] };

/** Every sound key, and a fault with its place for the rest. Faults quote nothing but key names: whatever stands
 * in the wrong place may be the secret. */
export function parseBindKeys(file: string, text: string): BindKeys {
  const faults: ConfigFault[] = [];
  const fail = (at: number, message: string): void => {
    const before = text.slice(0, at).split('\n');
    const place = { file, line: before.length, col: before[before.length - 1].length + 1, text: '' };
    faults.push({ severity: 'error', code: 'key-file-syntax', at: place, message });
  };
  const cursor = new Cursor(scanBindTokens(text, fail));
  const keys: TsigKey[] = [];
  while (!cursor.ended()) {
    const before = faults.length;
    const key = readStatement(cursor, fail);
    // A key with a fault anywhere in its statement is not trusted, even where its parts look whole.
    if (key !== null && faults.length === before) keys.push(key);
  }
  return { keys, faults };
}

type Fail = (at: number, message: string) => void;

/** Walks the tokens; the last one, empty and unquoted, is the end and is never passed. */
class Cursor {
  readonly #tokens: readonly BindToken[];
  #next = 0;

  constructor(tokens: readonly BindToken[]) {
    this.#tokens = tokens;
  }

  peek(): BindToken {
    return this.#tokens[this.#next];
  }

  ended(): boolean {
    return this.#next === this.#tokens.length - 1;
  }

  take(): BindToken {
    const token = this.peek();
    if (!this.ended()) this.#next++;
    return token;
  }

  at(sign: string): boolean {
    return !this.peek().quoted && this.peek().text === sign;
  }

  /** Passes the sign if it is next. */
  pass(sign: string): boolean {
    const found = this.at(sign);
    if (found) this.take();
    return found;
  }

  /** To after the `;` that ends the statement begun at the current token, nested braces included. */
  skipStatement(): void {
    for (let depth = 0; !this.ended(); ) {
      if (this.at('{')) depth++;
      if (this.at('}')) depth--;
      const last = this.at(';') && depth <= 0;
      this.take();
      if (last) return;
    }
  }
}

function readStatement(cursor: Cursor, fail: Fail): TsigKey | null {
  const start = cursor.peek();
  if (!cursor.at('key')) {
    fail(start.at, 'expected a key statement: key "NAME" { … };');
    cursor.skipStatement();
    return null;
  }
  cursor.take();
  const name = cursor.take();
  const wire = nameFromText(name.text, Uint8Array.of(0));
  if (typeof wire === 'string') fail(name.at, "expected the key's name, a domain name");
  if (!cursor.pass('{')) {
    fail(cursor.peek().at, 'expected "{" after the name of the key');
    cursor.skipStatement();
    return null;
  }
  const { algorithm, secret } = readClauses(cursor, fail);
  if (!cursor.pass('}')) fail(start.at, 'this key statement has no end');
  if (!cursor.pass(';') && !cursor.ended()) fail(cursor.peek().at, 'expected ";" after "}"');
  if (algorithm === undefined) fail(start.at, `key "${name.text}" lacks its algorithm`);
  if (secret === undefined) fail(start.at, `key "${name.text}" lacks its secret`);
  if (typeof wire === 'string' || !algorithm || !secret) return null;
  return { name: lowerName(wire), algorithm, secret };
}

/** Undefined: not there; null: there, but wrong, which is reported. */
type Clauses = { algorithm?: TsigAlgorithm | null; secret?: Uint8Array | null };

/** Up to the closing brace, or the end. */
function readClauses(cursor: Cursor, fail: Fail): Clauses {
  const found: Clauses = {};
  while (!cursor.ended() && !cursor.at('}')) {
    const word = cursor.take();
    const value = cursor.ended() || ['{', '}', ';'].some((sign) => cursor.at(sign)) ? null : cursor.take();
    if (word.text === 'algorithm' && value !== null) {
      found.algorithm = tsigAlgorithm(value.text);
      if (found.algorithm === null) fail(value.at, 'no algorithm that is supported here, such as hmac-sha256');
    } else if (word.text === 'secret' && value !== null) {
      found.secret = secretOctets(value.text);
      if (found.secret === null) fail(value.at, 'the secret is not base64');
      else if (isPublishedSecret(found.secret)) {
        fail(value.at, PUBLISHED_SECRET);
        found.secret = null;
      }
    } else fail(word.at, 'expected algorithm NAME; or secret "BASE64";');
    if (cursor.pass(';') || cursor.at('}')) continue;
    fail(cursor.peek().at, 'expected ";"');
    while (!cursor.ended() && !cursor.at('}') && !cursor.pass(';')) cursor.take();
  }
  return found;
}
