/** Key files as BIND writes and reads them: `key "name" { algorithm hmac-sha256; secret "base64"; };`, any number of them. */
import { lowerName, nameFromText } from '../zones/name.ts';
import type { ConfigFault } from './fault.ts';
import { secretOctets, tsigAlgorithm } from './tsig-key.ts';
import type { TsigAlgorithm, TsigKey } from './types.ts';

type Token = { readonly text: string; readonly quoted: boolean; readonly at: number };

/** Every sound key, and a fault with its place for the rest. Faults never quote a line: it may hold a secret. */
export function parseBindKeys(
  file: string,
  text: string,
): { readonly keys: readonly TsigKey[]; readonly faults: readonly ConfigFault[] } {
  const keys: TsigKey[] = [];
  const faults: ConfigFault[] = [];
  const fail = (at: number, message: string): void => {
    const before = text.slice(0, at).split('\n');
    const place = { file, line: before.length, col: before[before.length - 1].length + 1, text: '' };
    faults.push({ severity: 'error', code: 'key-file-syntax', at: place, message });
  };
  const tokens = tokenize(text, fail);
  let i = 0;
  const plain = (word: string): boolean => !tokens[i].quoted && tokens[i].text === word;
  const end = (): boolean => tokens[i].text === '' && !tokens[i].quoted;

  while (!end()) {
    const start = tokens[i];
    if (!plain('key')) {
      fail(start.at, `expected a key statement, got "${start.text}"`);
      i = afterStatement(tokens, i);
      continue;
    }
    i++;
    const name = tokens[i];
    const wire = nameFromText(name.text, Uint8Array.of(0));
    if (typeof wire === 'string') fail(name.at, `expected the key's name, a domain name`);
    if (!end()) i++;
    if (!plain('{')) {
      fail(tokens[i].at, 'expected "{" after the name of the key');
      i = afterStatement(tokens, i);
      continue;
    }
    i++;
    let algorithm: TsigAlgorithm | null = null;
    let secret: Uint8Array | null = null;
    const wrong = faults.length;
    while (!end() && !plain('}')) {
      const word = tokens[i++];
      const value = end() || (!tokens[i].quoted && ';{}'.includes(tokens[i].text)) ? null : tokens[i++];
      if (word.text === 'algorithm' && value !== null) {
        algorithm = tsigAlgorithm(value.text);
        if (algorithm === null) fail(value.at, `"${value.text}" is no algorithm that is supported here`);
      } else if (word.text === 'secret' && value !== null) {
        secret = secretOctets(value.text);
        if (secret === null) fail(value.at, 'the secret is not base64');
      } else fail(word.at, 'expected algorithm NAME; or secret "BASE64";');
      if (plain(';')) i++;
      else if (!plain('}')) {
        fail(tokens[i].at, 'expected ";"');
        while (!end() && !plain(';') && !plain('}')) i++;
        if (plain(';')) i++;
      }
    }
    if (plain('}')) i++;
    else fail(start.at, 'this key statement has no end');
    if (plain(';')) i++;
    else if (!end()) fail(tokens[i].at, 'expected ";" after "}"');
    if (faults.length > wrong || typeof wire === 'string') continue;
    if (algorithm === null || secret === null) {
      fail(start.at, `key "${name.text}" lacks its ${algorithm === null ? 'algorithm' : 'secret'}`);
    } else keys.push({ name: lowerName(wire), algorithm, secret });
  }
  return { keys, faults };
}

/** Words, quoted words and the signs `{ } ;`, comments left out; ends with an empty token. */
function tokenize(text: string, fail: (at: number, message: string) => void): Token[] {
  const tokens: Token[] = [];
  const pattern = /\s+|\/\/[^\n]*|#[^\n]*|\/\*[\s\S]*?\*\/|"((?:[^"\\\n]|\\.)*)"|[{};]|[^\s{};"#/]+|\/|"[^\n]*/y;
  let at = 0;
  while (at < text.length) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    const word = match?.[0] ?? '';
    if (word === '') break;
    if (word.startsWith('"') && match?.[1] === undefined) fail(at, 'this quotation has no end on its line');
    else if (match?.[1] !== undefined) tokens.push({ text: match[1].replace(/\\(.)/g, '$1'), quoted: true, at });
    else if (!/^(?:\s|\/\/|#|\/\*)/.test(word)) {
      // A base64 secret without quotation marks holds slashes: join what only this pattern took apart.
      const last = tokens[tokens.length - 1];
      const joins = last !== undefined && !last.quoted && last.at + last.text.length === at;
      if (joins && !'{};'.includes(word) && !'{};'.includes(last.text)) {
        tokens[tokens.length - 1] = { ...last, text: last.text + word };
      } else tokens.push({ text: word, quoted: false, at });
    }
    at += word.length;
  }
  tokens.push({ text: '', quoted: false, at: text.length });
  return tokens;
}

function afterStatement(tokens: readonly Token[], from: number): number {
  let depth = 0;
  let i = from;
  for (; tokens[i].text !== '' || tokens[i].quoted; i++) {
    if (tokens[i].quoted) continue;
    if (tokens[i].text === '{') depth++;
    if (tokens[i].text === '}') depth--;
    if (tokens[i].text === ';' && depth <= 0) return i + 1;
  }
  return i;
}
