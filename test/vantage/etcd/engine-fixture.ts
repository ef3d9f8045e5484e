import type { DecidedSet } from '../../../src/health/agreement/decided-set.ts';
import type { VantageView } from '../../../src/health/agreement/view.ts';
import { decodeDecidedSet, decodeView, encodeDecidedSet, encodeView } from '../../../src/health/state/vantage-view.ts';
import type { Guard } from '../../../src/system/guard.ts';
import type { Engine, Role } from '../../../src/vantage/engine.ts';
import type { EtcdClientOptions } from '../../../src/vantage/etcd/client/client.ts';
import type { EtcdCodec } from '../../../src/vantage/etcd/codec.ts';
import { makeEtcdEngine } from '../../../src/vantage/etcd/engine.ts';
import { throwingGuard } from '../../support/guard.ts';

export const MEMBERS = ['fra1', 'ams1', 'lon1'];
export const WAIT = { timeout: 30_000, interval: 20 };

export const codec: EtcdCodec = { encodeView, decodeView, encodeDecidedSet, decodeDecidedSet };

export type Node = {
  readonly name: string;
  readonly engine: Engine;
  readonly role: () => Role;
  readonly serial: (network?: string) => number | null;
  /** What the engine called, in order. */
  readonly events: readonly string[];
  readonly log: readonly string[];
};

export type NodeOptions = {
  readonly endpoints: readonly string[];
  readonly lease?: number;
  readonly timeoutMs?: number;
  readonly intervalMs?: number;
  readonly members?: readonly string[];
  readonly client?: Partial<EtcdClientOptions>;
  readonly highest?: () => number;
  readonly guard?: Guard;
  /** Called by each event, after it was noted. */
  readonly onEvent?: () => void;
};

export function makeNode(name: string, options: NodeOptions): Node {
  const { endpoints, lease = 4, timeoutMs = 4000, intervalMs = 500, members = MEMBERS, highest = () => 0 } = options;
  const { guard = throwingGuard(), onEvent = () => undefined } = options;
  const events: string[] = [];
  const log: string[] = [];
  const note = (event: string): void => {
    events.push(event);
    onEvent();
  };
  const tls = { caFile: null, certFile: null, keyFile: null };
  const vantage = { engine: 'etcd', name, endpoints, prefix: 'edgewise/test', members, quorum: 'majority' } as const;
  const engine = makeEtcdEngine({
    settings: {
      vantage: { ...vantage, user: null, passwordFile: null, tls, lease, timeout: timeoutMs / 1000 },
      client: { endpoints, timeoutMs, user: null, tls: { ca: null, cert: null, key: null }, ...options.client },
    },
    codec,
    version: '9.9',
    events: {
      onView: (network, vantageName) => note(`view ${network} ${vantageName}`),
      onDecided: (network) => note(`decided ${network}`),
      onRole: () => note('role'),
      onContents: () => undefined,
    },
    intervalMs,
    guard,
    log: (_, text) => log.push(text),
    now: () => Date.now() / 1000,
    makeContents: () => ({
      look: async () => ({ ok: true, isChanged: false, apply: () => undefined }),
      faults: () => [],
      stop: async () => undefined,
      compares: () => [],
      serials: { highest } as Engine['agreement'] extends null ? never : NonNullable<Engine['agreement']>['contents'],
    }),
  });
  const role = (): Role => {
    const { agreement } = engine;
    if (agreement === null) throw new Error('no agreement');
    return agreement.role();
  };
  const serial = (network = 'cdn'): number | null => engine.agreement?.decided(network)?.serial ?? null;
  return { name, engine, role, serial, events, log };
}

export function viewOf(vantage: string, turn: number, changes: Partial<VantageView> = {}): VantageView {
  return {
    vantage,
    network: 'cdn',
    boot: `boot-of-${vantage}`,
    turn,
    version: '9.9',
    config: 'hash',
    clock: Date.now() / 1000,
    serial: 100,
    highestSerial: 100,
    edges: [],
    canaries: [],
    ...changes,
  };
}

export function setOf(node: Node, serial: number, changes: Partial<DecidedSet> = {}): DecidedSet {
  return {
    network: 'cdn',
    serial,
    canarySerials: new Map(),
    live: [{ edge: 'e1', v4: '127.0.0.1', v6: null, why: 'it works' }],
    memory: {
      lastLive: ['e1'],
      answered: new Map(),
      unanswered: null,
      rotations: [],
      activeCanaries: [],
      canaryRotations: new Map(),
    },
    at: 1,
    by: node.name,
    token: node.role().token ?? '0',
    basis: new Map([[node.name, 1]]),
    says: new Map(),
    ...changes,
  };
}
