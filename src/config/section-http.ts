/** `http:`, the health paths, metrics, API and pages: where they are answered, and who may do what. */
import { z } from 'zod';
import { isHostName } from '../system/host-name.ts';
import { type Found, fault, type Get } from './checks/keys.ts';
import { endpoint, oneOrMany, optional, parsed, path, section } from './fields.ts';
import { key } from './key-docs.ts';
import { readTokenFile } from './token-file.ts';
import type { HttpConfig, ServerConfig } from './types.ts';

const hostName = parsed('a host name', (value) => (isHostName(value) ? value : null));

const TOKENS = 'a file with a name and a token in each line';

const tls = section(
  {
    cert: key(optional(path('a PEM file'), null), 'The certificate in PEM; its issuers may follow it.', {
      otherwise: '`server.tls_certificate`',
    }),
    key: key(optional(path('a PEM file'), null), 'Its private key in PEM.', { otherwise: '`server.tls_key`' }),
  },
  'true for the certificate of server.tls_certificate, or the files: {cert: FILE, key: FILE}',
);

const admin = section({
  tokens: key(
    optional(path(TOKENS), null),
    'A file with `NAME TOKEN` in each line, of those who may change things. The name goes into histories and logs.',
    { otherwise: 'nobody by a token', example: 'admin.tokens' },
  ),
  clients: key(
    optional(path('a PEM file'), null),
    'Authorities (PEM) whose client certificates let in those who may change things, by their CN. It needs `http.tls`.',
    { otherwise: 'nobody by a certificate', example: 'admin-ca.pem' },
  ),
});

const read = section({
  tokens: key(path(TOKENS), 'A file like that of `http.admin.tokens`, of those who may only read.', {
    example: 'read.tokens',
  }),
});

const http = section({
  listen: key(optional(endpoint(8053), null), 'Where HTTP is answered.', { default: '127.0.0.1:8053' }),
  hosts: key(
    optional(oneOrMany(hostName, 'a list of host names'), []),
    'Names under which it may be asked besides its addresses, `localhost`, names of one label and the name of the machine.',
    { otherwise: 'none', example: '[edge1.example.net]' },
  ),
  tls: key(
    z.preprocess((value) => (value === false ? null : value === true ? {} : value), optional(tls, null)),
    'TLS: true for the certificate of `server.tls_certificate` and `server.tls_key`, or files of its own. They are read again at a reload; to turn TLS on or off takes a restart.',
    { otherwise: 'in the clear, as with false' },
  ),
  admin: key(optional(admin, null), 'Who may change things over HTTP.', { otherwise: 'nobody' }),
  read: key(
    optional(read, null),
    'Who may read, besides those who may change things. `/livez`, `/readyz` and `/healthz` (without its reasons) stay open.',
    { otherwise: 'whoever reaches the address' },
  ),
});

export const httpKeys = {
  http: key(
    z.preprocess((value) => (value === false ? null : value), optional(http, null)),
    'Status page, health, metrics and API over HTTP. false: off.',
    { otherwise: 'the defaults of its keys' },
  ),
};

type HttpSection = z.output<typeof httpKeys.http>;

/** `http: false` is null. */
export function httpConfig(
  given: HttpSection,
  isOff: boolean,
  server: ServerConfig,
  at: (path: string) => string,
): HttpConfig | null {
  if (isOff) return null;
  const maybe = (file: string | null): string | null => (file === null ? null : at(file));
  const { listen = null, hosts = [], tls: files = null, admin = null, read = null } = given ?? {};
  return {
    listen: listen ?? { address: '127.0.0.1', port: 8053 },
    hosts,
    tls: files === null ? null : httpTls(files, server, at),
    admin: admin === null ? null : { tokens: maybe(admin.tokens), clients: maybe(admin.clients) },
    read: read === null ? null : { tokens: at(read.tokens) },
  };
}

function httpTls(files: z.output<typeof tls>, server: ServerConfig, at: (path: string) => string) {
  const own = files.cert !== null && files.key !== null ? { cert: at(files.cert), key: at(files.key) } : null;
  // Without the files of `server` there is a fault, and this is not used.
  return own ?? { cert: server.tlsCertificate ?? '', key: server.tlsKey ?? '' };
}

/** What is wrong between keys that are each fine alone. Reads the plain values. */
export function httpFaults(get: Get): readonly Found[] {
  const isGiven = (...at: readonly string[]): boolean => (get(...at) ?? null) !== null;
  const found: Found[] = [];
  const hasTls = isGiven('http', 'tls') && get('http', 'tls') !== false;
  const [hasCert, hasKey] = [isGiven('http', 'tls', 'cert'), isGiven('http', 'tls', 'key')];
  if (hasCert !== hasKey) {
    const missing = hasCert ? 'key' : 'cert';
    found.push(fault(['http', 'tls'], 'missing-key', `http.tls.${missing}: missing; a certificate needs its key`));
  } else if (hasTls && !hasCert && !(isGiven('server', 'tls_certificate') && isGiven('server', 'tls_key'))) {
    const message =
      'http.tls: there are no server.tls_certificate and server.tls_key to use; give {cert: FILE, key: FILE}';
    found.push(fault(['http', 'tls'], 'missing-key', message));
  }
  if (isGiven('http', 'admin') && !isGiven('http', 'admin', 'tokens') && !isGiven('http', 'admin', 'clients')) {
    const message = 'http.admin: needs tokens, clients or both; nobody can be told apart without';
    found.push(fault(['http', 'admin'], 'missing-key', message));
  }
  if (isGiven('http', 'admin', 'clients') && !hasTls) {
    const message = 'http.admin.clients: client certificates need http.tls';
    found.push(fault(['http', 'admin', 'clients'], 'missing-key', message));
  }
  return found;
}

/**
 * What is wrong with the files of tokens. Warnings, since a command may be used by somebody who must not read them, and
 * DNS goes on without them: whoever is not in a file that can be read is not let in.
 */
export function tokenFileFaults(http: HttpConfig | null): readonly Found[] {
  const files = [
    { at: ['http', 'admin', 'tokens'], file: http?.admin?.tokens ?? null },
    { at: ['http', 'read', 'tokens'], file: http?.read?.tokens ?? null },
  ];
  return files.flatMap(({ at, file }) =>
    file === null
      ? []
      : readTokenFile(file).faults.map(({ code, message }) => ({
          severity: 'warning' as const,
          code: code === 'open-secret' ? code : code === 'unreadable-file' ? code : ('bad-value' as const),
          path: at,
          message: `${at.join('.')}: ${message}`,
        })),
  );
}
