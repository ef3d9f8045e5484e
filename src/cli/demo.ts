import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { serve } from '../app/serve.ts';
import type { Running } from '../app/server.ts';
import { changeText, clockText } from '../demo/change-text.ts';
import { writeDemo } from '../demo/files.ts';
import { DEMO_EDGES, DEMO_NETWORK, DEMO_OBJECT } from '../demo/layout.ts';
import { DemoVantages } from '../demo/vantages.ts';
import { Guard } from '../system/guard.ts';
import { createLog } from '../system/log.ts';
import { workerUrl } from '../system/worker-url.ts';
import { newCommand, portNumber, printFaults } from './command-line.ts';

type DemoFlags = {
  readonly dnsPort: number;
  readonly httpPort: number;
  readonly edgePort: number;
  readonly keep?: string;
  readonly vantages: number;
  readonly etcd?: true;
  readonly vantagePort: number;
  readonly breakEvery: number;
};

/** `edgewise demo` (what `npm start` runs): edges on loopback, a configuration for them, and the real server. */
export function demoCommand(): Command {
  return newCommand('demo')
    .description('a network on loopback to look at: edges that fail, a canary, two zones')
    .option('--dns-port <port>', 'port for DNS, UDP and TCP', portNumber, 5300)
    .option('--http-port <port>', 'port for status, API and metrics', portNumber, 8053)
    .option('--edge-port <port>', 'port of the edges, at 127.0.0.11 and up', portNumber, 8081)
    .option(
      '--vantages <number>',
      'how many servers decide together; the connection of the last one breaks now and then',
      vantageCount,
      1,
    )
    .option('--etcd', 'let the servers agree through a local etcd (default: they ask each other)')
    .option('--vantage-port <port>', 'port at which the servers, or etcd, listen for each other', portNumber, 8061)
    .option('--break-every <seconds>', 'seconds between two breaks of that connection', breakSeconds, 60)
    .option('--keep <folder>', 'write the demo installation here and leave it (default: a temporary folder)')
    .action(runDemo);
}

/** For `argParser`. */
function vantageCount(text: string): number {
  if (!/^[1-9]$/.test(text)) throw new InvalidArgumentError('Expected a number of vantages, 1 to 9.');
  return Number(text);
}

/** For `argParser`. */
function breakSeconds(text: string): number {
  if (!/^\d{1,4}$/.test(text) || Number(text) < 12) throw new InvalidArgumentError('Expected seconds, 12 to 9999.');
  return Number(text);
}

async function runDemo(flags: DemoFlags): Promise<void> {
  const ports = { dns: flags.dnsPort, http: flags.httpPort, edges: flags.edgePort };
  const folder = flags.keep ?? mkdtempSync(join(tmpdir(), 'edgewise-demo-'));
  const cleanUp = (): void => {
    if (flags.keep === undefined) rmSync(folder, { recursive: true, force: true });
  };
  // While it starts, an end is an end at once; the edges see their parent go.
  let stop = (): void => {
    cleanUp();
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop());
  const edges = await startEdges(ports.edges);
  if (edges === null) {
    cleanUp();
    process.exitCode = 1;
    return;
  }
  if (flags.vantages > 1) {
    const { vantages: count, etcd = false, breakEvery } = flags;
    const all = { ...ports, vantage: flags.vantagePort };
    const vantages = new DemoVantages({ count, etcd, folder, ports: all, breakEvery, edges, say });
    stop = () => {
      stop = stopped;
      void endVantages(vantages, edges, cleanUp);
    };
    const problem = await vantages.start();
    if (problem === null || stop === stopped) return;
    process.stderr.write(`edgewise: ${problem}\n`);
    process.exitCode = 1;
    stop();
    return;
  }
  const file = writeDemo(folder, ports);

  const opened = createLog({ verbose: false, level: 'warn', file: null });
  const { log } = opened;
  const guard = new Guard({
    report: (part, text) => log('error', text, { event: 'server.bug_contained', part }),
    now: () => Date.now() / 1000,
  });
  const started = await serve({
    file,
    networks: [],
    dryRun: false,
    guard,
    log: () => opened,
    onDecision: (_network, decision, flipped) => {
      if (flipped) say(`${clockText(decision.at)} ${changeText(decision)}`);
    },
  });
  if (!started.ok) {
    printFaults(started.faults);
    edges.disconnect();
    cleanUp();
    process.exitCode = 1;
    return;
  }
  const { running } = started;
  process.on('SIGHUP', () => guard.run('reload', running.reload()));
  edges.once('exit', () => stop === stopped || process.stderr.write(`edgewise: the demo's edges have ended\n`));
  // Ctrl-C under npm comes twice, from the terminal and from npm: the second one must not cut the first one short.
  stop = () => {
    stop = stopped;
    guard.run('stop', end(running, edges, cleanUp));
  };
  process.stdout.write(`edgewise ready dns=${running.dns.join(',')} http=${running.http} zones=${running.zones()}\n`);
  say(introduction(file, ports));
}

function stopped(): void {
  // It is on its way.
}

async function endVantages(vantages: DemoVantages, edges: ChildProcess, cleanUp: () => void): Promise<void> {
  await vantages.stop();
  if (edges.connected) edges.disconnect();
  cleanUp();
}

async function end(running: Running, edges: ChildProcess, cleanUp: () => void): Promise<void> {
  await running.stop();
  if (edges.connected) edges.disconnect();
  cleanUp();
}

/** Null when the edges could not be started; the reason is on standard error. */
function startEdges(port: number): Promise<ChildProcess | null> {
  const child = fork(workerUrl(import.meta.url, '../demo/edges.ts'), [String(port), DEMO_OBJECT]);
  return new Promise((resolve) => {
    child.once('message', (message: { kind: string; message?: string }) => {
      if (message.kind === 'ready') return resolve(child);
      const hint = 'is another demo running? --edge-port takes another port (npm start -- --edge-port 8082)';
      process.stderr.write(`edgewise: the demo's edges cannot listen: ${message.message}; ${hint}\n`);
      child.disconnect();
      return resolve(null);
    });
    child.once('exit', () => resolve(null));
  });
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function introduction(file: string, ports: { readonly dns: number; readonly http: number }): string {
  const cast = DEMO_EDGES.map(({ address, note }) => `  ${address}  ${note}`).join('\n');
  return `
The edges of this demo, probed every 5 seconds; four of them are wanted:
${cast}

Try, in another terminal:
  dig +short @127.0.0.1 -p ${ports.dns} shop.test A
  dig @127.0.0.1 -p ${ports.dns} club.test A          # its canary stands in for one edge
  dig +tcp @127.0.0.1 -p ${ports.dns} shop.test AXFR
  curl -s http://127.0.0.1:${ports.http}/healthz
  curl -s http://127.0.0.1:${ports.http}/api/v1/networks/${DEMO_NETWORK}
  node bin/edgewise.js explain -A ${DEMO_NETWORK} -c ${file}
  node bin/edge_conf.js -A ${DEMO_NETWORK} -c ${file} -m unavailable -C "maintenance" 127.0.0.12

Changes of the live set appear here; Ctrl-C ends the demo.
`;
}
