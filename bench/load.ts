/**
 * `npm run bench:load`: how long Edgewise, NSD, Knot and BIND take from their start until they answer for everything, and
 * what memory they then hold, on the same files: one zone of a million records, and ten thousand zones of twelve.
 *
 * Options: `--records 1000000`, `--zones 10000` (0 for none of either), `--idle 60` (what it costs with nothing to do),
 * `--servers edgewise,nsd`, `--json FILE`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { freePort } from '../test/support/ports.ts';
import { cpuMicroseconds, queryFor, residentBytes, stopChild } from './support/dns-process.ts';

const SERVERS = ['edgewise', 'nsd', 'knot', 'bind'] as const;
type Server = (typeof SERVERS)[number];

/** Zones in one folder, `NAME.zone` each. `asked`: names whose answers tell that all is there. */
type Case = {
  readonly about: string;
  readonly folder: string;
  readonly zones: readonly string[];
  readonly asked: readonly string[];
};
type Row = {
  readonly server: Server;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly megabytes: number;
  /** Share of a processor while nothing happens; NaN: not measured. */
  readonly idle: number;
};

/** The server may still be busy with what it loaded. */
const SETTLE_SECONDS = 15;

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '1000000' },
    zones: { type: 'string', default: '10000' },
    /** Seconds for which the loaded server is left alone; 0: not at all. */
    idle: { type: 'string', default: '0' },
    servers: { type: 'string', default: SERVERS.join(',') },
    json: { type: 'string' },
  },
});
const HEAD = '$TTL 300\n@ IN SOA ns1 host 5 7200 900 1209600 300\n@ NS ns1\nns1 A 192.0.2.1\n';

function largeZone(records: number): Case {
  const folder = newFolder('large');
  const lines: string[] = [HEAD];
  for (let i = 0; i < records / 4; i++) {
    const octets = `${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`;
    lines.push(`h${i} A 10.${octets}\nh${i} AAAA 2001:db8::${i.toString(16).slice(-4)}\n`);
    lines.push(`m${i} MX 10 h${i}\nt${i}.x 600 TXT "hello ${i}" "and more"\n`);
  }
  writeFileSync(join(folder, 'large.test.zone'), lines.join(''));
  const last = Math.ceil(records / 4) - 1;
  return { about: `one zone of ${records} records`, folder, zones: ['large.test'], asked: [`h${last}.large.test`] };
}

function manyZones(count: number): Case {
  const folder = newFolder('many');
  const zones = Array.from({ length: count }, (_, i) => `z${i}.test`);
  const body = Array.from({ length: 6 }, (_, i) => `h${i} A 192.0.2.${i}\n`).join('');
  for (const zone of zones)
    writeFileSync(join(folder, `${zone}.zone`), `${HEAD}${body}@ MX 10 h1\nwww CNAME h1\n* TXT "x"\n`);
  // BIND and Knot answer for the first zones while they load the others, in an order of their own.
  return { about: `${count} zones of 12 records`, folder, zones, asked: zones.map((zone) => `h1.${zone}`) };
}

function newFolder(name: string): string {
  const folder = join(root, name);
  mkdirSync(folder);
  return folder;
}

async function measure(server: Server, zones: Case): Promise<Row> {
  const port = await freePort();
  const home = newFolder(`${server}-${port}`);
  const [command, ...args] = commands[server](home, port, zones);
  const start = performance.now();
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  child.stderr.on('data', (chunk) => {
    output = `${output}${chunk}`.slice(-4000);
  });
  try {
    await answersAll(port, zones.asked, () => {
      if (child.exitCode !== null) throw new Error(`${server} ended:\n${output}`);
    });
    const seconds = (performance.now() - start) / 1000;
    const pid = pidOf(child);
    const loaded = { cpuSeconds: cpuMicroseconds(pid) / 1e6, megabytes: residentBytes(pid) / 1e6 };
    const idleSeconds = Number(values.idle);
    if (idleSeconds > 0) await new Promise((resolve) => setTimeout(resolve, SETTLE_SECONDS * 1000));
    const before = cpuMicroseconds(pid) / 1e6;
    await new Promise((resolve) => setTimeout(resolve, idleSeconds * 1000));
    const idle = idleSeconds > 0 ? (cpuMicroseconds(pid) / 1e6 - before) / idleSeconds : Number.NaN;
    return { server, seconds, ...loaded, idle };
  } finally {
    await stopChild(child);
  }
}

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error('the server did not start');
  return child.pid;
}

/** Names asked for at a time: with one, ten thousand round trips would count for more than the loading. */
const WINDOW = 64;

/** Resolves when each name was answered without error; those that were not, for 20 ms, are asked for again. */
async function answersAll(port: number, names: readonly string[], check: () => void): Promise<void> {
  const socket = createSocket('udp4');
  const waiting = new Map<number, () => void>();
  socket.on('message', (reply) => {
    if ((reply[3] & 15) !== 0 || (reply[2] & 4) === 0) return; // SERVFAIL or REFUSED while it loads
    waiting.get(reply.readUInt16BE(0))?.();
  });
  socket.on('error', () => undefined); // nobody listens yet
  await new Promise<void>((resolve) => socket.connect(port, '127.0.0.1', resolve));
  const left = names.entries();
  const lane = async (): Promise<void> => {
    for (const [place, name] of left) {
      const id = place % 65536;
      const query = queryFor(name);
      query.writeUInt16BE(id, 0);
      while (!(await answered(id, query))) check();
    }
  };
  const answered = (id: number, query: Buffer): Promise<boolean> =>
    new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), 20);
      waiting.set(id, () => {
        clearTimeout(timer);
        waiting.delete(id);
        resolve(true);
      });
      socket.send(query, () => undefined);
    });
  try {
    await Promise.all(Array.from({ length: Math.min(WINDOW, names.length) }, lane));
  } finally {
    socket.close();
  }
}

type Command = readonly [string, ...string[]];

/**
 * Each server with its own defaults, but for addresses, folders and, in NSD, its limit on answers. Edgewise is the whole
 * program on its first start, prober and file of serials included, without HTTP, which BIND, NSD and Knot lack, too.
 */
const commands: { readonly [server in Server]: (home: string, port: number, zones: Case) => Command } = {
  edgewise(home, port, { folder }) {
    const entry = fileURLToPath(new URL('../bin/edgewise.js', import.meta.url));
    for (const name of ['edges', 'zones', 'state', 'health']) mkdirSync(join(home, name));
    writeFileSync(join(home, 'object'), 'object\n');
    const config =
      'testobject: {host: object.test, port: 80, proto: http, uri: /object, local: object, verify: true}\n' +
      'dns: {ns_records: [ns1.test.], soa_nameserver: ns1.test., soa_mailbox: host.test.}\n' +
      'run_frequency: 60\nworkers: 10\nretry: 1\ngoodenough: 1\nedge_count: 1\ndnschange_maxfreq: 10\ncanary_killer: 0\n' +
      'edgelist_dir: edges\ncanary_files: canaries/{dnet}\nzonetemplate_dir: zones\nhealthdata_store: health\n' +
      'statefile: state/{dnet}.state\nlockfile: state/lock\nhttp: false\n' +
      `server: {listen: "127.0.0.1:${port}", udp_workers: 1}\nstatic_zone_dir: ${folder}`;
    return [process.execPath, entry, 'serve', '-c', write(home, config)];
  },
  nsd(home, port, { folder, zones }) {
    const blocks = zones.map((zone) => `zone:\n  name: ${zone}\n  zonefile: ${folder}/${zone}.zone`);
    const head =
      `server:\n  ip-address: 127.0.0.1\n  port: ${port}\n  server-count: 1\n  username: ""\n  database: ""\n  rrl-ratelimit: 0\n` +
      `  zonesdir: ${home}\n  pidfile: ${home}/nsd.pid\n  xfrdfile: ${home}/xfrd.state\n  zonelistfile: ${home}/zone.list\n` +
      'remote-control:\n  control-enable: no\n';
    return ['nsd', '-d', '-c', write(home, head + blocks.join('\n'))];
  },
  knot(home, port, { folder, zones }) {
    const blocks = zones.map((zone) => `  - domain: ${zone}\n    file: ${folder}/${zone}.zone`);
    const head =
      `server:\n    rundir: ${home}\n    listen: 127.0.0.1@${port}\ndatabase:\n    storage: ${home}\n` +
      'log:\n  - target: stderr\n    any: error\nzone:\n';
    return ['knotd', '-c', write(home, head + blocks.join('\n'))];
  },
  bind(home, port, { folder, zones }) {
    const blocks = zones.map((zone) => `zone "${zone}" { type primary; file "${folder}/${zone}.zone"; };`);
    const head =
      `options { directory "${home}"; pid-file none; session-keyfile none; managed-keys-directory "${home}"; recursion no; notify no;\n` +
      `listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; }; allow-transfer { none; }; };\ncontrols { };\n`;
    return ['named', '-f', '-c', write(home, head + blocks.join('\n'))];
  },
};

function write(home: string, text: string): string {
  const path = join(home, 'config');
  writeFileSync(path, `${text}\n`);
  return path;
}

function print(about: string, rows: readonly Row[]): void {
  const bind = rows.find(({ server }) => server === 'bind');
  const cells = rows.map(({ server, seconds, cpuSeconds, megabytes, idle }) => [
    server,
    seconds.toFixed(2),
    cpuSeconds.toFixed(2),
    megabytes.toFixed(0),
    bind === undefined ? '' : (seconds / bind.seconds).toFixed(2),
    bind === undefined ? '' : (megabytes / bind.megabytes).toFixed(2),
    Number.isNaN(idle) ? '' : (100 * idle).toFixed(2),
  ]);
  const head = ['server', 'ready s', 'CPU s', 'RSS MB', 'time ÷ BIND', 'RSS ÷ BIND', 'idle %'];
  console.log(`\n${about}`);
  for (const row of [head, ...cells])
    console.log(row.map((cell, i) => (i === 0 ? cell.padEnd(10) : cell.padStart(13))).join(''));
}

const chosen = SERVERS.filter((server) => values.servers.split(',').includes(server));
const root = mkdtempSync(join(tmpdir(), 'edgewise-load-'));
try {
  const cases = [
    ...(Number(values.records) > 0 ? [largeZone(Number(values.records))] : []),
    ...(Number(values.zones) > 0 ? [manyZones(Number(values.zones))] : []),
  ];
  const results: { readonly about: string; readonly rows: readonly Row[] }[] = [];
  for (const each of cases) {
    const rows: Row[] = [];
    for (const server of chosen) rows.push(await measure(server, each));
    results.push({ about: each.about, rows });
    print(each.about, rows);
  }
  if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(results, null, 2));
} finally {
  rmSync(root, { recursive: true, force: true });
}
