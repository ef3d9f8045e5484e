/** The section `vantage` with engine `peers`, and what is in its files. */
import type { PeersVantage } from '../../config/section-vantage.ts';
import { readCertificate } from '../../config/tls-files.ts';
import { readKeyFile } from '../../config/vantage-key.ts';
import type { Fault } from '../../system/fault.ts';
import { FILE_MAX, readFileNow } from '../../system/read-file.ts';
import type { PeersSettings } from './engine.ts';

/** `settings` null: an error says which file cannot be used. Warnings come with usable settings. */
export type PeersSettingsRead = { readonly settings: PeersSettings | null; readonly faults: readonly Fault[] };

/** Reads the files now: at the start before rights are given up, and at a reload. `interval`: seconds between two views. */
export function readPeersSettings(vantage: PeersVantage, interval: number, nowSeconds: number): PeersSettingsRead {
  const { name, listen, peers, timeout, tls: files } = vantage;
  const { key, faults: keyFaults } = readKeyFile(vantage.keyFile);
  const { tls, faults: tlsFaults } =
    files.certFile === null || files.keyFile === null
      ? { tls: null, faults: [] }
      : readCertificate(
          { file: files.certFile, key: 'vantage.tls.cert_file' },
          { file: files.keyFile, key: 'vantage.tls.key_file' },
          nowSeconds,
        );
  const ca = files.caFile === null ? null : readFileNow(files.caFile, FILE_MAX.secret);
  const faults: Fault[] = [...keyFaults, ...tlsFaults];
  if (ca !== null && !ca.ok) {
    const message = `${files.caFile ?? ''}: cannot read vantage.tls.ca_file: ${ca.message}`;
    faults.push({ severity: 'error', code: 'unreadable-file', at: null, message });
  }
  if (key === null || faults.some(({ severity }) => severity === 'error')) return { settings: null, faults };
  const settings: PeersSettings = {
    name,
    listen,
    peers,
    key,
    tls: tls === null ? null : { certificate: tls.certificate, key: tls.key },
    ca: ca?.ok === true ? ca.octets.toString('utf8') : null,
    interval,
    timeout,
  };
  return { settings, faults };
}
