/**
 * `npm run bench:flip`: how long until a changed live set is on the wire, with ten thousand zones. Edgewise: from the
 * write of the live slot to the first answer with the new address, some hundred flips, with and without a query load.
 * BIND, the same zones: from the change to the first new answer after writing the zone files and `rndc reload`, and until
 * a sample of all zones answers anew.
 *
 * Then from the deciding sample to the wire: the live edge of two thousand with full histories fails in a round, whose
 * fetches alone are made up. It is judged, chosen, saved (with fsync) and published while the records of the round before
 * are written behind.
 *
 * Options: `--zones 10000`, `--flips 300`, `--edges 2000` (0: without), `--rounds 20`, `--reloads 3` (0: without BIND).
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { freePort } from '../test/support/ports.ts';
import { startDecisionChild } from './support/decision-child.ts';
import { type FlipReport, startFlipChild } from './support/dns-flip-child.ts';
import { LOAD_CORE, queryFor, startServer } from './support/dns-process.ts';
import { smallZoneText, zoneName } from './support/dns-small-zones.ts';

const { values } = parseArgs({
  options: {
    zones: { type: 'string', default: '10000' },
    flips: { type: 'string', default: '300' },
    edges: { type: 'string', default: '2000' },
    rounds: { type: 'string', default: '20' },
    reloads: { type: 'string', default: '3' },
  },
});
const zones = Number(values.zones);
const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'edgewise-flip-'));

/** Asks one question at a time and waits for each answer. */
class Asker {
  private readonly socket: Socket = createSocket('udp4');
  private readonly port: number;

  constructor(port: number) {
    this.port = port;
  }

  /** Last octet of the apex address of a zone; -1 where there was no answer with one in a second. */
  async apex(zone: number): Promise<number> {
    const answered = new Promise<Buffer | null>((resolve) => {
      const timer = setTimeout(() => resolve(null), 1000);
      this.socket.once('message', (octets) => {
        clearTimeout(timer);
        resolve(octets);
      });
    });
    this.socket.send(queryFor(zoneName(zone)), this.port, '127.0.0.1');
    const octets = await answered;
    this.socket.removeAllListeners('message');
    if (octets === null || octets.readUInt16BE(6) === 0) return -1;
    // The answer's first record follows the question: pointer, type, class, TTL, length, address.
    return octets[12 + zoneName(zone).length + 2 + 4 + 12 + 3];
  }

  close(): void {
    this.socket.close();
  }
}

try {
  if (Number(values.flips) > 0) await edgewise();
  if (Number(values.edges) > 0) await decisions(Number(values.edges));
  if (Number(values.reloads) > 0) await bind();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function edgewise(): Promise<void> {
  const port = await freePort();
  const child = await startFlipChild(port, zones);
  const asker = new Asker(port);
  await flips(child, asker, 'no other queries');
  const file = join(folder, 'queries');
  writeFileSync(file, Array.from({ length: 5000 }, (_, i) => `${zoneName((i * 7) % zones)} A`).join('\n'));
  const options = ['-s', '127.0.0.1', '-p', String(port), '-d', file, '-l', '600', '-c', '8', '-q', '200'];
  const load = spawn('taskset', ['-c', String(LOAD_CORE), 'dnsperf', ...options], { stdio: 'ignore' });
  await flips(child, asker, 'dnsperf as fast as it can');
  const ended = once(load, 'exit');
  load.kill('SIGKILL');
  await ended;
  asker.close();
  const gone = once(child, 'exit');
  child.disconnect();
  await gone;
}

async function flips(child: ChildProcess, asker: Asker, label: string): Promise<void> {
  const tookMs: number[] = [];
  for (let i = 0; i < Number(values.flips); i++) {
    const last = 2 + (i % 250);
    const reported = once(child, 'message') as Promise<[FlipReport]>;
    child.send(last);
    let seenAt = 0n;
    while (seenAt === 0n) {
      const seen = await asker.apex(Math.floor(Math.random() * zones));
      if (seen === last) seenAt = process.hrtime.bigint();
    }
    const [report] = await reported;
    if (report.kind === 'flipped') tookMs.push(Number(seenAt - BigInt(report.at)) / 1e6);
  }
  printTimes(`${label}: flip to wire`, tookMs);
}

function printTimes(label: string, tookMs: readonly number[]): void {
  const sorted = [...tookMs].sort((a, b) => a - b);
  const at = (share: number): string => sorted[Math.floor(share * (sorted.length - 1))].toFixed(3);
  console.log(
    `edgewise, ${zones} zones, ${label}, ms: p50 ${at(0.5)} p90 ${at(0.9)} p99 ${at(0.99)} max ${at(1)} ` +
      `(${sorted.length} flips)`,
  );
}

/** From the sample that decides to the first answer with the new set. */
async function decisions(edges: number): Promise<void> {
  const port = await freePort();
  const child = await startDecisionChild(port, zones, edges);
  const asker = new Asker(port);
  const tookMs: number[] = [];
  for (let i = 0; i < Number(values.rounds); i++) {
    const before = await asker.apex(0);
    const reported = once(child, 'message') as Promise<[FlipReport]>;
    child.send('round');
    for (let seen = before; seen === before || seen === -1; )
      seen = await asker.apex(Math.floor(Math.random() * zones));
    const seenAt = process.hrtime.bigint();
    const [report] = await reported;
    if (report.kind === 'flipped') tookMs.push(Number(seenAt - BigInt(report.at)) / 1e6);
    await new Promise((resolve) => setTimeout(resolve, 1000)); // records are written meanwhile
  }
  printTimes(`${edges} edges of full histories: deciding sample to wire`, tookMs);
  asker.close();
  const gone = once(child, 'exit');
  child.disconnect();
  await gone;
}

/** Zone files written whole and renamed, as an exporter does it. */
function writeZones(last: number): void {
  for (let i = 0; i < zones; i++) {
    const path = join(folder, 'zones', zoneName(i));
    writeFileSync(`${path}.new`, smallZoneText(last, [`192.0.2.${last}`]));
    renameSync(`${path}.new`, path);
  }
}

async function bind(): Promise<void> {
  mkdirSync(join(folder, 'zones'));
  writeZones(1);
  const [port, control] = [await freePort(), await freePort()];
  const key = 'key "bench" { algorithm hmac-sha256; secret "YmVuY2hiZW5jaGJlbmNoYmVuY2hiZW5jaGJlbmNoMDE="; };';
  writeFileSync(
    join(folder, 'named.conf'),
    [
      key,
      'options {',
      `  directory "${folder}"; pid-file none; session-keyfile none; managed-keys-directory "${folder}";`,
      `  listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; };`,
      '  recursion no; notify no; allow-transfer { none; };',
      '};',
      `controls { inet 127.0.0.1 port ${control} allow { 127.0.0.1; } keys { "bench"; }; };`,
      ...Array.from(
        { length: zones },
        (_, i) => `zone "${zoneName(i)}" { type primary; file "zones/${zoneName(i)}"; };`,
      ),
    ].join('\n'),
  );
  const server = await startServer(
    'bind',
    port,
    ['named', '-g', '-c', join(folder, 'named.conf')],
    zoneName(zones - 1),
  );
  const asker = new Asker(port);
  for (let round = 0; round < Number(values.reloads); round++) {
    const last = 2 + round;
    const started = performance.now();
    const seconds = (): string => ((performance.now() - started) / 1000).toFixed(2);
    writeZones(last);
    const written = seconds();
    writeFileSync(
      join(folder, 'rndc.conf'),
      `${key}\noptions { default-key "bench"; default-server 127.0.0.1; default-port ${control}; };\n`,
    );
    await run('rndc', ['-c', join(folder, 'rndc.conf'), 'reload']);
    let first = '';
    for (let zone = 0; zone < zones; ) {
      if ((await asker.apex(zone)) !== last) continue;
      if (first === '') first = seconds();
      zone += Math.max(1, Math.floor(zones / 200));
    }
    while ((await asker.apex(zones - 1)) !== last);
    console.log(
      `bind, ${zones} zones: files written after ${written} s, first zone new after ${first} s, all of a sample after ${seconds()} s`,
    );
  }
  asker.close();
  await server.stop();
}
