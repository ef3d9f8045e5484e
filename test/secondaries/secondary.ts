import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Peer, type PeerKind } from '../support/peers.ts';
import { from, PRIMARY_ADDRESS, snippet, without } from './snippets.ts';

export type SecondaryKind = PeerKind | 'powerdns';
/** `keyed`: transferred and notified with the page's key. */
/** `catalog.example.net` is the catalog of the page, from which the server learns all others. */
export type SecondaryZone = { readonly name: string; readonly keyed: boolean };
export const CATALOG = 'catalog.example.net';

const run = promisify(execFile);

/** A name server set up as docs/secondaries.md says, on a loopback port, for these zones of the primary at `primaryPort`. */
export class Secondary {
  readonly kind: SecondaryKind;
  readonly port: number;
  readonly folder: string = mkdtempSync(join(tmpdir(), 'edgewise-secondary-'));
  private readonly primaryPort: number;
  private readonly zones: readonly SecondaryZone[];
  private readonly edit: (config: string) => string;
  private running: { stop(): Promise<void> } | null = null;
  private peer: Peer | null = null;
  private pdnsLog = '';

  /** `edit` changes the page's text, to see what happens where it is not followed. */
  constructor(
    kind: SecondaryKind,
    port: number,
    primaryPort: number,
    zones: readonly SecondaryZone[],
    edit: (config: string) => string = (config) => config,
  ) {
    this.kind = kind;
    this.port = port;
    this.primaryPort = primaryPort;
    this.zones = zones;
    this.edit = edit;
  }

  get log(): string {
    return this.peer?.log ?? this.pdnsLog;
  }

  async start(): Promise<void> {
    if (this.kind === 'powerdns') {
      this.running = await this.startPowerDns();
      return;
    }
    const { server, extra } = CONFIGS[this.kind](this.zones, this.primaryPort, this.folder);
    this.peer = await Peer.start(this.kind, {
      zones: [],
      folder: this.folder,
      port: this.port,
      server,
      extra: this.edit(extra),
    });
    this.running = this.peer;
  }

  async stop(): Promise<void> {
    await this.running?.stop();
    this.running = null;
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** What it answers, a line an answer, sorted; empty when it does not answer. */
  async dig(...question: readonly string[]): Promise<readonly string[]> {
    return dig(this.port, '+short', ...question);
  }

  private async startPowerDns(): Promise<{ stop(): Promise<void> }> {
    const { folder, port } = this;
    const database = join(folder, 'pdns.sqlite3');
    const config = this.edit(`${snippet('pdns.conf')}${snippet('pdns.conf many')}`).replace(
      '/var/lib/powerdns/pdns.sqlite3',
      database,
    );
    const own = `local-address=127.0.0.1\nlocal-port=${port}\nsocket-dir=${folder}\nreceiver-threads=1\nloglevel=6\n`;
    const fresh = !this.hasStarted;
    this.hasStarted = true;
    writeFileSync(join(folder, 'pdns.conf'), config + own);
    if (fresh) {
      await run('sqlite3', [database, '.read /usr/share/doc/pdns-backend-sqlite3/schema.sqlite3.sql']);
      const many = this.zones.length > 20;
      for (const [i, { name, keyed }] of (many ? this.zones.slice(0, 1) : this.zones).entries()) {
        const commands = this.edit(snippet('pdnsutil'))
          .replaceAll('example.com', name)
          .replace(PRIMARY_ADDRESS, `127.0.0.1:${this.primaryPort}`);
        for (const command of commands.trim().split('\n')) {
          const [program, ...args] = command.split(' ');
          if (!keyed && /tsig/.test(command)) continue;
          if (i > 0 && /import-tsig/.test(command)) continue;
          await run(program, [`--config-dir=${folder}`, ...args]);
        }
      }
      // A process a zone and command takes minutes: the others become copies of the first in its database.
      if (many) {
        const copies = this.zones.slice(1).map(
          ({ name }) =>
            `INSERT INTO domains (name, master, type) SELECT '${name}', master, type FROM domains WHERE id = 1;
             INSERT INTO domainmetadata (domain_id, kind, content)
               SELECT last_insert_rowid(), kind, content FROM domainmetadata WHERE domain_id = 1;`,
        );
        writeFileSync(join(folder, 'copies.sql'), `BEGIN;\n${copies.join('\n')}\nCOMMIT;\n`);
        await run('sqlite3', [database, `.read ${join(folder, 'copies.sql')}`]);
      }
    }
    const args = [`--config-dir=${folder}`, '--daemon=no', '--guardian=no', '--disable-syslog=yes'];
    const child = spawn('pdns_server', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.pdnsLog += text;
      });
    }
    return { stop: () => end(child) };
  }

  private hasStarted = false;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const hard = setTimeout(() => child.kill('SIGKILL'), 3000);
  await exited;
  clearTimeout(hard);
}

/** `dig @127.0.0.1 -p port …`, lines sorted; empty where there is no answer. */
export async function dig(port: number, ...args: readonly string[]): Promise<readonly string[]> {
  const all = ['@127.0.0.1', '-p', String(port), '+tries=3', '+time=10', ...args];
  const { stdout } = await run('dig', all, { maxBuffer: 1 << 26 }).catch(() => ({ stdout: '' }));
  return stdout
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith(';'))
    .sort();
}

type Config = { readonly server: string; readonly extra: string };
type Maker = (zones: readonly SecondaryZone[], port: number, folder: string) => Config;

const CONFIGS: Readonly<Record<PeerKind, Maker>> = {
  bind: (zones, port) => {
    const text = snippet('named.conf');
    const key = text.slice(0, text.search(/^zone /m));
    const zone = from(text, /^zone /m);
    const blocks = zones.map(({ name, keyed }) =>
      (keyed ? zone : zone.replace(/ key "[^"]*"/, ''))
        .replaceAll('example.com', name)
        .replace(PRIMARY_ADDRESS, `127.0.0.1 port ${port}`),
    );
    if (zones.some(({ name }) => name === CATALOG)) {
      const here = (block: string): string => snippet(block).replace(PRIMARY_ADDRESS, `127.0.0.1 port ${port}`);
      const server = `${snippet('named.conf options')}${here('named.conf catalog-options')}`;
      return { server, extra: `${key}${here('named.conf catalog')}` };
    }
    return { server: snippet('named.conf options'), extra: `${key}${blocks.join('\n')}` };
  },
  nsd: (zones, port) => {
    const text = snippet('nsd.conf');
    const key = text.slice(0, text.search(/^zone:/m));
    const zone = from(text, /^zone:/m);
    const blocks = zones.map(
      ({ name, keyed }) =>
        `${(keyed ? zone : zone.replaceAll('edgewise-transfer', 'NOKEY'))
          .replaceAll('example.com', name)
          .replace(`allow-notify: ${PRIMARY_ADDRESS}`, 'allow-notify: 127.0.0.1')
          .replace(PRIMARY_ADDRESS, `127.0.0.1@${port}`)}    provide-xfr: 127.0.0.0/8 NOKEY\n`,
    );
    return { server: snippet('nsd.conf server'), extra: `${key}${blocks.join('\n')}` };
  },
  knot: (zones, port, folder) => {
    const text = snippet('knot.conf')
      .replace(
        `address: ${PRIMARY_ADDRESS}\n    key: edgewise-transfer\n\n`,
        `address: 127.0.0.1@${port}\n    key: edgewise-transfer\n\n`,
      )
      .replace(PRIMARY_ADDRESS, '127.0.0.1');
    const head = text.slice(0, text.search(/^zone:/m));
    const plain = without(from(head, /^remote:/m), /key: edgewise-transfer/)
      .replace('id: edgewise\n', 'id: plain\n')
      .replace('id: edgewise-notify', 'id: plain-notify');
    const zone = from(text, /^zone:/m);
    const blocks = zones.map(({ name, keyed }) =>
      (keyed
        ? zone
        : zone.replace('master: edgewise', 'master: plain').replace('acl: edgewise-notify', 'acl: plain-notify')
      )
        .replaceAll('example.com', name)
        // To compare zones, the tests transfer them from it.
        .replace(/acl: (\S+)/, 'acl: [$1, test-transfer]'),
    );
    const tests = `acl:\n  - id: test-transfer\n    address: 127.0.0.1\n    action: transfer\n`;
    const template = `template:\n  - id: default\n    storage: "${folder}"\n`;
    if (zones.some(({ name }) => name === CATALOG)) {
      return { server: '', extra: `${template}${head}${snippet('knot.conf catalog')}` };
    }
    return { server: '', extra: `${template}${head}${plain}${tests}${blocks.join('\n')}` };
  },
};
