import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BenchServer, startServer } from './dns-process.ts';
import { APEX_ADDRESSES, APEX_TTL, ORIGIN, zoneText } from './dns-zone.ts';

export type PeerName = 'nsd' | 'gdnsd' | 'knot' | 'bind' | 'powerdns';

/** Starts a server of Debian's package on the benches' zone, one thread for UDP, without rate limit, in `folder`. */
export async function startPeer(name: PeerName, port: number, folder: string): Promise<BenchServer> {
  const home = join(folder, name);
  mkdirSync(join(home, 'zones'), { recursive: true });
  const zone = join(home, 'zones', ORIGIN);
  writeFileSync(zone, name === 'gdnsd' ? zoneText([`@ ${APEX_TTL} DYNA multifo!apex`]) : zoneText());
  return startServer(name, port, commands[name](home, port, zone), ORIGIN);
}

type Command = readonly [string, ...string[]];

const commands: { readonly [name in PeerName]: (home: string, port: number, zone: string) => Command } = {
  nsd(home, port, zone) {
    const config = write(home, 'nsd.conf', [
      'server:',
      '  ip-address: 127.0.0.1',
      `  port: ${port}`,
      '  server-count: 1',
      '  username: ""',
      `  zonesdir: ${home}`,
      '  database: ""',
      `  pidfile: ${home}/nsd.pid`,
      `  xfrdfile: ${home}/xfrd.state`,
      `  zonelistfile: ${home}/zone.list`,
      '  rrl-ratelimit: 0',
      'remote-control:',
      '  control-enable: no',
      'zone:',
      `  name: ${ORIGIN}`,
      `  zonefile: ${zone}`,
    ]);
    return ['nsd', '-d', '-c', config];
  },
  gdnsd(home, port) {
    write(home, 'config', [
      'options => {',
      `  listen => { 127.0.0.1:${port} => { udp_threads => 1, tcp_threads => 1 } }`,
      `  run_dir => ${home}/run`,
      `  state_dir => ${home}/state`,
      '  lock_mem => false',
      '}',
      'plugins => { multifo => { apex => {',
      '  service_types => up',
      ...APEX_ADDRESSES.map((address, i) => `  edge${i} => ${address}`),
      '} } }',
    ]);
    return ['gdnsd', '-c', home, 'start'];
  },
  knot(home, port, zone) {
    const config = write(home, 'knot.conf', [
      'server:',
      `    rundir: ${home}`,
      `    listen: 127.0.0.1@${port}`,
      '    udp-workers: 1',
      '    tcp-workers: 1',
      '    background-workers: 1',
      'database:',
      `    storage: ${home}`,
      'log:',
      '  - target: stderr',
      '    any: warning',
      'zone:',
      `  - domain: ${ORIGIN}`,
      `    file: ${zone}`,
    ]);
    return ['knotd', '-c', config];
  },
  bind(home, port, zone) {
    const config = write(home, 'named.conf', [
      'options {',
      `  directory "${home}"; pid-file none; session-keyfile none; managed-keys-directory "${home}";`,
      `  listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; };`,
      '  recursion no; notify no; allow-transfer { none; }; querylog no;',
      '};',
      'controls { };',
      `zone "${ORIGIN}" { type primary; file "${zone}"; };`,
    ]);
    return ['named', '-g', '-n', '1', '-c', config];
  },
  powerdns(home, port, zone) {
    write(home, 'named.conf', [`zone "${ORIGIN}" { type master; file "${zone}"; };`]);
    write(home, 'pdns.conf', [
      'launch=bind',
      `bind-config=${home}/named.conf`,
      'local-address=127.0.0.1',
      `local-port=${port}`,
      `socket-dir=${home}`,
      'receiver-threads=1',
      'distributor-threads=1',
      'security-poll-suffix=',
      'daemon=no',
      'guardian=no',
    ]);
    return ['pdns_server', `--config-dir=${home}`];
  },
};

function write(home: string, name: string, lines: readonly string[]): string {
  const path = join(home, name);
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}
