import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeMessage } from './dns-message.ts';
import { encodeQuery } from './dns-query.ts';
import { bindConfig, knotConfig, nsdConfig } from './peers-config.ts';
import { freePort } from './ports.ts';

export type PeerKind = 'bind' | 'nsd' | 'knot';

export type PeerKey = { readonly name: string; readonly algorithm: string; readonly secret: string };

export type PeerPrimary = { readonly address: string; readonly port: number; readonly key?: string };

/** A zone of a peer: from text, or transferred from one of its primaries. `extra`: more lines for its zone block. */
export type PeerZone = { readonly origin: string; readonly extra?: string } & (
  | { readonly text: string }
  | { readonly primary: PeerPrimary | readonly PeerPrimary[] }
);

export type PeerOptions = {
  readonly zones: readonly PeerZone[];
  readonly keys?: readonly PeerKey[];
  /** More lines for the server block (`options`, `server:`). */
  readonly server?: string;
  /** More text for the end of the file. */
  readonly extra?: string;
  /** 0: any free one. A restart may want the old one. */
  readonly port?: number;
  /** Wait until each zone is answered with authority; secondaries may not be. */
  readonly awaitZones?: boolean;
  /** Folder of an earlier run, with its databases; kept at `stop` when given. */
  readonly folder?: string;
};

const PROGRAMS = { bind: 'named', nsd: 'nsd', knot: 'knotd' } as const;
const CONFIGS = { bind: bindConfig, nsd: nsdConfig, knot: knotConfig } as const;
const READY_MS = 60_000;
const TRY_MS = 200;

/** Another nameserver, started in the foreground on a loopback port with a folder of its own. */
export class Peer {
  readonly kind: PeerKind;
  readonly port: number;
  readonly folder: string;
  /** Everything it printed. */
  log = '';
  private readonly child: ChildProcess;
  private readonly ownsFolder: boolean;

  private constructor(kind: PeerKind, port: number, folder: string, child: ChildProcess, ownsFolder: boolean) {
    this.kind = kind;
    this.port = port;
    this.folder = folder;
    this.child = child;
    this.ownsFolder = ownsFolder;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.log += text;
      });
    }
  }

  /** Rejects with its log when it ends or answers nothing within a minute. */
  static async start(kind: PeerKind, options: PeerOptions): Promise<Peer> {
    const folder = options.folder ?? mkdtempSync(join(tmpdir(), `edgewise-${kind}-`));
    const port = options.port === undefined || options.port === 0 ? await freePort() : options.port;
    for (const zone of options.zones) if ('text' in zone) writeFileSync(zoneFile(folder, zone), zone.text);
    const config = join(folder, `${kind}.conf`);
    writeFileSync(
      config,
      CONFIGS[kind](folder, port, options, (zone) => zoneFile(folder, zone)),
    );
    const child = spawn(PROGRAMS[kind], argumentsOf(kind, config), { stdio: ['ignore', 'pipe', 'pipe'] });
    const peer = new Peer(kind, port, folder, child, options.folder === undefined);
    const failed = once(child, 'error').then(([error]) => Promise.reject(error as Error));
    try {
      await Promise.race([failed, peer.ready(options)]);
    } catch (error) {
      await peer.stop();
      throw error;
    }
    return peer;
  }

  /** Its zones are there: each answers its SOA with authority (or, where transfers are awaited, answers at all). */
  private async ready({ zones, awaitZones = true }: PeerOptions): Promise<void> {
    const end = performance.now() + READY_MS;
    for (const { origin } of zones) {
      for (;;) {
        if (this.child.exitCode !== null) throw new Error(`${this.kind} ended:\n${this.log}`);
        if (performance.now() > end) throw new Error(`${this.kind} does not answer for ${origin}:\n${this.log}`);
        const reply = await askOnce(this.port, encodeQuery({ name: origin, type: 'SOA' }), TRY_MS);
        if (reply !== null && (!awaitZones || decodeMessage(reply).aa)) break;
      }
    }
  }

  /** Sends a signal, SIGHUP to reload for instance. */
  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null && this.child.pid !== undefined) {
      const exited = once(this.child, 'exit');
      this.child.kill('SIGTERM');
      const hard = setTimeout(() => this.child.kill('SIGKILL'), 5000);
      await exited;
      clearTimeout(hard);
    }
    if (this.ownsFolder) rmSync(this.folder, { recursive: true, force: true });
  }
}

function argumentsOf(kind: PeerKind, config: string): string[] {
  switch (kind) {
    case 'bind':
      return ['-g', '-n', '1', '-c', config];
    case 'nsd':
      return ['-d', '-c', config];
    case 'knot':
      return ['-c', config];
    default:
      return kind satisfies never;
  }
}

function zoneFile(folder: string, { origin }: PeerZone): string {
  return join(folder, `${origin === '.' ? 'root' : origin}.zone`);
}

/** One UDP query to 127.0.0.1; null when nothing came back in time or nobody listens. */
export function askOnce(port: number, query: Uint8Array, timeoutMs: number): Promise<Uint8Array | null> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    const end = (reply: Uint8Array | null): void => {
      clearTimeout(timer);
      socket.close();
      resolve(reply);
    };
    const timer = setTimeout(() => end(null), timeoutMs);
    // Without a connection a refusal is not told, so the time-out is also the pause between two tries.
    socket.once('message', (reply) => end(new Uint8Array(reply)));
    socket.send(query, port, '127.0.0.1');
  });
}

/** Asks many queries, `window` at a time, each with its place as identifier, again where a reply gets lost. */
export async function askMany(port: number, queries: readonly Uint8Array[], window = 64): Promise<Uint8Array[]> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 22 });
  const replies: Uint8Array[] = [];
  const waiting = new Map<number, (reply: Uint8Array) => void>();
  socket.on('message', (reply) => waiting.get(reply.readUInt16BE(0))?.(new Uint8Array(reply)));
  const ask = async (index: number): Promise<Uint8Array> => {
    const id = index & 0xffff;
    const query = queries[index].slice();
    query[0] = id >>> 8;
    query[1] = id;
    for (let tries = 0; tries < 5; tries++) {
      const reply = await new Promise<Uint8Array | null>((resolve) => {
        const timer = setTimeout(() => resolve(null), 2000);
        waiting.set(id, (octets) => {
          clearTimeout(timer);
          resolve(octets);
        });
        socket.send(query, port, '127.0.0.1');
      });
      waiting.delete(id);
      if (reply !== null) return reply;
    }
    throw new Error(`no reply to query ${index}`);
  };
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < queries.length) {
      const index = next++;
      replies[index] = await ask(index);
    }
  };
  try {
    await Promise.all(Array.from({ length: window }, lane));
  } finally {
    socket.close();
  }
  return replies;
}
