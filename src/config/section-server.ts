/** `server:` and `http:`, what answers and on which addresses. Every key has a default. */
import { randomBytes } from 'node:crypto';
import { availableParallelism, networkInterfaces } from 'node:os';
import { z } from 'zod';
import { isHostName } from '../system/host-name.ts';
import { endpoint, flag, list, number, oneOrMany, optional, parsed, path, prefix, section, text } from './fields.ts';
import { besideConfig } from './paths.ts';
import type { ServerConfig } from './types.ts';

const COOKIE_SECRET_OCTETS = 16; // SipHash-2-4's key, RFC 9018 §4.4

const rateLimit = section({
  per_second: optional(number('answers in a second', { min: 1, max: 1_000_000 }), 20),
  slip: optional(
    number('a number N: every Nth dropped response is sent truncated, 0 for none', { min: 0, max: 1000 }),
    2,
  ),
  ipv4_prefix: optional(number('a prefix length', { min: 1, max: 32 }), 24),
  ipv6_prefix: optional(number('a prefix length', { min: 1, max: 128 }), 56),
  whitelist: optional(list(prefix(), 'a list of prefixes'), []),
  size: optional(number('a number of buckets', { min: 1024, max: 2 ** 26 }), 2 ** 18),
});

/** Printed as an example by an earlier version: with it anybody could make cookies of ours. */
const PUBLISHED_COOKIE_SECRET = '00112233445566778899aabbccddeeff';

const cookieSecret = parsed(
  '32 hexadecimal digits (16 octets), such as "openssl rand -hex 16" prints, not the example\'s',
  (value) =>
    /^[0-9a-f]{32}$/i.test(value) && value.toLowerCase() !== PUBLISHED_COOKIE_SECRET
      ? Uint8Array.from(Buffer.from(value, 'hex'))
      : null,
);

const hostName = parsed('a host name', (value) => (isHostName(value) ? value : null));

const server = section({
  listen: optional(oneOrMany(endpoint(53), 'a list of addresses with ports'), null),
  tls_listen: optional(oneOrMany(endpoint(853), 'a list of addresses with ports'), []),
  tls_certificate: optional(path('a PEM file'), null),
  tls_key: optional(path('a PEM file'), null),
  udp_workers: optional(number('a number of threads', { min: 1, max: 256 }), null),
  edns_size: optional(number('a number of octets', { min: 512, max: 4096 }), 1232),
  tcp_idle_timeout: optional(number('seconds', { min: 1, max: 3600, integer: false }), 30),
  tcp_message_timeout: optional(number('seconds', { min: 1, max: 3600, integer: false }), 10),
  tcp_connections: optional(number('a number of connections', { min: 1, max: 1_000_000 }), 1000),
  tcp_connections_per_client: optional(number('a number of connections', { min: 1, max: 1_000_000 }), 100),
  nsid: optional(
    parsed('at most 64 octets, as text or as 0x and hexadecimal digits', (value) => {
      const hex = /^0x((?:[0-9a-f]{2})+)$/i.exec(value);
      const octets = hex === null ? Buffer.from(value, 'utf8') : Buffer.from(hex[1], 'hex');
      return octets.length > 0 && octets.length <= 64 ? Uint8Array.from(octets) : null;
    }),
    null,
  ),
  version: optional(characterString(), null),
  id: optional(characterString(), null),
  minimal_responses: optional(flag(), false),
  user: optional(text('a user name'), null),
  startup_timeout: optional(number('seconds', { min: 0, max: 3600, integer: false }), 30),
  // false turns off what a missing key leaves at its default.
  rate_limit: z.preprocess((value) => (value === false ? null : value), optional(rateLimit, null)),
  cookie_secret: z.preprocess(
    (value) => (value === false ? [] : value),
    optional(oneOrMany(cookieSecret, 'a secret or a list of secrets, the first of which signs'), null),
  ),
});

/** RFC 1035 §3.3: one character-string. */
function characterString() {
  return text('a text of at most 255 octets').refine((value) => Buffer.byteLength(value) <= 255, {
    error: 'expected a text of at most 255 octets',
    params: { code: 'out-of-range' },
  });
}

export const serverKeys = {
  server: optional(server, null),
  http: z.preprocess(
    (value) => (value === false ? null : value),
    optional(
      section({
        listen: optional(endpoint(8053), null),
        hosts: optional(oneOrMany(hostName, 'a list of host names'), []),
      }),
      null,
    ),
  ),
};

type ServerSection = z.output<typeof server>;

/** Without a secret in the configuration: one per process, so that a reload does not make every cookie stale. */
const processSecret = Uint8Array.from(randomBytes(COOKIE_SECRET_OCTETS));

export function serverConfig(configFile: string, given: ServerSection | null): ServerConfig {
  const keys = given ?? server.parse({});
  const file = (path: string | null): string | null => (path === null ? null : besideConfig(configFile, path));
  const limit = keys.rate_limit;
  return {
    listen: keys.listen ?? loopbacks(),
    tlsListen: keys.tls_listen,
    tlsCertificate: file(keys.tls_certificate),
    tlsKey: file(keys.tls_key),
    // One core is left to the main thread, the prober and TCP.
    udpWorkers: keys.udp_workers ?? Math.max(1, availableParallelism() - 1),
    ednsSize: keys.edns_size,
    tcpIdleSeconds: keys.tcp_idle_timeout,
    tcpMessageSeconds: keys.tcp_message_timeout,
    tcpConnections: keys.tcp_connections,
    tcpConnectionsPerClient: keys.tcp_connections_per_client,
    nsid: keys.nsid,
    version: keys.version,
    id: keys.id,
    minimal: keys.minimal_responses,
    user: keys.user,
    startupTimeoutSeconds: keys.startup_timeout,
    rateLimit:
      limit === null
        ? null
        : {
            perSecond: limit.per_second,
            slip: limit.slip,
            ipv4Prefix: limit.ipv4_prefix,
            ipv6Prefix: limit.ipv6_prefix,
            whitelist: limit.whitelist,
            size: limit.size,
          },
    cookieSecrets:
      keys.cookie_secret === null ? [processSecret] : keys.cookie_secret.length === 0 ? null : keys.cookie_secret,
  };
}

/** Port 53 of this machine. Without IPv6 there is no ::1, and nobody asked for it. */
function loopbacks(): ServerConfig['listen'] {
  const hasSix = Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some(({ address }) => address === '::1'),
  );
  const four = { address: '127.0.0.1', port: 53 };
  return hasSix ? [four, { address: '::1', port: 53 }] : [four];
}
