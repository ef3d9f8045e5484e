/** `edgewise demo --vantages`: several servers that agree, and one whose line to the edges breaks every minute. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { workerUrl } from '../system/worker-url.ts';
import { clockText } from './change-text.ts';
import { writeDemo } from './files.ts';
import { DEMO_NETWORK } from './layout.ts';
import type { VantageMessage } from './vantage.ts';

export type VantagesOptions = {
  readonly count: number;
  /** Agree through a local etcd instead of asking each other. */
  readonly etcd: boolean;
  readonly folder: string;
  /** Of the first vantage; the others have the next ones. `vantage`: of the first peer, or of etcd and, next, its members. */
  readonly ports: { readonly dns: number; readonly http: number; readonly edges: number; readonly vantage: number };
  /** Seconds between two breaks of the last one's line. */
  readonly breakEvery: number;
  readonly edges: ChildProcess;
  readonly say: (text: string) => void;
};

type Site = {
  readonly name: string;
  readonly file: string;
  readonly source: string;
  readonly dns: number;
  readonly http: number;
};

/** Of the time between two breaks: longer than a round, so that it is noticed. */
const BROKEN_SHARE = 1 / 2;

/** Starts them all. `problem`: they could not be started, and nothing is left running. */
export class DemoVantages {
  private readonly options: VantagesOptions;
  private readonly sites: readonly Site[];
  private readonly processes: ChildProcess[] = [];
  private timer: NodeJS.Timeout | null = null;
  private stopping = false;

  constructor(options: VantagesOptions) {
    this.options = options;
    const names = Array.from({ length: options.count }, (_, i) => String.fromCharCode('a'.charCodeAt(0) + i));
    writeFileSync(keyFile(options.folder), `${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
    this.sites = names.map((name, i) => {
      const { dns, http, edges } = options.ports;
      const folder = join(options.folder, name);
      mkdirSync(folder, { recursive: true });
      const ports = { dns: dns + i, http: http + i, edges };
      const file = writeDemo(folder, ports, `vantage: ${JSON.stringify(this.section(names, i))}\n`);
      return { name, file, source: `127.0.0.${101 + i}`, ...ports };
    });
  }

  /** Null, or why it failed. */
  async start(): Promise<string | null> {
    const { etcd, edges, say } = this.options;
    const trouble = etcd ? await this.startEtcd() : null;
    if (trouble !== null) return trouble;
    const results = await Promise.all(this.sites.map((site) => this.startVantage(site)));
    const failed = results.filter((result) => result !== null);
    if (failed.length > 0) return failed.join('\n');
    say(introduction(this.options, this.sites));
    const last = this.sites[this.sites.length - 1];
    const { breakEvery } = this.options;
    const breakLine = (): void => {
      const seconds = Math.round(breakEvery * BROKEN_SHARE);
      this.sayOf(last.name, `its line to the edges is broken for ${seconds} s`);
      if (edges.connected) edges.send({ kind: 'broken', from: last.source });
      const mended = setTimeout(() => {
        this.sayOf(last.name, 'its line works again');
        if (edges.connected) edges.send({ kind: 'broken', from: null });
      }, seconds * 1000);
      mended.unref();
    };
    this.timer = setInterval(breakLine, breakEvery * 1000);
    return null;
  }

  /** Waits for all of them to end. */
  async stop(): Promise<void> {
    this.stopping = true;
    if (this.timer !== null) clearInterval(this.timer);
    const running = this.processes.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
    const ends = running.map((child) => once(child, 'exit'));
    // The vantages first: they tell etcd that they go.
    for (const child of running) if (child.connected) child.disconnect();
    const [etcd, ...vantages] = this.options.etcd ? ends : [Promise.resolve(), ...ends];
    await Promise.all(vantages);
    if (this.options.etcd) this.processes[0]?.kill('SIGTERM');
    await etcd;
  }

  private section(names: readonly string[], i: number): object {
    const { etcd, ports, folder } = this.options;
    const url = (port: number): string => `http://127.0.0.1:${port}`;
    if (etcd)
      return {
        name: names[i],
        engine: 'etcd',
        endpoints: [url(ports.vantage)],
        prefix: 'edgewise/demo',
        members: names,
      };
    const peers = names.map((name, j) => ({ name, url: url(ports.vantage + j) })).filter((_, j) => j !== i);
    const listen = `127.0.0.1:${ports.vantage + i}`;
    return { name: names[i], engine: 'peers', listen, key_file: keyFile(folder), peers, min_peers_agree: 1 };
  }

  private async startEtcd(): Promise<string | null> {
    const { folder, ports } = this.options;
    const [client, members] = [ports.vantage, ports.vantage + 1].map((port) => `http://127.0.0.1:${port}`);
    const log = openSync(join(folder, 'etcd.log'), 'a');
    const child = spawn(
      'etcd',
      [
        ...['--name', 'demo', '--data-dir', join(folder, 'etcd'), '--initial-cluster', `demo=${members}`],
        ...['--listen-client-urls', client, '--advertise-client-urls', client],
        ...['--listen-peer-urls', members, '--initial-advertise-peer-urls', members],
      ],
      // Not of our process group: Ctrl-C is for us, and etcd ends after the vantages.
      { stdio: ['ignore', log, log], detached: true },
    );
    closeSync(log);
    const failed = await new Promise<Error | null>((resolve) => {
      child.once('spawn', () => resolve(null));
      child.once('error', resolve);
    });
    if (failed !== null)
      return `etcd cannot be started (${failed.message}): Debian has it as etcd-server; peers need none`;
    this.processes.push(child);
    child.once('exit', () => this.stopping || this.options.say(`etcd has ended; ${join(folder, 'etcd.log')} says why`));
    return null;
  }

  /** Null, or why it failed. */
  private startVantage({ name, file, source }: Site): Promise<string | null> {
    const child = fork(workerUrl(import.meta.url, './vantage.ts'), [file], {
      env: { ...process.env, EDGEWISE_DEMO_FROM: source },
      execArgv: ['--import', workerUrl(import.meta.url, './probe-from.ts').href],
    });
    this.processes.push(child);
    return new Promise((resolve) => {
      child.on('message', ({ kind, text }: VantageMessage) => {
        if (kind === 'failed') resolve(text);
        else this.sayOf(name, kind === 'ready' ? `edgewise ready ${text}` : text);
        if (kind === 'ready') resolve(null);
      });
      child.once('exit', () => {
        resolve(`vantage ${name} has ended`);
        if (!this.stopping) this.sayOf(name, 'has ended');
      });
    });
  }

  private sayOf(name: string, text: string): void {
    this.options.say(`${clockText(Date.now() / 1000)} ${name}  ${text}`);
  }
}

function keyFile(folder: string): string {
  return join(folder, 'peers.key');
}

function introduction({ etcd, breakEvery }: VantagesOptions, sites: readonly Site[]): string {
  const last = sites[sites.length - 1];
  const [first] = sites;
  const how = etcd
    ? `They agree through etcd: one of them decides, and all answer with the same serial.`
    : `They ask each other: each decides for itself, and believes a change once a peer agrees.`;
  return `
${sites.length} vantages (${sites.map(({ name }) => name).join(', ')}) look at the same edges every 5 seconds. ${how}
Every ${breakEvery} s the line from ${last.name} to the edges breaks: it sees all of them down, and nothing changes.

Try, in another terminal:
${sites.map(({ name, dns }) => `  dig +short @127.0.0.1 -p ${dns} shop.test A          # what ${name} answers`).join('\n')}
  dig +short @127.0.0.1 -p ${last.dns} shop.test SOA
  curl -s http://127.0.0.1:${last.http}/api/v1/vantage
  node bin/edgewise.js cluster status -c ${last.file}
  node bin/edgewise.js explain -A ${DEMO_NETWORK} -c ${last.file}
  node bin/edgewise.js cluster override --reason "trying it out" --for 30s -c ${first.file}

Changes appear here, each with the vantage; Ctrl-C ends the demo.
`;
}
