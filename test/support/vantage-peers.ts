/** Engines that ask each other on loopback, all in one process. */
import { createSecretKey, type KeyObject } from 'node:crypto';
import type { VantageView } from '../../src/health/agreement/view.ts';
import { makePeersEngine, type PeersEngine, type PeersSettings } from '../../src/vantage/peers/engine.ts';
import { throwingGuard } from './guard.ts';
import { freePort } from './ports.ts';

export const PEERS_KEY: KeyObject = createSecretKey(Buffer.alloc(32, 7));

export type EngineAtTest = {
  readonly engine: PeersEngine;
  readonly settings: PeersSettings;
  readonly lines: string[];
  /** `network vantage` of each view that came, in the order of their coming. */
  readonly came: string[];
};

/** A view with one edge. */
export function viewOf(vantage: string, turn: number, more: Partial<VantageView> = {}): VantageView {
  return {
    vantage,
    network: 'net',
    boot: `boot of ${vantage}`,
    turn,
    version: '1.2.3',
    config: 'same',
    clock: 1_700_000_000,
    serial: 1,
    highestSerial: 1,
    edges: [],
    canaries: [],
    ...more,
  };
}

/** Settings of engines that are to be asked under `names`, each with all others as peers. */
export async function settingsOf(
  names: readonly string[],
  more: Partial<PeersSettings> = {},
  scheme = 'http',
): Promise<readonly PeersSettings[]> {
  const ports = new Map<string, number>();
  for (const name of names) ports.set(name, await freePort('127.0.0.1'));
  return names.map((name) => ({
    name,
    listen: { address: '127.0.0.1', port: ports.get(name) ?? 0 },
    peers: names
      .filter((other) => other !== name)
      .map((other) => ({ name: other, url: `${scheme}://127.0.0.1:${ports.get(other) ?? 0}` })),
    key: PEERS_KEY,
    tls: null,
    ca: null,
    interval: 1,
    timeout: 2,
    ...more,
  }));
}

/** Not started yet. */
export function engineOf(
  settings: PeersSettings,
  now: () => number = () => Date.now() / 1000,
  { guard = throwingGuard(), onView = (): void => undefined } = {},
): EngineAtTest {
  const lines: string[] = [];
  const came: string[] = [];
  const engine = makePeersEngine({
    settings,
    codec: {
      encode: (view) => JSON.stringify(view),
      decode: (value) =>
        typeof value === 'object' && value !== null && 'vantage' in value && 'turn' in value
          ? (value as VantageView)
          : null,
    },
    version: '1.2.3',
    events: {
      onView: (network, vantage) => {
        came.push(`${network} ${vantage}`);
        onView();
      },
    },
    guard,
    log: (level, text) => lines.push(`${level} ${text}`),
    now,
  });
  return { engine, settings, lines, came };
}
