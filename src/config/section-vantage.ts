/** The section `vantage`: which vantage point this is, and by what it agrees with the others. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { isHostName } from '../system/host-name.ts';
import { endpoint, list, number, optional, parsed, path, section, text } from './fields.ts';
import { key } from './key-docs.ts';

/** Which votes call an edge down: so many of the configured vantages. */
export type QuorumChoice = 'majority' | 'any' | 'all' | number;

/** How one reaches a server by TLS. Paths are absolute. */
export type VantageTls = {
  readonly caFile: string | null;
  readonly certFile: string | null;
  readonly keyFile: string | null;
};

export type EtcdVantage = {
  readonly engine: 'etcd';
  readonly name: string;
  /** `http(s)://host:port`, at least one. */
  readonly endpoints: readonly string[];
  /** Without slashes at its ends. */
  readonly prefix: string;
  /** All that have a vote, `name` among them; at least two. */
  readonly members: readonly string[];
  readonly quorum: QuorumChoice;
  readonly user: string | null;
  readonly passwordFile: string | null;
  readonly tls: VantageTls;
  /** Seconds after which a decider that is not heard of is replaced. */
  readonly lease: number;
  /** Seconds that a request may take. */
  readonly timeout: number;
};

export type PeersVantage = {
  readonly engine: 'peers';
  readonly name: string;
  /** `address:port`. */
  readonly listen: { readonly address: string; readonly port: number };
  readonly keyFile: string;
  readonly peers: readonly { readonly name: string; readonly url: string }[];
  readonly minPeersAgree: number;
  /** What our own listener speaks TLS with, and what peers' certificates are checked against. */
  readonly tls: VantageTls;
  readonly timeout: number;
};

/** Null in `Config`: this server decides alone. */
export type VantageConfig = EtcdVantage | PeersVantage;

/** Beyond nine, views cost more than another opinion is worth; peers also ask each other, which grows by the square. */
const VANTAGES_MAX = 9;
export const PEERS_MAX = VANTAGES_MAX - 1;
const ENDPOINTS_MAX = 9;
export const LEASE = { min: 2, max: 60, usual: 5 } as const;
const TIMEOUT = { max: 60, usual: 2 } as const;

const QUORUM = 'expected majority, any, all, or the number of vantages that must see an edge down';

const vantageName = parsed<string>('a name of up to 64 letters, digits and . _ -', (value) =>
  /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/.test(value) ? value : null,
);

/** `http(s)://host:port` in lower case. Null: it is none, or there is more to it. */
export function readAddress(value: string): string | null {
  const parts = /^(https?):\/\/(\[[0-9a-f:.]+\]|[^/:@?#[\]]+):(\d{1,5})\/?$/i.exec(value);
  if (parts === null) return null;
  const [, scheme, host, port] = parts;
  const bare = host.startsWith('[') ? host.slice(1, -1) : host;
  const isHost = host.startsWith('[') ? isIP(bare) === 6 : isIP(bare) === 4 || isHostName(bare);
  const isPort = Number(port) >= 1 && Number(port) <= 65_535;
  return isHost && isPort ? `${scheme}://${host}:${Number(port)}`.toLowerCase() : null;
}

const address = (example: string) =>
  parsed<string>(`a URL with a port and without a path, such as ${example}`, readAddress);

const tls = optional(
  section({
    ca_file: key(
      optional(path('the file of the authorities (PEM) that sign the certificates of the others'), null),
      'The authorities (PEM) that sign the certificates of the others.',
      { otherwise: 'those of the system' },
    ),
    cert_file: key(optional(path('the file of our own certificate (PEM)'), null), 'Our own certificate (PEM).', {
      otherwise: 'none',
    }),
    key_file: key(
      optional(path("the file of our own certificate's key (PEM)"), null),
      'The key of our own certificate (PEM).',
      { otherwise: 'none' },
    ),
  }),
  null,
);

const seconds = { integer: false, above: true } as const;

const etcd = section({
  engine: key(z.literal('etcd'), 'How vantages agree.'),
  name: key(vantageName, 'The name of this server, one of the members.', { example: 'fra1' }),
  endpoints: key(
    list(address('https://192.0.2.10:2379'), 'a list of URLs of etcd')
      .min(1, { error: 'expected at least one URL of etcd' })
      .max(ENDPOINTS_MAX, { error: `expected at most ${ENDPOINTS_MAX} URLs of etcd` }),
    'URLs of the members of etcd, with their ports.',
    { example: '["https://192.0.2.10:2379"]' },
  ),
  prefix: key(
    optional(
      parsed<string>(
        'the beginning of our keys in etcd, such as edgewise/prod: letters, digits and . _ - /',
        (value) => {
          const trimmed = value.replace(/^\/+|\/+$/g, '');
          return trimmed.length <= 128 && /^[A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+)*$/.test(trimmed) ? trimmed : null;
        },
      ),
      'edgewise',
    ),
    'What all keys in etcd begin with.',
  ),
  members: key(
    list(vantageName, 'a list of the names of all vantages')
      .min(2, { error: 'expected the names of all vantages, this one among them: at least two' })
      .max(VANTAGES_MAX, { error: `expected at most ${VANTAGES_MAX} vantages` }),
    'All servers that have a vote, two to nine, this one among them.',
    { example: '[fra1, ams1, lon1]' },
  ),
  quorum: key(
    optional(
      z.union([z.literal(['majority', 'any', 'all']), z.int({ error: QUORUM }).min(1, { error: QUORUM })], {
        error: QUORUM,
      }),
      'majority' as const,
    ),
    'How many vantages must see an edge down: the majority, any one, all, or a number.',
    { value: 'majority, any, all, or the number of vantages that must see an edge down' },
  ),
  user: key(optional(text('a user of etcd'), null), 'A user of etcd.', { otherwise: 'none' }),
  password_file: key(
    optional(path("the file that holds the password of etcd's user"), null),
    'The file with the password of that user in its only line.',
    { otherwise: 'none' },
  ),
  tls: key(tls, 'TLS to etcd: whose certificates are believed, and our own certificate where etcd asks for one.', {
    otherwise: 'the authorities of the system, no certificate of our own',
  }),
  lease: key(
    optional(number('seconds', LEASE), LEASE.usual),
    'After so long another server decides where the one that does is not heard of.',
  ),
  timeout: key(
    optional(number('seconds', { min: 0, max: TIMEOUT.max, ...seconds }), null),
    'How long a request may take, less than the lease.',
    { otherwise: '2, at most half of the lease' },
  ),
});

const peers = section({
  engine: key(z.literal('peers'), 'How vantages agree.'),
  name: key(vantageName, 'The name of this server among its peers.', { example: 'fra1' }),
  listen: key(endpoint(8061), 'Where peers ask this server. Port 8061 where none is given.', {
    example: '"192.0.2.1:8061"',
  }),
  key_file: key(
    path('the file that holds the key which all peers share'),
    'The file with the key that all peers share, as `openssl rand -base64 32` prints it.',
    { example: 'peers.key' },
  ),
  peers: key(
    list(
      section(
        {
          name: key(vantageName, 'The name of the peer, as it has it itself.', { example: 'ams1' }),
          url: key(address('https://192.0.2.2:8061'), 'Where the peer is asked.', {
            example: '"https://192.0.2.2:8061"',
          }),
        },
        'a peer such as {name: b, url: "https://192.0.2.2:8061"}',
      ),
      'a list of {name, url}',
    )
      .min(1, { error: 'expected at least one peer' })
      .max(PEERS_MAX, { error: `expected at most ${PEERS_MAX} peers` }),
    'The other servers, one to eight.',
    { example: '[{name: ams1, url: "https://192.0.2.2:8061"}]' },
  ),
  min_peers_agree: key(
    optional(number('a number of peers', { min: 0, max: PEERS_MAX }), 1),
    'How many peers must see what this server sees before it believes a change.',
  ),
  tls: key(tls, 'The certificate of our own listener, and whose certificates are believed.', {
    otherwise: 'the listener speaks plain HTTP; the messages are sealed all the same',
  }),
  timeout: key(
    optional(number('seconds', { min: 0, max: TIMEOUT.max, ...seconds }), null),
    'How long a request may take.',
    { default: '2' },
  ),
});

export const vantage = key(
  optional(
    z.discriminatedUnion('engine', [etcd, peers], {
      error: ({ code }) =>
        code === 'invalid_union'
          ? 'expected the engine by which vantages agree: etcd or peers'
          : 'expected a section, such as {name: a, engine: peers, …}',
    }),
    null,
  ),
  'Several servers that look at the edges from different places agree before an answer changes.',
  { otherwise: 'this server decides alone', value: 'a section of one of two kinds' },
);

/** `at`: the absolute path of a file that is named. */
export function vantageConfig(given: z.output<typeof vantage>, at: (path: string) => string): VantageConfig | null {
  if (given === null) return null;
  const maybe = (file: string | null | undefined): string | null => (file == null ? null : at(file));
  const common = {
    name: given.name,
    tls: {
      caFile: maybe(given.tls?.ca_file),
      certFile: maybe(given.tls?.cert_file),
      keyFile: maybe(given.tls?.key_file),
    },
  };
  if (given.engine === 'peers') {
    const { engine, listen, key_file, peers, min_peers_agree, timeout } = given;
    const keyFile = at(key_file);
    return {
      ...common,
      engine,
      listen,
      keyFile,
      peers,
      minPeersAgree: min_peers_agree,
      timeout: timeout ?? TIMEOUT.usual,
    };
  }
  const { engine, endpoints, prefix, members, quorum, user, lease } = given;
  // Half of a short lease: a request that fails leaves time for another before the lease ends.
  const timeout = given.timeout ?? Math.min(TIMEOUT.usual, lease / 2);
  return {
    ...common,
    engine,
    endpoints,
    prefix,
    members,
    quorum,
    user,
    passwordFile: maybe(given.password_file),
    lease,
    timeout,
  };
}
