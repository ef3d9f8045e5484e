/** The files that the section `vantage` names. */

import type { Found } from './checks/keys.ts';
import { readSecretFile } from './secret-file.ts';
import type { VantageConfig } from './section-vantage.ts';
import type { Path } from './yaml-source.ts';

/**
 * What is wrong with the files of secrets. Warnings, since a command that needs none of them may be used by somebody who
 * must not read them; whoever needs a secret refuses to go on without it.
 */
export function vantageSecretFaults(vantage: VantageConfig | null): readonly Found[] {
  if (vantage === null) return [];
  const [key, file] =
    vantage.engine === 'peers' ? ['key_file', vantage.keyFile] : ['password_file', vantage.passwordFile];
  if (file === null) return [];
  const path: Path = ['vantage', key];
  const read = readSecretFile(file);
  if (!read.ok) {
    const effect = vantage.engine === 'peers' ? 'no peer can be asked' : 'etcd cannot be asked';
    const message = `vantage.${key}: ${read.fault.message}; ${effect} without it`;
    return [{ severity: 'warning', code: 'unreadable-file', path, message }];
  }
  const { warning } = read;
  return warning === null ? [] : [{ severity: 'warning', code: 'open-secret', path, message: warning.message }];
}

/** Files of certificates, with the place of each and what does not work without it. */
export function vantageTlsFiles(
  vantage: VantageConfig | null,
): readonly { readonly path: Path; readonly file: string; readonly effect: string }[] {
  if (vantage === null) return [];
  const { caFile, certFile, keyFile } = vantage.tls;
  return [
    { key: 'ca_file', file: caFile, effect: 'no certificate of the others can be checked with it' },
    { key: 'cert_file', file: certFile, effect: 'there is no certificate of our own' },
    { key: 'key_file', file: keyFile, effect: 'our own certificate cannot be used' },
  ].flatMap(({ key, file, effect }) => (file === null ? [] : [{ path: ['vantage', 'tls', key], file, effect }]));
}
