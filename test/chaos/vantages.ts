import { existsSync, readdirSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { within } from '../../src/system/deadline.ts';
import { UNAGREED_SERIAL } from '../../src/zones/agreement/own-step.ts';
import { decodeMessage, line, type Message } from '../support/dns-message.ts';
import { encodeQuery } from '../support/dns-query.ts';
import { EdgewiseServer, eventually } from '../support/edgewise.ts';
import { EtcdCluster } from '../support/etcd.ts';
import { Installation, NETWORK, OBJECT } from '../support/installation.ts';
import { LinkProxy, type LinkState } from '../support/link-proxy.ts';
import { askOnce } from '../support/peers.ts';
import { freePort } from '../support/ports.ts';
import { transfer } from '../support/transfer-client.ts';
import { check, type Violation } from './checker.ts';
import { Edges } from './edges.ts';
import type { Entry, Log, Mark } from './log.ts';
import { decoded } from './stored.ts';
import { type Change, EtcdWatch } from './watch-etcd.ts';

export const ZONE = 'z.test';
/** In a run with canaries. */
export const CANARY_ZONE = 'canary.test';
export const PREFIX = 'edgewise/chaos';
/** A transfer that has not ended by then is begun anew: the look at the other nodes waits for it. */
const DUMP_MS = 10_000;
const SWEEP_MS = 100;
const ASK_MS = 500;
/** Of the nodes' turns: by when what was stored is served (issue 12). */
const TURNS = 2;

export type VantagesOptions = {
  readonly names?: readonly string[];
  /** Second octet of the loopback addresses, so that files running at once do not meet. */
  readonly block: number;
  readonly edges?: number;
  /** Seconds. */
  readonly interval?: number;
  readonly lease?: number;
  /** A second zone, with a canary, and a look at the modes that each vantage has. */
  readonly canary?: boolean;
  /** More keys of edgemanage.yaml. */
  readonly keys?: Readonly<Record<string, unknown>>;
};

/** One vantage: an `edgewise serve` with a link of its own to each member of etcd. */
export class Vantage {
  readonly name: string;
  /** Where its probes come from. */
  readonly source: string;
  readonly site: Installation;
  readonly dnsPort: number;
  readonly links: readonly LinkProxy[];
  server: EdgewiseServer | null = null;
  isPaused = false;
  private readonly to: string;

  constructor(
    name: string,
    source: string,
    site: Installation,
    dnsPort: number,
    links: readonly LinkProxy[],
    to: string,
  ) {
    this.name = name;
    this.source = source;
    this.site = site;
    this.dnsPort = dnsPort;
    this.links = links;
    this.to = to;
  }

  /** `skew`: of its clock, as libfaketime writes it: `+1h`. */
  launch(skew: string | null = null): void {
    const clock = skew === null ? {} : { LD_PRELOAD: fakeTime(), FAKETIME: skew, FAKETIME_DONT_FAKE_MONOTONIC: '1' };
    const env = { EDGEWISE_PROBE_FROM: this.source, EDGEWISE_PROBE_TO: this.to, ...clock };
    const preload = new URL('probe-from.mjs', import.meta.url).href;
    this.server = EdgewiseServer.spawn(this.site.path('edgemanage.yaml'), [], env, ['--import', preload]);
    this.isPaused = false;
  }

  /** Resolves when it answers. */
  async begin(skew: string | null = null): Promise<void> {
    this.launch(skew);
    await this.server?.ready();
  }

  async link(state: LinkState): Promise<void> {
    await Promise.all(this.links.map((proxy) => proxy.set(state)));
  }

  pause(): void {
    this.server?.child.kill('SIGSTOP');
    this.isPaused = true;
  }

  resume(): void {
    this.server?.child.kill('SIGCONT');
    this.isPaused = false;
  }

  /** In the orderly way. */
  async end(): Promise<void> {
    await this.server?.stop();
    this.server = null;
  }

  async kill(): Promise<void> {
    await this.server?.stop('SIGKILL');
    this.server = null;
  }
}

type Answering = { readonly name: string; readonly dnsPort: number };

/** Several vantages, etcd, edges, and a look at everything that they say. */
export class Vantages {
  readonly etcd: EtcdCluster;
  readonly edges: Edges;
  readonly all: readonly Vantage[];
  /** Milliseconds. */
  private readonly interval: number;
  private readonly entries: Entry[] = [];
  private readonly began = performance.now();
  private readonly watch: EtcdWatch;
  private readonly transfers = new Set<string>();
  /** Name → port of other servers that are looked at as well. */
  private readonly secondaries = new Map<string, number>();
  /** The edge that is not live while all is well. */
  private spare: string;
  private readonly falls = new Map<string, number>();
  private isOver = false;
  private sweeps: Promise<void> = Promise.resolve();
  /** Up to this revision a cluster that is not known yet repeats what is in the log. */
  private repeated = 0;
  private readonly clusters = new Set<string>();

  /** Live ones and the spare; and the canary, null: there is none. */
  private readonly addresses: readonly string[];
  readonly canary: string | null;
  /** `node edge` → mode, as it was seen last. */
  private readonly modes = new Map<string, string>();

  private constructor(
    etcd: EtcdCluster,
    edges: Edges,
    all: readonly Vantage[],
    { interval, addresses, canary }: { interval: number; addresses: readonly string[]; canary: string | null },
  ) {
    this.interval = interval;
    this.addresses = addresses;
    this.canary = canary;
    this.etcd = etcd;
    this.edges = edges;
    this.all = all;
    this.spare = addresses.at(-1) ?? '';
    this.watch = new EtcdWatch(etcd, PREFIX, (change) => this.take(change));
  }

  /** Resolves when every vantage answers the same. */
  static async start(options: VantagesOptions): Promise<Vantages> {
    const { names = ['a', 'b', 'c'], block, edges: count = 4, interval = 1, lease = 2, keys = {} } = options;
    const canary = options.canary === true ? `127.${block}.0.${count + 1}` : null;
    const etcd = await EtcdCluster.start({ members: 3 });
    const addresses = Array.from({ length: count }, (_, i) => `127.${block}.0.${i + 1}`);
    const edges = await Edges.start([...addresses, ...(canary === null ? [] : [canary])], OBJECT);
    const all: Vantage[] = [];
    for (const [i, name] of names.entries()) {
      const links = await Promise.all(
        etcd.members.map(({ clientPort }) => LinkProxy.start({ address: '127.0.0.1', port: clientPort })),
      );
      const dnsPort = await freePort();
      const site = await Installation.make({
        edges: addresses,
        port: edges.port,
        zones: {
          [ZONE]: 'mail IN A 192.0.2.25\n',
          ...(canary === null ? {} : { [CANARY_ZONE]: 'mail IN A 192.0.2.26\n' }),
        },
        canaries: canary === null ? {} : { [CANARY_ZONE]: canary },
        // The last is the spare: it joins when another one dies, and that one is the spare from then on.
        speeds: Object.fromEntries(addresses.map((address, edge) => [address, edge === count - 1 ? 2.5 : 0.1])),
        keys: {
          edge_count: count - 1,
          run_frequency: interval,
          dnschange_maxfreq: 100_000,
          state_dir: 'STATE',
          logpath: null,
          named_dir: null,
          server: { listen: [`127.0.0.1:${dnsPort}`], udp_workers: 1 },
          http: { listen: `127.0.0.1:${await freePort()}` },
          transfer: { allow: [{ from: '127.0.0.1' }] },
          vantage: {
            name,
            engine: 'etcd',
            endpoints: links.map(({ port }) => `http://127.0.0.1:${port}`),
            prefix: PREFIX,
            members: names,
            lease,
          },
          ...keys,
        },
      });
      const state = site.path('state');
      await mkdir(state);
      const config = await site.read('edgemanage.yaml');
      await site.write('edgemanage.yaml', config.replace('STATE', state));
      all.push(new Vantage(name, `127.${block}.1.${i + 1}`, site, dnsPort, links, `127.${block}.0.`));
    }
    const vantages = new Vantages(etcd, edges, all, { interval: interval * 1000, addresses, canary });
    try {
      for (const vantage of all) vantage.launch();
      for (const { server } of all) await server?.ready();
      vantages.sweeps = vantages.sweep();
      await vantages.agreed(vantages.live);
    } catch (error) {
      await vantages.stop();
      throw error;
    }
    return vantages;
  }

  /** In the order of time. */
  get log(): Log {
    return [...this.entries].sort((a, b) => a.at - b.at);
  }

  violations(): readonly Violation[] {
    const members = this.all.map(({ name }) => name);
    return check(this.log, {
      members,
      down: Math.floor(members.length / 2) + 1,
      turns: TURNS,
      interval: this.interval,
    });
  }

  mark(mark: Mark['mark'], what: string): void {
    this.add({ kind: 'mark', mark, what });
  }

  vantage(name: string): Vantage {
    const found = this.all.find((vantage) => vantage.name === name);
    if (found === undefined) throw new Error(`no vantage ${name}`);
    return found;
  }

  /** Who decides, as etcd has it. */
  async decider(): Promise<Vantage> {
    const name = await eventually(
      async () => {
        const last = this.entries.findLast((entry) => entry.kind === 'leader');
        return last?.kind === 'leader' ? (last.holder?.name ?? null) : null;
      },
      (seen) => seen !== null,
    );
    return this.vantage(name ?? '');
  }

  /** Resolves when etcd has another decider. */
  async deciderIsNot(former: Vantage): Promise<void> {
    await eventually(
      async () => (await this.decider()).name,
      (name) => name !== former.name,
    );
  }

  /** Which of them have decided since a moment of `now()`; a busy machine may lose a lease that nobody took away. */
  hasDecided(since: number): (vantage: Vantage) => boolean {
    const entries = this.entries.filter((entry) => entry.kind === 'leader');
    const before = entries.findLast(({ at }) => at <= since);
    const names = [before, ...entries.filter(({ at }) => at > since)].map((entry) => entry?.holder?.name);
    return ({ name }) => names.includes(name);
  }

  /** The include text of the zone on one vantage, as an operator's rsync brings it. */
  async content(vantage: Vantage, text: string): Promise<void> {
    await vantage.site.write(`zones/${NETWORK}/${ZONE}.zone`, text);
  }

  /** Resolves when all answer under one serial that is another one than this. */
  async serialIsNot(before: number): Promise<void> {
    await eventually(
      () => this.agreed(this.live),
      (serial) => serial !== before,
    );
  }

  others(vantage: Vantage): readonly Vantage[] {
    return this.all.filter((other) => other !== vantage);
  }

  /** Dead for these vantages; for all unless given. */
  die(edge: string, seenBy: readonly Vantage[] = this.all): void {
    this.edges.die(
      edge,
      seenBy.map(({ source }) => source),
    );
  }

  revive(edge: string): void {
    this.edges.revive(
      edge,
      this.all.map(({ source }) => source),
    );
  }

  /** Resolves when these nodes (all that run) answer these addresses under one serial that was agreed upon. */
  async agreed(addresses: readonly string[], nodes?: readonly Vantage[], seconds = 60): Promise<number> {
    const wanted = [...addresses].sort().join();
    const since = this.now();
    const look = async (): Promise<readonly string[]> => {
      const asked = nodes ?? this.all.filter(({ server, isPaused }) => server !== null && !isPaused);
      return asked.map(({ name }) => {
        const last = this.entries.findLast(
          (entry) => entry.kind === 'answer' && entry.zone === ZONE && entry.node === name && entry.at >= since,
        );
        return last?.kind === 'answer' ? `${last.serial} ${last.addresses.join()}` : `${name}: none`;
      });
    };
    const isAgreed = (all: readonly string[]): boolean => {
      const [serial, answered] = all[0].split(' ');
      return new Set(all).size === 1 && answered === wanted && Number(serial) !== UNAGREED_SERIAL;
    };
    const seen = await eventually(look, isAgreed, seconds).catch((error: Error) => {
      throw new Error(`wanted ${wanted}: ${error.message}\n${this.tail()}`);
    });
    return Number(seen[0].split(' ')[0]);
  }

  /** Resolves when every running vantage has stored so many views more. */
  async turns(count: number, nodes: readonly Vantage[] = this.all): Promise<void> {
    const begin = this.entries.length;
    const taken = (name: string): number =>
      this.entries.slice(begin).filter((entry) => entry.kind === 'view' && entry.vantage === name).length;
    await eventually(
      async () => nodes.map(({ name }) => taken(name)),
      (seen) => seen.every((turns) => turns >= count),
    );
  }

  /** The edges that should be answered, once all know what there is to know. */
  get live(): readonly string[] {
    return this.addresses.filter((edge) => edge !== this.spare);
  }

  /** Resolves when each of these has asked an edge so many times more. */
  async probed(edge: string, times: number, nodes: readonly Vantage[]): Promise<void> {
    const before = nodes.map(({ source }) => this.edges.asked(edge, source));
    await eventually(
      async () => nodes.map(({ source }, i) => this.edges.asked(edge, source) - before[i]),
      (seen) => seen.every((count) => count >= times),
    );
  }

  /** Resolves when each of these says in /healthz that something is wrong, or, `isWell`, that nothing is. */
  async health(isWell: boolean, nodes: readonly Vantage[] = this.all): Promise<void> {
    const reasons = async ({ server }: Vantage): Promise<readonly string[]> => {
      const { text } = (await server?.get('/healthz')) ?? { text: '{"reasons":["not running"]}' };
      return (JSON.parse(text) as { readonly reasons: readonly string[] }).reasons;
    };
    await eventually(
      () => Promise.all(nodes.map(reasons)),
      (seen) => seen.every((said) => (said.length === 0) === isWell),
    );
  }

  /** All is as at the start again, whatever a scenario left behind. */
  async mend(): Promise<void> {
    for (const [number, { isPaused, isRunning }] of this.etcd.members.entries()) {
      if (isPaused) this.etcd.resume(number);
      if (!isRunning) await this.etcd.restart(number);
    }
    for (const edge of this.edges.addresses) if (edge !== this.spare) this.revive(edge); // the canary, too
    for (const vantage of this.all) {
      await vantage.link('pass');
      if (vantage.isPaused) vantage.resume();
      if (vantage.server === null) await vantage.begin();
    }
    await this.agreed(this.live);
    await this.health(true);
    this.mark('healed', 'all');
    this.mark('thawed', 'all');
  }

  /** Every vantage of these sees the spare edge well: it can join. */
  async ready(nodes: readonly Vantage[] = this.all): Promise<void> {
    this.revive(this.spare);
    await eventually(
      async () =>
        nodes.map(({ name }) => {
          const view = this.entries.findLast((entry) => entry.kind === 'view' && entry.vantage === name);
          return view?.kind === 'view' ? view.up[this.spare] : null;
        }),
      (seen) => seen.every((up) => up === true),
    );
  }

  /**
   * A live edge dies for all; `live` is from now on what should be answered. It is one that died least often: who comes and
   * goes again and again must pass for longer before it takes a place.
   */
  flip(): string {
    const falls = (edge: string): number => this.falls.get(edge) ?? 0;
    const [victim] = [...this.live].sort((a, b) => falls(a) - falls(b));
    this.falls.set(victim, falls(victim) + 1);
    this.die(victim);
    this.spare = victim;
    return victim;
  }

  /** An operator's `edge_conf` on one vantage. */
  async setMode(vantage: Vantage, edge: string, mode: string): Promise<void> {
    this.mark('mode begins', edge);
    const { status, stderr } = await vantage.site.run('edge_conf', ['-m', mode, '-C', 'chaos', '--no-syslog', edge]);
    if (status !== 0) throw new Error(`edge_conf: ${stderr}`);
    this.mark('mode set', `${edge} ${mode}`);
  }

  /** An operator takes a live edge out on one vantage; `live` is from now on what should be answered. */
  async withdraw(vantage: Vantage): Promise<string> {
    const [victim] = this.live;
    await this.setMode(vantage, victim, 'unavailable');
    this.spare = victim;
    return victim;
  }

  /** Resolves when each of these (all) has this mode of the edge. */
  async hasMode(edge: string, mode: string, nodes: readonly Vantage[] = this.all): Promise<void> {
    await eventually(
      async () => nodes.map(({ name }) => this.modes.get(`${name} ${edge}`)),
      (seen) => seen.every((is) => is === mode),
    );
  }

  /** Resolves when each of these (all) answers the second zone alike, with its canary or without. */
  async canaryIs(isUsed: boolean, nodes: readonly Vantage[] = this.all): Promise<void> {
    const since = this.now();
    await eventually(
      async () =>
        nodes.map(({ name }) => {
          const last = this.entries.findLast(
            (entry) =>
              entry.kind === 'answer' && entry.zone === CANARY_ZONE && entry.node === name && entry.at >= since,
          );
          return last?.kind === 'answer' ? `${last.serial} ${last.addresses.join()}` : `${name}: none`;
        }),
      (seen) => new Set(seen).size === 1 && seen[0].split(/[ ,]/).includes(this.canary ?? '') === isUsed,
    );
  }

  /** Restores an older snapshot; what it repeats is not logged again as if it were new. */
  async restore(snapshot: string): Promise<void> {
    const { stdout } = await this.etcd.etcdctl('snapshot', 'status', snapshot, '-w', 'json');
    this.repeated = (JSON.parse(stdout) as { readonly revision: number }).revision;
    await this.etcd.restore(snapshot);
  }

  async compact(): Promise<void> {
    await this.watch.caughtUp();
    await this.etcd.compact();
  }

  /** Resolves when everything that is in etcd is in the log. */
  caughtUp(): Promise<void> {
    return this.watch.caughtUp();
  }

  /** From now on this server's answers and transfers are in the log as well. */
  lookAt(name: string, port: number): void {
    this.secondaries.set(name, port);
  }

  /** Resolves when the server of this name answers so. */
  async answers(name: string, addresses: readonly string[], serial: number): Promise<void> {
    const wanted = `${serial} ${[...addresses].sort().join()}`;
    await eventually(
      async () => {
        const last = this.entries.findLast(
          (entry) => entry.kind === 'answer' && entry.zone === ZONE && entry.node === name,
        );
        return last?.kind === 'answer' ? `${last.serial} ${last.addresses.join()}` : 'none';
      },
      (seen) => seen === wanted,
    ).catch((error: Error) => {
      throw new Error(`${name}: wanted ${wanted}: ${error.message}`);
    });
  }

  /** The last lines of what each vantage printed, for a test that fails. */
  tail(): string {
    return this.all
      .map(({ name, server }) => `== ${name}\n${server?.output.slice(-1500) ?? '(not running)'}`)
      .join('\n');
  }

  async stop(): Promise<void> {
    this.isOver = true;
    await this.sweeps;
    for (const vantage of this.all) {
      await vantage.kill();
      for (const link of vantage.links) await link.stop();
      await vantage.site.remove();
    }
    await this.watch.close();
    await this.etcd.stop();
    this.edges.close();
  }

  now(): number {
    return performance.now() - this.began;
  }

  private add(entry: Entry extends infer E ? (E extends Entry ? Omit<E, 'at'> : never) : never, at = this.now()): void {
    this.entries.push({ at, ...entry } as Entry);
  }

  private take(change: Change): void {
    const entry = decoded(change, PREFIX);
    if (entry === null) return;
    if (!this.clusters.has(change.cluster) && change.revision > this.repeated) {
      this.clusters.add(change.cluster);
      this.repeated = 0;
    }
    if (this.clusters.has(change.cluster) || entry.kind !== 'set') this.add(entry);
  }

  private async sweep(): Promise<void> {
    while (!this.isOver) {
      const began = performance.now();
      const nodes = this.all.filter(({ server, isPaused }) => server !== null && !isPaused);
      const others = [...this.secondaries].map(([name, dnsPort]) => ({ name, dnsPort }));
      const zones = this.canary === null ? [ZONE] : [ZONE, CANARY_ZONE];
      await Promise.all([...nodes, ...others].flatMap((node) => zones.map((zone) => this.look(node, zone))));
      if (this.canary !== null) await Promise.all(nodes.map((node) => this.lookAtModes(node)));
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, SWEEP_MS - (performance.now() - began))));
    }
  }

  private async lookAtModes({ name, site }: Vantage): Promise<void> {
    for (const edge of this.addresses) {
      const record = await site.store(edge).catch(() => null); // there is none yet
      const key = `${name} ${edge}`;
      if (record === null || this.modes.get(key) === record.mode) continue;
      this.modes.set(key, record.mode);
      this.add({ kind: 'mode', node: name, edge, mode: record.mode });
    }
  }

  private async look(node: Answering, zone: string): Promise<void> {
    const at = this.now();
    const before = serialOf(await ask(node, zone, 'SOA'));
    if (before === null) return;
    const reply = await ask(node, zone, 'A');
    const after = serialOf(await ask(node, zone, 'SOA'));
    if (reply === null || reply.rcode !== 'NOERROR' || before !== after) return;
    const addresses = reply.answer.filter(({ type }) => type === 'A').map(({ text }) => text);
    this.add({ kind: 'answer', node: node.name, zone, serial: before, addresses: addresses.sort() }, at);
    const key = `${node.name} ${zone} ${before}`;
    if (this.transfers.has(key)) return;
    this.transfers.add(key);
    await this.dump(node, zone).catch(() => this.transfers.delete(key)); // killed meanwhile
  }

  private async dump(node: Answering, zone: string): Promise<void> {
    const at = this.now();
    const endpoint = { address: '127.0.0.1', port: node.dnsPort };
    const query = encodeQuery({ name: zone, type: 'AXFR' });
    const { rows } = await within(DUMP_MS, transfer(endpoint, query), () => {
      console.error(`rig: a transfer of ${zone} from ${node.name} has not ended`);
      throw new Error('no transfer');
    });
    if (rows.length < 2) return; // refused: a node that lacks the content in force
    const serial = Number(rows[0].text.split(' ')[2]);
    this.add({ kind: 'transfer', node: node.name, zone, serial, records: rows.map(line).sort() }, at);
  }
}

async function ask({ dnsPort }: Answering, name: string, type: string): Promise<Message | null> {
  const reply = await askOnce(dnsPort, encodeQuery({ name, type }), ASK_MS);
  return reply === null ? null : decodeMessage(reply);
}

function serialOf(reply: Message | null): number | null {
  const soa = reply?.answer.find(({ type }) => type === 'SOA');
  return soa === undefined ? null : Number(soa.text.split(' ')[2]);
}

/** Debian keeps it under the machine's architecture. */
function fakeTime(): string {
  const found = readdirSync('/usr/lib')
    .map((folder) => join('/usr/lib', folder, 'faketime', 'libfaketime.so.1'))
    .find((file) => existsSync(file));
  if (found === undefined) throw new Error('libfaketime is not installed');
  return found;
}
