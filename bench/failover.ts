/**
 * `npm run bench:failover`: from an edge's death to an answer without it. One live edge after another stops to accept
 * connections at a moment of its own, and its DNS server is asked every 20 ms until the address is gone. With 20, 300 and
 * 2,000 edges on loopback addresses, idle and with a third of them accepting and never answering.
 *
 * - `serve`: `edgewise serve`.
 * - `round`: edgemanage's way, `edge_manage --force` started every interval; what counts is the zone file that it writes, before
 *   any name server reads it.
 * - `tcp_connect`, `http_status`: gdnsd's plugins with all thresholds 1 and multifo, at most 60 addresses a resource.
 *
 * The interval and timeout are the same for all. Options: `--edges 20,300,2000`, `--deaths 10`, `--interval 5`,
 * `--timeout 3`, `--subjects serve,round,tcp_connect,http_status`, `--load idle,third`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { Resolver } from 'node:dns/promises';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { EdgewiseServer } from '../test/support/edgewise.ts';
import { Installation, OBJECT } from '../test/support/installation.ts';
import { MockFleet } from '../test/support/mock-fleet.ts';
import { freePort } from '../test/support/ports.ts';
import { stopChild } from './support/dns-process.ts';

const { values } = parseArgs({
  options: {
    edges: { type: 'string', default: '20,300,2000' },
    deaths: { type: 'string', default: '10' },
    interval: { type: 'string', default: '5' },
    timeout: { type: 'string', default: '3' },
    subjects: { type: 'string', default: 'serve,round,tcp_connect,http_status' },
    load: { type: 'string', default: 'idle,third' },
  },
});
const INTERVAL = Number(values.interval);
const TIMEOUT = Number(values.timeout);
const ZONE = 'good.test';
const RESOURCE_MAX = 60;

type Subject = {
  /** The answers as they are now, all of them. */
  readonly answers: () => Promise<ReadonlySet<string>>;
  readonly stop: () => Promise<void>;
};
type Start = (edges: readonly string[], port: number) => Promise<Subject>;

async function makeSite(edges: readonly string[], port: number): Promise<Installation> {
  return Installation.make({
    edges,
    port,
    zones: { [ZONE]: '' },
    keys: {
      run_frequency: INTERVAL,
      testing: true, // or the timeout is 10 s
      timeout: TIMEOUT,
      goodenough: TIMEOUT * 0.9,
      dnschange_maxfreq: 100_000,
      logpath: null,
      server: { listen: [`127.0.0.1:${await freePort()}`], startup_timeout: 300 },
      http: { listen: `127.0.0.1:${await freePort()}` },
    },
  });
}

function asker(port: number, names: readonly string[]): Subject['answers'] {
  const resolver = new Resolver({ timeout: 1000, tries: 3 });
  resolver.setServers([`127.0.0.1:${port}`]);
  return async () => {
    const found = await Promise.all(names.map((name) => resolver.resolve4(name)));
    return new Set(found.flat());
  };
}

const serve: Start = async (edges, port) => {
  const site = await makeSite(edges, port);
  const server = await EdgewiseServer.start(site.path('edgemanage.yaml'));
  const stop = async (): Promise<void> => {
    await server.stop();
    await site.remove();
  };
  return { answers: asker(server.dnsPort, [ZONE]), stop };
};

const round: Start = async (edges, port) => {
  const site = await makeSite(edges, port);
  let isOver = false;
  const rounds = async (): Promise<void> => {
    while (!isOver) {
      const began = performance.now();
      await site.run('edge_manage', ['--force']);
      await pause(INTERVAL * 1000 - (performance.now() - began));
    }
  };
  await site.run('edge_manage', ['--force']);
  const running = rounds();
  const answers = async (): Promise<ReadonlySet<string>> => {
    const text = await site.read(`named/${ZONE}.zone`);
    return new Set([...text.matchAll(/\sA\s+(\S+)$/gm)].map(([, address]) => address));
  };
  const stop = async (): Promise<void> => {
    isOver = true;
    await running;
    await site.remove();
  };
  return { answers, stop };
};

const gdnsd =
  (plugin: 'tcp_connect' | 'http_status'): Start =>
  async (edges, port) => {
    const home = mkdtempSync(join(tmpdir(), 'edgewise-failover-'));
    mkdirSync(join(home, 'zones'));
    const listen = await freePort();
    const parts = Array.from({ length: Math.ceil(edges.length / RESOURCE_MAX) }, (_, i) =>
      edges.slice(i * RESOURCE_MAX, (i + 1) * RESOURCE_MAX),
    );
    const http = plugin === 'http_status' ? 'url_path => /object, vhost => demo.test, ok_codes => [200],' : '';
    const config = [
      `options => { listen => { 127.0.0.1:${listen} => { udp_threads => 1, tcp_threads => 1 } }`,
      `  run_dir => ${home}/run, state_dir => ${home}/state, lock_mem => false }`,
      `service_types => { web => { plugin => ${plugin}, port => ${port}, ${http} interval => ${INTERVAL},`,
      `  timeout => ${TIMEOUT}, up_thresh => 1, ok_thresh => 1, down_thresh => 1 } }`,
      'plugins => { multifo => {',
      ...parts.map((part, i) => {
        const addresses = part.map((address, k) => `e${k} => ${address}`).join(', ');
        return `  r${i} => { service_types => web, up_thresh => 0.01, ${addresses} }`;
      }),
      '} }',
    ];
    writeFileSync(join(home, 'config'), config.join('\n'));
    const records = parts.map((_, i) => `r${i} 60 DYNA multifo!r${i}`);
    writeFileSync(
      join(home, 'zones', ZONE),
      ['@ 60 SOA ns.x. h.x. 1 60 60 60 60', '@ 60 NS ns.x.', ...records, ''].join('\n'),
    );
    const child: ChildProcess = spawn('gdnsd', ['-c', home, 'start'], { stdio: 'ignore' });
    const answers = asker(
      listen,
      parts.map((_, i) => `r${i}.${ZONE}`),
    );
    const stop = async (): Promise<void> => {
      await stopChild(child);
      rmSync(home, { recursive: true, force: true });
    };
    return { answers, stop };
  };

const SUBJECTS = new Map<string, Start>([
  ['serve', serve],
  ['round', round],
  ['tcp_connect', gdnsd('tcp_connect')],
  ['http_status', gdnsd('http_status')],
]);

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}

/** Seconds from each death to the first answer without the address. */
async function deaths(subject: Subject, fleet: MockFleet, good: ReadonlySet<string>): Promise<readonly number[]> {
  const seconds: number[] = [];
  for (let i = 0; i < Number(values.deaths); i++) {
    // Not in step with any interval.
    await pause(INTERVAL * 1000 * (0.2 + 0.8 * Math.random()));
    const alive = [...(await subject.answers())].filter((address) => good.has(address));
    const victim = alive[Math.floor(Math.random() * alive.length)];
    const died = performance.now();
    await fleet.behave(victim, { kind: 'refuse' });
    while ((await subject.answers()).has(victim)) await pause(20);
    seconds.push((performance.now() - died) / 1000);
    await fleet.behave(victim, { kind: 'ok' });
  }
  return seconds.sort((a, b) => a - b);
}

/** Resolved when nothing that hangs is answered, and something is. */
async function settled(subject: Subject, good: ReadonlySet<string>): Promise<void> {
  for (;;) {
    const seen = await subject.answers().catch(() => new Set<string>());
    if (seen.size > 0 && [...seen].every((address) => good.has(address))) return;
    await pause(100);
  }
}

console.log(
  `interval ${INTERVAL} s, timeout ${TIMEOUT} s, ${values.deaths} deaths each; seconds until the answer changes`,
);
console.log('edges  hanging  subject      p50    p99    max');
for (const count of values.edges.split(',').map(Number)) {
  const edges = Array.from({ length: count }, (_, i) => `127.96.${1 + Math.floor(i / 200)}.${1 + (i % 200)}`);
  const fleet = await MockFleet.start(edges, OBJECT);
  try {
    for (const load of values.load.split(',')) {
      const hanging = edges.filter((_, i) => load === 'third' && i % 3 === 2);
      if (hanging.length > 0) await fleet.behave(hanging, { kind: 'silent' });
      const good = new Set(edges.filter((edge) => !hanging.includes(edge)));
      for (const name of values.subjects.split(',')) {
        const start = SUBJECTS.get(name);
        if (start === undefined) throw new Error(`no subject ${name}`);
        // gdnsd's TCP check does not see that nothing is answered, so that it takes those edges to be up.
        const known = name === 'tcp_connect' ? new Set(edges) : good;
        const subject = await start(edges, fleet.port);
        await settled(subject, known);
        const seconds = await deaths(subject, fleet, good);
        await subject.stop();
        const figure = (share: number): string =>
          seconds[Math.min(seconds.length - 1, Math.floor(share * seconds.length))].toFixed(2).padStart(6);
        const row = [String(count).padStart(5), String(hanging.length).padStart(7), name.padEnd(11)].join('  ');
        console.log(`${row} ${figure(0.5)} ${figure(0.99)} ${figure(1)}`);
      }
    }
  } finally {
    await fleet.close();
  }
}
