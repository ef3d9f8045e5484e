/** The files that the section `vantage` names. */

import type { Fault } from '../system/fault.ts';
import type { Found } from './checks/keys.ts';
import { readSecretFile } from './secret-file.ts';
import type { VantageConfig } from './section-vantage.ts';
import { readKeyFile } from './vantage-key.ts';
import type { Path } from './yaml-source.ts';

/**
 * What is wrong with the files of secrets. Warnings, since a command that needs none of them may be used by somebody who
 * must not read them; whoever needs a secret refuses to go on without it.
 */
export function vantageSecretFaults(vantage: VantageConfig | null): readonly Found[] {
  if (vantage === null) return [];
  if (vantage.engine === 'peers') {
    return secretFaults('key_file', readKeyFile(vantage.keyFile).faults, 'no peer can be asked');
  }
  if (vantage.passwordFile === null) return [];
  const read = readSecretFile(vantage.passwordFile);
  const fault = read.ok ? read.warning : read.fault;
  return secretFaults('password_file', fault === null ? [] : [fault], 'etcd cannot be asked');
}

function secretFaults(key: string, faults: readonly Fault[], effect: string): readonly Found[] {
  const path: Path = ['vantage', key];
  return faults.map(({ severity, message }) =>
    severity === 'error'
      ? {
          severity: 'warning',
          code: 'unreadable-file',
          path,
          message: `vantage.${key}: ${message}; ${effect} without it`,
        }
      : { severity, code: 'open-secret', path, message },
  );
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
