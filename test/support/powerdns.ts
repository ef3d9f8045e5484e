import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { decodeMessage } from './dns-message.ts';
import { encodeQuery } from './dns-query.ts';
import { askOnce } from './peers.ts';
import { freePort } from './ports.ts';

const run = promisify(execFile);
const SCHEMA = '/usr/share/doc/pdns-backend-sqlite3/schema.sqlite3.sql';
const READY_MS = 60_000;
const TRY_MS = 200;

export type PowerDnsOptions = {
  /** Lines of pdns.conf besides address, port and database. */
  readonly config: string;
  readonly zones: readonly { readonly name: string; readonly text: string }[];
  /** `pdnsutil …`, one a line, run once the zones are there. */
  readonly commands?: string;
};

/** A `pdns_server` in the foreground on a loopback port, with an SQLite database and a folder of its own. */
export class PowerDns {
  readonly port: number;
  readonly folder: string;
  log = '';
  private child: ChildProcess | null = null;

  private constructor(port: number, folder: string) {
    this.port = port;
    this.folder = folder;
  }

  static async start({ config, zones, commands = '' }: PowerDnsOptions): Promise<PowerDns> {
    const server = new PowerDns(await freePort(), mkdtempSync(join(tmpdir(), 'edgewise-pdns-')));
    const { folder, port } = server;
    const database = join(folder, 'pdns.sqlite3');
    const own = `launch=gsqlite3\ngsqlite3-database=${database}\ngsqlite3-pragma-synchronous=0\ncache-ttl=0\nquery-cache-ttl=0
negquery-cache-ttl=0\nzone-cache-refresh-interval=0\nlocal-address=127.0.0.1\nlocal-port=${port}\nsocket-dir=${folder}\nreceiver-threads=1\nloglevel=6\n`;
    writeFileSync(join(folder, 'pdns.conf'), `${config}\n${own}`);
    await run('sqlite3', [database, `.read ${SCHEMA}`]);
    for (const { name, text } of zones) {
      writeFileSync(join(folder, `${name}.zone`), text);
      await server.util('load-zone', name, join(folder, `${name}.zone`));
    }
    for (const command of commands.trim().split('\n')) {
      const [program, ...args] = command.split(' ');
      if (program === 'pdnsutil') await server.util(...args);
    }
    try {
      await server.up(zones[0].name);
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  async util(...args: readonly string[]): Promise<string> {
    return (await run('pdnsutil', [`--config-dir=${this.folder}`, ...args])).stdout;
  }

  /** Ends the process, keeping its database. */
  async down(): Promise<void> {
    const { child } = this;
    this.child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    const hard = setTimeout(() => child.kill('SIGKILL'), 3000);
    await exited;
    clearTimeout(hard);
  }

  /** Starts the process, and resolves once it answers for the zone. */
  async up(zone: string): Promise<void> {
    const args = [`--config-dir=${this.folder}`, '--daemon=no', '--guardian=no', '--disable-syslog=yes'];
    const child = spawn('pdns_server', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.log += text;
      });
    }
    const end = performance.now() + READY_MS;
    for (;;) {
      if (child.exitCode !== null || performance.now() > end)
        throw new Error(`pdns_server does not answer:\n${this.log}`);
      const reply = await askOnce(this.port, encodeQuery({ name: zone, type: 'SOA' }), TRY_MS);
      if (reply !== null && decodeMessage(reply).aa) return;
    }
  }

  async stop(): Promise<void> {
    await this.down();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
