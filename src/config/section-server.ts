/** `server:`, what answers and on which addresses. Every key has a default. */
import { randomBytes } from 'node:crypto';
import { availableParallelism, networkInterfaces } from 'node:os';
import { z } from 'zod';
import { endpoint, flag, list, number, oneOrMany, optional, parsed, path, prefix, section, text } from './fields.ts';
import { key } from './key-docs.ts';
import { besideConfig } from './paths.ts';
import { dnstap, dnstapConfig } from './section-dnstap.ts';
import type { ServerConfig } from './types.ts';

const COOKIE_SECRET_OCTETS = 16; // SipHash-2-4's key, RFC 9018 §4.4

const rateLimit = section({
  per_second: key(
    optional(number('answers in a second', { min: 1, max: 1_000_000 }), 20),
    'Answers of one kind to one client network in a second.',
  ),
  slip: key(
    optional(number('a number N: every Nth dropped response is sent truncated, 0 for none', { min: 0, max: 1000 }), 2),
    'Every n-th answer over the limit goes out truncated, so that a real client can ask over TCP. 0: none.',
  ),
  ipv4_prefix: key(
    optional(number('a prefix length', { min: 1, max: 32 }), 24),
    'How many bits of an IPv4 address make one client network.',
  ),
  ipv6_prefix: key(optional(number('a prefix length', { min: 1, max: 128 }), 56), 'The same for IPv6.'),
  whitelist: key(optional(list(prefix(), 'a list of prefixes'), []), 'Clients that are never limited.', {
    otherwise: 'none',
    example: '[127.0.0.0/8, "::1"]',
  }),
  size: key(
    optional(number('a number of buckets', { min: 1024, max: 2 ** 26 }), 2 ** 18),
    'Buckets, in a fixed amount of memory.',
  ),
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

const server = section({
  listen: key(
    optional(oneOrMany(endpoint(53), 'a list of addresses with ports'), null),
    'Where UDP and TCP are answered: one address or a list. Port 53 where none is given.',
    {
      otherwise: 'port 53 of 127.0.0.1 and, where the machine has it, of ::1',
      example: '["192.0.2.53:53", "[2001:db8::53]:53"]',
    },
  ),
  tls_listen: key(
    optional(oneOrMany(endpoint(853), 'a list of addresses with ports'), []),
    'Where DNS and transfers over TLS are answered (RFC 7858, RFC 9103). Port 853 where none is given.',
    { otherwise: 'nowhere', example: '"192.0.2.53"' },
  ),
  tls_certificate: key(optional(path('a PEM file'), null), 'The certificate in PEM; its issuers may follow it.', {
    otherwise: 'none; `tls_listen` needs it',
  }),
  tls_key: key(optional(path('a PEM file'), null), 'The key of the certificate in PEM.', {
    otherwise: 'none; `tls_listen` needs it',
  }),
  udp_workers: key(optional(number('a number of threads', { min: 1, max: 256 }), null), 'Threads that answer UDP.', {
    otherwise: 'the number of cores less one',
    example: '2',
  }),
  edns_size: key(
    optional(number('a number of octets', { min: 512, max: 4096 }), 1232),
    'The largest UDP answer. 1232 passes everywhere without fragments.',
  ),
  tcp_idle_timeout: key(
    optional(number('seconds', { min: 1, max: 3600, integer: false }), 30),
    'How long a TCP connection may be idle.',
  ),
  tcp_message_timeout: key(
    optional(number('seconds', { min: 1, max: 3600, integer: false }), 10),
    'How long a message, or the handshake of TLS, may take to arrive or to be taken.',
  ),
  tcp_connections: key(
    optional(number('a number of connections', { min: 1, max: 1_000_000 }), 1000),
    'TCP connections in all, TLS among them. At the limit idle ones give way to new ones.',
  ),
  tcp_connections_per_client: key(
    optional(number('a number of connections', { min: 1, max: 1_000_000 }), 100),
    'TCP connections from one address (IPv6: one /64).',
  ),
  nsid: key(
    optional(
      parsed('at most 64 octets, as text or as 0x and hexadecimal digits', (value) => {
        const hex = /^0x((?:[0-9a-f]{2})+)$/i.exec(value);
        const octets = hex === null ? Buffer.from(value, 'utf8') : Buffer.from(hex[1], 'hex');
        return octets.length > 0 && octets.length <= 64 ? Uint8Array.from(octets) : null;
      }),
      null,
    ),
    'The answer to NSID (RFC 5001).',
    { otherwise: 'none', example: 'fra1' },
  ),
  version: key(optional(characterString(), null), 'The answer to `version.bind` (RFC 4892).', { otherwise: 'refused' }),
  id: key(optional(characterString(), null), 'The answer to `id.server` (RFC 4892).', { otherwise: 'refused' }),
  minimal_responses: key(optional(flag(), false), 'Leave out authority and additional records that no resolver needs.'),
  user: key(optional(text('a user name'), null), 'Change to this user once the ports are open.', {
    otherwise: 'it stays the user that started it',
  }),
  startup_timeout: key(
    optional(number('seconds', { min: 0, max: 3600, integer: false }), 30),
    'How long the first start waits for the first probing round before it answers without one.',
  ),
  // false turns off what a missing key leaves at its default.
  rate_limit: key(
    z.preprocess((value) => (value === false ? null : value), optional(rateLimit, null)),
    'Response rate limiting (RRL).',
    { otherwise: 'off, as with false' },
  ),
  cookie_secret: key(
    z.preprocess(
      (value) => (value === false ? [] : value),
      optional(oneOrMany(cookieSecret, 'a secret or a list of secrets, the first of which signs'), null),
    ),
    'Secret of DNS cookies (RFC 7873, RFC 9018), or a list of which the first signs and all are accepted. Servers behind one address need the same. false: no cookies.',
    { otherwise: 'a random one, new at each start', isSecret: true },
  ),
  dnstap: key(
    z.preprocess((value) => (value === false ? null : value), optional(dnstap, null)),
    'What is asked and answered, reported in the format of dnstap.',
    { otherwise: 'off, as with false' },
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
  server: key(optional(server, null), 'Where and how DNS is answered.', { otherwise: 'the defaults of its keys' }),
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
    dnstap: dnstapConfig(configFile, keys.dnstap),
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
