/** The section `vantage` with what its files hold. */

import { readSecretFile } from '../../config/secret-file.ts';
import type { EtcdVantage } from '../../config/section-vantage.ts';
import { certificateFault } from '../../system/pem.ts';
import { FILE_MAX, readFileNow } from '../../system/read-file.ts';
import type { EtcdClientOptions } from './client/client.ts';

export type EtcdSettings = { readonly vantage: EtcdVantage; readonly client: EtcdClientOptions };

/** `faults`: why etcd cannot be asked; no settings then. */
export type EtcdSettingsRead =
  | { readonly ok: true; readonly settings: EtcdSettings }
  | { readonly ok: false; readonly faults: readonly string[] };

export function readEtcdSettings(vantage: EtcdVantage): EtcdSettingsRead {
  const faults: string[] = [];
  const { endpoints, timeout, user, passwordFile, tls } = vantage;
  const pem = (path: string | null, isCertificate: boolean): string | null => {
    if (path === null) return null;
    const read = readFileNow(path, FILE_MAX.secret);
    const text = read.ok ? read.octets.toString() : '';
    const fault = !read.ok ? read.message : isCertificate ? (certificateFault(text)?.message ?? null) : null;
    if (fault !== null) faults.push(`${path}: ${fault}`);
    return text;
  };
  const files = { ca: pem(tls.caFile, true), cert: pem(tls.certFile, true), key: pem(tls.keyFile, false) };
  const secret = user === null || passwordFile === null ? null : readSecretFile(passwordFile);
  if (secret?.ok === false) faults.push(secret.fault.message);
  if (faults.length > 0) return { ok: false, faults };
  const login = user === null || secret?.ok !== true ? null : { name: user, password: secret.secret };
  return { ok: true, settings: { vantage, client: { endpoints, timeoutMs: timeout * 1000, user: login, tls: files } } };
}
