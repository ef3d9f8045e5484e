import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Ended, ended } from './installation.ts';
import { freePort } from './ports.ts';

/** Files, absolute; `client*`: a certificate that the members take. */
export type EtcdTls = { readonly caFile: string; readonly certFile: string; readonly keyFile: string };

type Options = {
  readonly members?: 1 | 3;
  /** Clients speak TLS and show a certificate. */
  readonly tls?: boolean;
  /** Users and roles: `root`, and `edgewise`, who may do everything below `edgewise/`. */
  readonly auth?: boolean;
};

export const ETCD_ROOT = { user: 'root', password: 'root-secret' };
export const ETCD_USER = { user: 'edgewise', password: 'edgewise-secret' };

const READY_MS = 60_000;
const REQUEST_MS = 2000;
/** Each member writes 64 MB ahead; memory is taken where there is much of it, since its fsync costs nothing. */
const WANTED_OCTETS = 1 << 30;

/** One process of etcd. */
export class EtcdMember {
  readonly name: string;
  readonly clientPort: number;
  readonly peerPort: number;
  /** Everything that its processes printed. */
  log = '';
  process: ChildProcess | null = null;
  isPaused = false;

  constructor(name: string, clientPort: number, peerPort: number) {
    this.name = name;
    this.clientPort = clientPort;
    this.peerPort = peerPort;
  }

  get isRunning(): boolean {
    return this.process !== null;
  }
}

/** etcd on loopback, with its data in a temporary folder. Members can be paused, killed, wiped and restored by number. */
export class EtcdCluster {
  readonly folder: string;
  readonly members: readonly EtcdMember[];
  /** Null: plain. */
  readonly tls: EtcdTls | null;
  private readonly auth: boolean;
  /** Another one at each new beginning, so that members of different clusters do not take each other for theirs. */
  private generation = 0;

  private constructor(folder: string, members: readonly EtcdMember[], tls: EtcdTls | null, auth: boolean) {
    this.folder = folder;
    this.members = members;
    this.tls = tls;
    this.auth = auth;
    process.once('exit', this.kill9);
  }

  static async start({ members = 1, tls = false, auth = false }: Options = {}): Promise<EtcdCluster> {
    const folder = mkdtempSync(join(memoryOrDisk(), 'edgewise-etcd-'));
    const made: EtcdMember[] = [];
    for (let i = 1; i <= members; i++) made.push(new EtcdMember(`m${i}`, await freePort(), await freePort()));
    const cluster = new EtcdCluster(folder, made, tls ? certificates(folder) : null, auth);
    try {
      await cluster.begin();
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  /** Of each member, for clients. */
  get endpoints(): readonly string[] {
    return this.members.map(({ clientPort }) => this.url(clientPort));
  }

  /** SIGSTOP: connections stay, nothing is said. */
  pause(member: number): void {
    this.members[member].process?.kill('SIGSTOP');
    this.members[member].isPaused = true;
  }

  resume(member: number): void {
    this.members[member].process?.kill('SIGCONT');
    this.members[member].isPaused = false;
  }

  /** Resolves when the process is gone; its data stay. */
  async kill(member: number): Promise<void> {
    const { process: child } = this.members[member];
    if (child === null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** With the data it has. */
  async restart(member: number): Promise<void> {
    await this.kill(member);
    this.launch(this.members[member], 'existing');
    await this.healthy([member]);
  }

  /** All members lose everything: an empty cluster at the same addresses. */
  async wipe(): Promise<void> {
    await this.killAll();
    for (const { name } of this.members) rmSync(this.data(name), { recursive: true, force: true });
    await this.begin();
  }

  /** Saves all there is to a file, and says which. */
  async snapshot(): Promise<string> {
    const file = join(this.folder, `snapshot-${Date.now()}`);
    const { status, stderr } = await this.etcdctl(
      '--endpoints',
      this.endpoints[await this.leader()],
      'snapshot',
      'save',
      file,
    );
    if (status !== 0) throw new Error(`etcdctl snapshot: ${stderr}`);
    return file;
  }

  /** The whole cluster begins again from an older snapshot, as an operator does after a disaster: revisions go back. */
  async restore(snapshot: string): Promise<void> {
    await this.killAll();
    this.generation += 1;
    for (const member of this.members) {
      rmSync(this.data(member.name), { recursive: true, force: true });
      const args = ['--data-dir', this.data(member.name), '--name', member.name, ...this.clusterArgs(member)];
      const { status, stderr } = await this.etcdctl('snapshot', 'restore', snapshot, ...args);
      if (status !== 0) throw new Error(`etcdctl restore: ${stderr}`);
    }
    for (const member of this.members) this.launch(member, 'existing');
    await this.healthy();
  }

  /** The number of the member that leads; waits for one. */
  async leader(): Promise<number> {
    const end = performance.now() + READY_MS;
    while (performance.now() < end) {
      for (const [number, member] of this.members.entries()) {
        if (!member.isRunning || member.isPaused) continue;
        const status = await this.call('/v3/maintenance/status', {}, number).catch(() => null);
        const { header, leader } = (status ?? {}) as { header?: { member_id: string }; leader?: string };
        if (header !== undefined && header.member_id === leader) return number;
      }
      await pause(100);
    }
    throw new Error(`no member leads:\n${this.logs()}`);
  }

  /** Resolves when these members (all) answer a linearizable read. */
  async healthy(numbers: readonly number[] = this.members.map((_, number) => number)): Promise<void> {
    const end = performance.now() + READY_MS;
    for (const number of numbers) {
      for (;;) {
        const { name, process: child } = this.members[number];
        if (child === null) throw new Error(`${name} ended:\n${this.logs()}`);
        if (await this.call('/health', null, number).then(isHealthy, () => false)) break;
        if (performance.now() > end) throw new Error(`${name} is not healthy:\n${this.logs()}`);
        await pause(100);
      }
    }
  }

  /** One request to a member's JSON gateway, as root where there are users; `body` null: GET. Rejects within two seconds. */
  async call(path: string, body: object | null, member = 0): Promise<unknown> {
    const token = this.auth && this.hasUsers && body !== null ? await this.token(member) : null;
    return this.post(path, body, member, token);
  }

  /** `etcdctl`, on all members unless `--endpoints` is given. */
  etcdctl(...args: readonly string[]): Promise<Ended> {
    const own = args.includes('--endpoints') || args[1] === 'restore' ? [] : ['--endpoints', this.endpoints.join()];
    const tls =
      this.tls === null ? [] : ['--cacert', this.tls.caFile, '--cert', this.tls.certFile, '--key', this.tls.keyFile];
    const user = this.hasUsers ? ['--user', `${ETCD_ROOT.user}:${ETCD_ROOT.password}`] : [];
    const env = { ...process.env, ETCDCTL_API: '3' };
    return ended(spawn('etcdctl', [...own, ...tls, ...user, ...args], { env }));
  }

  /** Puts a value as somebody else would. */
  async put(key: string, value: string | Buffer): Promise<void> {
    await this.call('/v3/kv/put', { key: base64(key), value: base64(value) });
  }

  /** Null: no such key. */
  async get(key: string): Promise<string | null> {
    const { kvs } = (await this.call('/v3/kv/range', { key: base64(key) })) as { kvs?: { value?: string }[] };
    return kvs === undefined ? null : Buffer.from(kvs[0]?.value ?? '', 'base64').toString();
  }

  /** Takes away the history up to now. */
  async compact(): Promise<void> {
    const leader = await this.leader();
    const { header } = (await this.call('/v3/kv/range', { key: base64('x') }, leader)) as {
      header: { revision: string };
    };
    await this.call('/v3/kv/compaction', { revision: header.revision, physical: true }, leader);
  }

  logs(): string {
    return this.members.map(({ name, log }) => `== ${name}\n${log.slice(-4000)}`).join('\n');
  }

  async stop(): Promise<void> {
    process.off('exit', this.kill9);
    await this.killAll();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private hasUsers = false;

  private async begin(): Promise<void> {
    this.generation += 1;
    this.hasUsers = false;
    for (const member of this.members) this.launch(member, 'new');
    await this.healthy();
    if (this.auth) await this.addUsers();
  }

  private async addUsers(): Promise<void> {
    for (const { user, password } of [ETCD_ROOT, ETCD_USER]) {
      await this.call('/v3/auth/user/add', { name: user, password });
      await this.call('/v3/auth/role/add', { name: user });
      await this.call('/v3/auth/user/grant', { user, role: user });
    }
    const perm = { permType: 'READWRITE', key: base64('edgewise/'), range_end: base64('edgewise0') };
    await this.call('/v3/auth/role/grant', { name: ETCD_USER.user, perm });
    await this.call('/v3/auth/enable', {});
    this.hasUsers = true;
  }

  private launch(member: EtcdMember, state: 'new' | 'existing'): void {
    const listen = this.url(member.clientPort);
    const tls =
      this.tls === null
        ? []
        : [
            '--cert-file',
            this.tls.certFile,
            '--key-file',
            this.tls.keyFile,
            '--trusted-ca-file',
            this.tls.caFile,
            '--client-cert-auth',
          ];
    const child = spawn(
      'etcd',
      [
        ...['--name', member.name, '--data-dir', this.data(member.name), '--logger', 'zap', '--log-level', 'warn'],
        ...['--listen-client-urls', listen, '--advertise-client-urls', listen],
        ...['--listen-peer-urls', `http://127.0.0.1:${member.peerPort}`, '--initial-cluster-state', state],
        ...['--heartbeat-interval', '100', '--election-timeout', '1000', ...this.clusterArgs(member), ...tls],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    member.process = child;
    member.isPaused = false;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        member.log = (member.log + text).slice(-200_000);
      });
    }
    const over = (): void => {
      if (member.process === child) member.process = null;
    };
    child.once('exit', over);
    child.once('error', (error) => {
      member.log += error.message;
      over();
    });
  }

  private clusterArgs({ peerPort }: EtcdMember): readonly string[] {
    const all = this.members.map((member) => `${member.name}=http://127.0.0.1:${member.peerPort}`).join();
    const token = `edgewise-${this.generation}-${this.members[0].peerPort}`;
    const own = `http://127.0.0.1:${peerPort}`;
    return ['--initial-cluster', all, '--initial-cluster-token', token, '--initial-advertise-peer-urls', own];
  }

  private readonly kill9 = (): void => {
    for (const { process: child } of this.members) child?.kill('SIGKILL');
  };

  private async killAll(): Promise<void> {
    await Promise.all(this.members.map((_, number) => this.kill(number)));
  }

  private data(name: string): string {
    return join(this.folder, name);
  }

  private url(port: number): string {
    return `${this.tls === null ? 'http' : 'https'}://127.0.0.1:${port}`;
  }

  private async token(member: number): Promise<string> {
    const { user: name, password } = ETCD_ROOT;
    const { token } = (await this.post('/v3/auth/authenticate', { name, password }, member, null)) as { token: string };
    return token;
  }

  private async post(path: string, body: object | null, member: number, token: string | null): Promise<unknown> {
    const url = `${this.endpoints[member]}${path}`;
    if (this.tls !== null) return this.postByTls(url, body, token, this.tls);
    const response = await fetch(url, {
      signal: AbortSignal.timeout(REQUEST_MS),
      ...(token === null ? {} : { headers: { authorization: token } }),
      ...(body === null ? {} : { method: 'POST', body: JSON.stringify(body) }),
    });
    return parsed(path, response.status, await response.text());
  }

  private async postByTls(url: string, body: object | null, token: string | null, tls: EtcdTls): Promise<unknown> {
    const outgoing = request(url, {
      method: body === null ? 'GET' : 'POST',
      headers: token === null ? {} : { authorization: token },
      timeout: REQUEST_MS,
      ca: readFileSync(tls.caFile),
      cert: readFileSync(tls.certFile),
      key: readFileSync(tls.keyFile),
      agent: false,
    });
    outgoing.once('timeout', () => outgoing.destroy(new Error('timeout')));
    outgoing.end(body === null ? '' : JSON.stringify(body));
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    let text = '';
    for await (const piece of response.setEncoding('utf8')) text += String(piece);
    return parsed(url, response.statusCode ?? 0, text);
  }
}

function parsed(path: string, status: number, text: string): unknown {
  if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
  return JSON.parse(text);
}

function isHealthy(answer: unknown): boolean {
  return (answer as { readonly health?: unknown }).health === 'true';
}

function base64(value: string | Buffer): string {
  return Buffer.from(value).toString('base64');
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function memoryOrDisk(): string {
  const memory = '/dev/shm';
  if (!existsSync(memory)) return tmpdir();
  const { bavail, bsize } = statfsSync(memory);
  return bavail * bsize > WANTED_OCTETS ? memory : tmpdir();
}

/**
 * An authority and one certificate, for 127.0.0.1, that servers and clients both show. It has no common name: where there
 * are users, etcd's gateway refuses the certificates that have one.
 */
function certificates(folder: string): EtcdTls {
  const at = (file: string): string => join(folder, file);
  const openssl = (...args: readonly string[]): void => {
    execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const authority = ['-subj', '/CN=etcd-authority', '-addext', 'basicConstraints=critical,CA:TRUE'];
  openssl('req', '-x509', ...key, '-keyout', at('ca.key'), '-out', at('ca.crt'), '-days', '3650', ...authority);
  openssl('req', ...key, '-keyout', at('etcd.key'), '-out', at('etcd.csr'), '-subj', '/O=edgewise');
  writeFileSync(at('etcd.ext'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth,clientAuth\n');
  const by = [
    '-CA',
    at('ca.crt'),
    '-CAkey',
    at('ca.key'),
    '-set_serial',
    '7',
    '-days',
    '3650',
    '-extfile',
    at('etcd.ext'),
  ];
  openssl('x509', '-req', '-in', at('etcd.csr'), '-out', at('etcd.crt'), ...by);
  return { caFile: at('ca.crt'), certFile: at('etcd.crt'), keyFile: at('etcd.key') };
}
