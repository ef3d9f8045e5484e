import type { Fault } from '../system/fault.ts';
import { FILE_MAX, readFileNow } from '../system/read-file.ts';
import { Secret } from '../system/secret.ts';

export type SecretRead =
  | { readonly ok: true; readonly secret: Secret; readonly warning: Fault | null }
  | { readonly ok: false; readonly fault: Fault };

const SECRET_MAX = 4096; // octets
const MODE_OF_OTHERS = 0o004;

/** What the file of a secret holds. `isMissing`: there is no such file. */
export type SecretText =
  | { readonly ok: true; readonly text: string; readonly warning: Fault | null }
  | { readonly ok: false; readonly isMissing: boolean; readonly fault: Fault };

/**
 * Reads a token, key or password: the only line of a file. One that every user of the machine can read is a warning. No
 * fault repeats what is in the file.
 */
export function readSecretFile(path: string): SecretRead {
  const refuse = (why: string): SecretRead => ({
    ok: false,
    fault: { severity: 'error', code: 'bad-value', at: null, message: `${path}: ${why}` },
  });
  const read = readSecretText(path);
  if (!read.ok) return read;
  if (Buffer.byteLength(read.text) > SECRET_MAX) return refuse(`is longer than ${SECRET_MAX} octets`);
  const text = read.text.trim();
  if (text === '') return refuse('is empty; it should hold a token, key or password in one line');
  if (/[\p{Cc}\uFFFD]/u.test(text)) return refuse('is not one line of text');
  return { ok: true, secret: new Secret(text), warning: read.warning };
}

/** The whole of such a file, with the same warning. */
export function readSecretText(path: string): SecretText {
  const read = readFileNow(path, FILE_MAX.secret);
  if (!read.ok) {
    const message = `${path}: ${read.message}`;
    const fault: Fault = { severity: 'error', code: 'unreadable-file', at: null, message };
    return { ok: false, isMissing: read.code === 'ENOENT', fault };
  }
  const isOpen = (read.stats.mode & MODE_OF_OTHERS) !== 0;
  const message = `${path}: every user of this machine can read it; "chmod o-r" keeps it to its owner and group`;
  const warning: Fault | null = isOpen ? { severity: 'warning', code: 'open-secret', at: null, message } : null;
  return { ok: true, text: read.octets.toString('utf8'), warning };
}
