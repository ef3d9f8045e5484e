import type { PeerKey, PeerOptions, PeerPrimary, PeerZone } from './peers.ts';

type ZoneFile = (zone: PeerZone) => string;

/** `named.conf` of a peer: no recursion, everything in its own folder, transfers to anybody on loopback. */
export function bindConfig(folder: string, port: number, options: PeerOptions, file: ZoneFile): string {
  const zone = (spec: PeerZone): string => {
    const from = primariesOf(spec).map(
      ({ address, port: primaryPort, key }) =>
        `${address} port ${primaryPort}${key === undefined ? '' : ` key "${key}"`};`,
    );
    const source =
      'text' in spec
        ? 'type primary; notify no;'
        : `type secondary; masterfile-format text; primaries { ${from.join(' ')} };`;
    return `zone "${spec.origin}" { ${source} file "${file(spec)}"; ${spec.extra ?? ''} };`;
  };
  return `options {
  directory "${folder}";
  pid-file "${folder}/named.pid";
  session-keyfile "${folder}/session.key";
  managed-keys-directory "${folder}";
  listen-on port ${port} { 127.0.0.1; };
  listen-on-v6 { none; };
  recursion no;
  dnssec-validation no;
  check-integrity no;
  check-names primary ignore;
  allow-query { any; };
  allow-transfer { 127.0.0.0/8; };
  allow-notify { 127.0.0.0/8; };
  ${options.server ?? ''}
};
controls { };
${(options.keys ?? []).map(bindKey).join('\n')}
${options.zones.map(zone).join('\n')}
${options.extra ?? ''}
`;
}

/** A `key` block in BIND's form. */
export function bindKey({ name, algorithm, secret }: PeerKey): string {
  return `key "${name}" { algorithm ${algorithm}; secret "${secret}"; };`;
}

export function nsdConfig(folder: string, port: number, options: PeerOptions, file: ZoneFile): string {
  const key = ({ name, algorithm, secret }: PeerKey): string =>
    `key:\n  name: "${name}"\n  algorithm: ${algorithm}\n  secret: "${secret}"\n`;
  const zone = (spec: PeerZone): string => {
    const lines = [`zone:`, `  name: "${spec.origin}"`, `  zonefile: "${file(spec)}"`];
    if ('text' in spec) lines.push('  provide-xfr: 127.0.0.0/8 NOKEY');
    for (const { address, port: primaryPort, key: name = 'NOKEY' } of primariesOf(spec)) {
      lines.push(`  allow-notify: 127.0.0.0/8 ${name}`, `  request-xfr: ${address}@${primaryPort} ${name}`);
    }
    return [...lines, spec.extra ?? ''].join('\n');
  };
  return `server:
  ip-address: 127.0.0.1@${port}
  username: ""
  server-count: 1
  zonesdir: "${folder}"
  database: ""
  pidfile: "${folder}/nsd.pid"
  zonelistfile: "${folder}/zone.list"
  xfrdfile: "${folder}/xfrd.state"
  xfrdir: "${folder}"
  cookie-secret-file: ""
  rrl-ratelimit: 0
  ${options.server ?? ''}
remote-control:
  control-enable: no
${(options.keys ?? []).map(key).join('\n')}
${options.zones.map(zone).join('\n')}
${options.extra ?? ''}
`;
}

export function knotConfig(folder: string, port: number, options: PeerOptions, file: ZoneFile): string {
  const keys = options.keys ?? [];
  const primaries = options.zones.flatMap(primariesOf);
  const remotes = [...new Map(primaries.map((primary) => [remoteName(primary), primary]))];
  const remote = ([name, { address, port: primaryPort, key }]: (typeof remotes)[number]): string =>
    `  - id: ${name}\n    address: ${address}@${primaryPort}\n${key === undefined ? '' : `    key: ${key}\n`}`;
  const zone = (spec: PeerZone): string =>
    [
      `  - domain: "${spec.origin}"`,
      `    file: "${file(spec)}"`,
      '    journal-content: none',
      '    acl: [loopback]',
      ...('primary' in spec
        ? [`    master: [${primariesOf(spec).map(remoteName).join(', ')}]`, '    zonefile-load: none']
        : []),
      spec.extra ?? '',
    ].join('\n');
  return `server:
  listen: 127.0.0.1@${port}
  rundir: "${folder}"
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
  ${options.server ?? ''}
log:
  - target: stderr
    any: info
database:
  storage: "${folder}"
${keys.length === 0 ? '' : `key:\n${keys.map(({ name, algorithm, secret }) => `  - id: ${name}\n    algorithm: ${algorithm}\n    secret: ${secret}`).join('\n')}`}
${remotes.length === 0 ? '' : `remote:\n${remotes.map(remote).join('')}`}
acl:
  - id: loopback
    address: 127.0.0.0/8
    action: [transfer, notify]
zone:
${options.zones.map(zone).join('\n')}
${options.extra ?? ''}
`;
}

function primariesOf(spec: PeerZone): readonly PeerPrimary[] {
  return 'primary' in spec ? [spec.primary].flat() : [];
}

function remoteName({ address, port, key }: PeerPrimary): string {
  return `p${address.replaceAll('.', '-')}-${port}${key === undefined ? '' : '-keyed'}`;
}
