/** Makes the engine that the section `vantage` names. The files that it names are read here, while they can be. */

import type { VantageConfig } from '../../config/section-vantage.ts';
import type { Config } from '../../config/types.ts';
import {
  decodeDecidedSet,
  decodeView,
  encodeDecidedSet,
  encodeView,
  readView,
} from '../../health/state/vantage-view.ts';
import { type Fault, hasErrors, plainFault } from '../../system/fault.ts';
import type { Guard } from '../../system/guard.ts';
import type { Log } from '../../system/log-events.ts';
import { version } from '../../system/version.ts';
import type { Engine, EngineEvents } from '../../vantage/engine.ts';
import { type EtcdEngineOptions, makeEtcdEngine } from '../../vantage/etcd/engine.ts';
import { type EtcdSettings, readEtcdSettings } from '../../vantage/etcd/settings.ts';
import { makePeersEngine, type PeersEngine, type PeersSettings } from '../../vantage/peers/engine.ts';
import { readPeersSettings } from '../../vantage/peers/settings.ts';

export type EngineTools = {
  readonly events: EngineEvents;
  readonly guard: Guard;
  readonly log: Log;
  /** Epoch seconds. */
  readonly now: () => number;
} & Pick<EtcdEngineOptions, 'makeContents' | 'makeParts'>;

/** Settings with what is in their files. `mark`: equal for settings with which an engine may go on as it is. */
export type EngineSettings =
  | { readonly kind: 'peers'; readonly vantage: VantageConfig; readonly peers: PeersSettings; readonly mark: string }
  | {
      readonly kind: 'etcd';
      readonly vantage: VantageConfig;
      readonly etcd: EtcdSettings;
      readonly interval: number;
      readonly mark: string;
    };

export type EngineSettingsRead =
  | { readonly ok: true; readonly settings: EngineSettings; readonly warnings: readonly Fault[] }
  | { readonly ok: false; readonly faults: readonly Fault[] };

export function readEngineSettings(
  vantage: VantageConfig,
  { runFrequency: interval }: Config,
  now: number,
): EngineSettingsRead {
  if (vantage.engine === 'peers') {
    const { settings, faults } = readPeersSettings(vantage, interval, now);
    if (settings === null || hasErrors(faults)) return { ok: false, faults };
    const { key, ...plain } = settings;
    const mark = JSON.stringify([vantage, plain, key.export().toString('hex')]);
    return { ok: true, settings: { kind: 'peers', vantage, peers: settings, mark }, warnings: faults };
  }
  const read = readEtcdSettings(vantage);
  if (!read.ok) return { ok: false, faults: read.faults.map((fault) => plainFault('vantage', `vantage: ${fault}`)) };
  const { user, tls } = read.settings.client;
  const mark = JSON.stringify([vantage, interval, tls, user === null ? null : [user.name, user.password.reveal()]]);
  return { ok: true, settings: { kind: 'etcd', vantage, etcd: read.settings, interval, mark }, warnings: [] };
}

export type RunningEngine =
  | { readonly kind: 'peers'; readonly engine: PeersEngine }
  | { readonly kind: 'etcd'; readonly engine: Engine };

export function makeEngine(settings: EngineSettings, tools: EngineTools): RunningEngine {
  const { events, guard, log, now, makeContents, makeParts } = tools;
  const shared = { version: version(), events, guard, log, now };
  if (settings.kind === 'peers') {
    const codec = {
      encode: encodeView,
      decode: (value: unknown) => {
        const read = readView(value);
        return read.problem === null ? read.value : null;
      },
    };
    return { kind: 'peers', engine: makePeersEngine({ ...shared, settings: settings.peers, codec }) };
  }
  const codec = { encodeView, decodeView, encodeDecidedSet, decodeDecidedSet };
  const intervalMs = settings.interval * 1000;
  const parts = { makeContents, ...(makeParts === undefined ? {} : { makeParts }) };
  return { kind: 'etcd', engine: makeEtcdEngine({ ...shared, ...parts, settings: settings.etcd, codec, intervalMs }) };
}
