/** goavail's cluster: the nodes of `[Members]` ask each other what they see. */

import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { type Goavail, type GoavailCluster, MEMBER_PORT, memberName } from '../../config/goavail-file.ts';
import { rawKey } from '../../config/vantage-key.ts';
import { type EdgeView, FRESH_INTERVALS } from '../../health/agreement/view.ts';
import type { PeerView } from '../../health/judge/agreement.ts';
import { EMPTY_HISTORY, figuresOf } from '../../health/judge/history.ts';
import { encodeView, readView } from '../../health/state/vantage-view.ts';
import { canonicalAddress, type Endpoint, parseEndpoint } from '../../system/address.ts';
import type { Guard } from '../../system/guard.ts';
import type { Log } from '../../system/log-events.ts';
import { Turns } from '../../system/turns.ts';
import { version } from '../../system/version.ts';
import { makePeersEngine, type PeersEngine, type PeersSettings } from '../../vantage/peers/engine.ts';
import { randomText } from '../../vantage/peers/sessions.ts';
import type { Rule } from './standing.ts';

/** The network under which the views go; goavail has one. */
const NETWORK = 'goavail';
/** Seconds that a peer may take to answer, besides waiting for something new. */
const TIMEOUT = 2;

export type GoavailPeersOptions = {
  readonly goavail: Goavail;
  readonly guard: Guard;
  readonly log: Log;
};

/** Whether each address is up, as this node sees it; null: there is no result, or none of late. */
export type OwnView = ReadonlyMap<string, boolean | null>;

/** Shows our view to the peers, and has theirs. Without peers, or without a key, nobody is asked. */
export class GoavailPeers {
  private readonly options: GoavailPeersOptions;
  private readonly boot = randomText();
  private goavail: Goavail;
  private engine: PeersEngine | null = null;
  /** Each reload ends before the next begins: half of a stop would be taken for an engine that runs. */
  private readonly reloads = new Turns();
  private stopped = false;
  private timer: NodeJS.Timeout | null = null;
  private turn = 0;
  private view: () => OwnView = () => new Map();
  private onChange: () => void = () => undefined;

  constructor(options: GoavailPeersOptions) {
    this.options = options;
    this.goavail = options.goavail;
  }

  /** `view`: our own, asked for each interval. `onChange`: a peer's view is new. */
  async start(view: () => OwnView, onChange: () => void): Promise<void> {
    this.view = view;
    this.onChange = onChange;
    await this.open();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.close();
  }

  reload(goavail: Goavail): Promise<void> {
    return this.reloads.take(() => this.take(goavail));
  }

  private async close(): Promise<void> {
    if (this.timer !== null) clearInterval(this.timer);
    await this.engine?.stop();
    this.engine = null;
  }

  private async take(goavail: Goavail): Promise<void> {
    if (this.stopped) return;
    this.goavail = goavail;
    const settings = settingsOf(goavail);
    if (settings === null) await this.close();
    else if (this.engine === null) await this.open();
    else {
      await this.engine.reconfigure(settings);
      this.schedule();
    }
  }

  /** Shows our view as it is now. */
  show(): void {
    const { engine } = this;
    if (engine === null || this.goavail.cluster === null) return;
    this.turn += 1;
    engine.publishView({
      vantage: membersOf(this.goavail.cluster).own,
      network: NETWORK,
      boot: this.boot,
      turn: this.turn,
      version: version(),
      config: NETWORK, // the files of goavail's nodes differ, and may
      clock: Date.now() / 1000,
      serial: 0,
      highestSerial: 0,
      edges: [...this.view()].map(([address, up]) => edgeOf(address, up)),
      canaries: [],
    });
  }

  /** What peers say of an address. */
  of(address: string): readonly PeerView[] {
    const name = canonicalAddress(address) ?? address;
    return (this.engine?.views(NETWORK) ?? []).map(({ view, age }) => ({
      peer: view.vantage,
      up: view.edges.find((edge) => edge.name === name)?.up ?? null,
      age,
    }));
  }

  private async open(): Promise<void> {
    const { guard, log } = this.options;
    const settings = settingsOf(this.goavail);
    if (settings === null) return;
    const engine = makePeersEngine({
      settings,
      codec: {
        encode: encodeView,
        decode: (value) => {
          const decoded = readView(value);
          return decoded.problem === null ? decoded.value : null;
        },
      },
      version: version(),
      events: { onView: () => this.onChange() },
      guard,
      log,
      now: () => Date.now() / 1000,
    });
    this.engine = engine;
    this.schedule();
    await engine.start();
  }

  private schedule(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.show();
    this.timer = setInterval(
      this.options.guard.protect('peers', () => this.show()),
      this.goavail.intervalSeconds * 1000,
    );
  }
}

/** What must agree; null: this node acts alone. */
export function ruleOf({ cluster, intervalSeconds }: Goavail): Rule | null {
  if (cluster === null) return null;
  const peers = membersOf(cluster).others;
  return { peers, needed: cluster.minPeersAgree, maxAge: FRESH_INTERVALS * intervalSeconds };
}

/** Null: there is nobody to ask, or no key to do it with. */
function settingsOf({ cluster, intervalSeconds }: Goavail): PeersSettings | null {
  const key = cluster?.key == null ? null : rawKey(cluster.key.reveal());
  if (cluster === null || key === null) return null;
  const { own, others, listen } = membersOf(cluster);
  return {
    name: own,
    listen,
    peers: others.map((name) => ({ name, url: `http://${name}` })),
    key,
    tls: null,
    ca: null,
    interval: intervalSeconds,
    timeout: TIMEOUT,
  };
}

/** Nodes are called by their addresses, which are written in one way: `own` is what others have among their peers. */
export function membersOf({ localAddress, peers }: Pick<GoavailCluster, 'localAddress' | 'peers'>): {
  readonly own: string;
  readonly others: readonly string[];
  readonly listen: Endpoint;
} {
  const own = memberName(localAddress);
  const others = [...new Set(peers.map(memberName))].filter((name) => name !== own);
  return { own, others, listen: listenOn(localAddress) };
}

/** As in the original, every address where `local_addr` is none of this machine (behind NAT), or a name. */
function listenOn(localAddress: string): Endpoint {
  const endpoint = parseEndpoint(localAddress, MEMBER_PORT);
  if (endpoint === null) return { address: '0.0.0.0', port: Number(memberName(localAddress).split(':')[1]) };
  const { address, port } = endpoint;
  const own = Object.values(networkInterfaces()).flatMap((all) =>
    (all ?? []).map((one) => canonicalAddress(one.address)),
  );
  if (address.startsWith('127.') || own.includes(canonicalAddress(address))) return endpoint;
  return { address: isIP(address) === 6 ? '::' : '0.0.0.0', port };
}

function edgeOf(address: string, up: boolean | null): EdgeView {
  const name = canonicalAddress(address) ?? address;
  const isV6 = name.includes(':');
  const facts: EdgeView['facts'] = {
    sample: null,
    figures: figuresOf(EMPTY_HISTORY, 0),
    v4: isV6 ? null : name,
    v6: isV6 ? name : null,
    verificationFailed: false,
  };
  return { name, up, works: { v4: up === true && !isV6, v6: up === true && isV6 }, detail: '', samples: 0, facts };
}
