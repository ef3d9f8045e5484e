import type { Fault } from '../system/fault.ts';
import { FILE_MAX, readFileNow } from '../system/read-file.ts';
import { Secret } from '../system/secret.ts';

export type SecretRead =
  | { readonly ok: true; readonly secret: Secret; readonly warning: Fault | null }
  | { readonly ok: false; readonly fault: Fault };

const SECRET_MAX = 4096; // octets
const MODE_OF_OTHERS = 0o004;

/**
 * Reads a token, key or password: the only line of a file. One that every user of the machine can read is a warning. No
 * fault repeats what is in the file.
 */
export function readSecretFile(path: string): SecretRead {
  const refuse = (code: string, why: string): SecretRead => ({
    ok: false,
    fault: { severity: 'error', code, at: null, message: `${path}: ${why}` },
  });
  const read = readFileNow(path, FILE_MAX.secret);
  if (!read.ok) return refuse('unreadable-file', read.message);
  if (read.octets.length > SECRET_MAX) return refuse('bad-value', `is longer than ${SECRET_MAX} octets`);
  const text = read.octets.toString('utf8').trim();
  if (text === '') return refuse('bad-value', 'is empty; it should hold a token, key or password in one line');
  if (/[\p{Cc}\uFFFD]/u.test(text)) return refuse('bad-value', 'is not one line of text');
  const isOpen = (read.stats.mode & MODE_OF_OTHERS) !== 0;
  const message = `${path}: every user of this machine can read it; "chmod o-r" keeps it to its owner and group`;
  const warning: Fault | null = isOpen ? { severity: 'warning', code: 'open-secret', at: null, message } : null;
  return { ok: true, secret: new Secret(text), warning };
}
