/** The files of `http`: tokens, authorities of client certificates, and the certificate of the server itself. */

import { readCertificate } from '../config/tls-files.ts';
import { type NamedToken, readTokenFile } from '../config/token-file.ts';
import type { HttpConfig } from '../config/types.ts';
import type { AccessRules } from '../server/control/http/access.ts';
import type { HttpTls } from '../server/control/http/tls-front.ts';
import { endpointText } from '../system/address.ts';
import { type Fault, plainFault } from '../system/fault.ts';
import { certificateFault } from '../system/pem.ts';
import { FILE_MAX, readFileNow } from '../system/read-file.ts';

/**
 * What the files held when they could be read last. One that can be read no more (a server gives up its rights) leaves
 * what it held in force, and is a fault; one that was taken away lets nobody in.
 */
export type HttpFiles = {
  readonly rules: AccessRules;
  /** Null: in the clear. */
  readonly tls: (HttpTls & { readonly notAfter: number }) | null;
  /** Of tokens and authorities: those who should be let in are not, or others still are. */
  readonly faults: readonly Fault[];
  /** Why the certificate cannot be used, or will be refused soon. */
  readonly tlsFaults: readonly Fault[];
};

/** `before`: what is in force; null at the start. */
export function readHttpFiles(http: HttpConfig, before: HttpFiles | null, nowSeconds: number): HttpFiles {
  const faults: Fault[] = [];
  const tokens = (key: string, file: string, old: readonly NamedToken[] | null | undefined): readonly NamedToken[] => {
    const read = readTokenFile(file);
    const kept = read.tokens === null ? '; the tokens that were read before stay in force' : '';
    for (const fault of read.faults) faults.push({ ...fault, message: `${key}: ${fault.message}${kept}` });
    return read.tokens ?? old ?? [];
  };
  const { admin, read } = http;
  const admins =
    admin === null
      ? null
      : admin.tokens === null
        ? []
        : tokens('http.admin.tokens', admin.tokens, before?.rules.admins);
  const readers = read === null ? null : tokens('http.read.tokens', read.tokens, before?.rules.readers);
  const clients = admin?.clients ?? null;
  const authorities = clients === null ? null : readAuthorities(clients, before?.tls?.clients ?? null, faults);
  const { tls, tlsFaults } = readTlsOf(http, authorities, before, nowSeconds);
  return { rules: { admins, readers, hasClients: authorities !== null }, tls, faults, tlsFaults };
}

function readAuthorities(file: string, before: string | null, faults: Fault[]): string | null {
  const refuse = (why: string, result: string | null): string | null => {
    faults.push(plainFault('client-authorities', `http.admin.clients: ${file}: ${why}`));
    return result;
  };
  const read = readFileNow(file, FILE_MAX.secret);
  if (!read.ok && read.code === 'ENOENT') return refuse(`${read.message}; no client certificate lets anybody in`, null);
  if (!read.ok) return refuse(`${read.message}; those that were read before stay in force`, before);
  const text = read.octets.toString('utf8');
  const fault = certificateFault(text);
  if (fault === null) return text;
  return refuse(`line ${fault.line}: ${fault.message}; no client certificate lets anybody in`, null);
}

function readTlsOf(
  { tls }: HttpConfig,
  clients: string | null,
  before: HttpFiles | null,
  nowSeconds: number,
): Pick<HttpFiles, 'tls' | 'tlsFaults'> {
  if (tls === null) return { tls: null, tlsFaults: [] };
  const [cert, key] = [
    { file: tls.cert, key: 'the certificate of http.tls' },
    { file: tls.key, key: 'the key of http.tls' },
  ];
  const { tls: files, faults } = readCertificate(cert, key, nowSeconds);
  const old = before?.tls ?? null;
  const inForce = files ?? old;
  const kept = files === null && old !== null ? '; the one before stays in use' : '';
  return {
    tls: inForce === null ? null : { ...inForce, clients },
    tlsFaults: faults.map((fault) => ({ ...fault, message: `http: ${fault.message}${kept}` })),
  };
}

/** What an operator should know of an address that others reach. */
export function exposureWarnings({ listen, tls, admin, read }: HttpConfig): readonly string[] {
  if (isLoopback(listen.address)) return [];
  const where = `http.listen: ${endpointText(listen)} can be reached from other machines`;
  const warnings: string[] = [];
  if (tls === null) warnings.push(`${where}, and without http.tls tokens and pages can be read on the way`);
  if (read === null && admin === null)
    warnings.push(`${where}, and without http.read whoever does so reads everything`);
  return warnings;
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^(?:::ffff:)?127\./i.test(address);
}
