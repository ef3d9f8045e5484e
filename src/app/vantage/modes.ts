/** Modes that operators set on any of several vantages, as a part of their engine. */
import { join } from 'node:path';
import { watchModeChanges } from '../../health/modes/mode-changes.ts';
import type { EdgeStores } from '../../health/state/edge-store-files.ts';
import type { Guard } from '../../system/guard.ts';
import type { Log } from '../../system/log-events.ts';
import type { EtcdEngineOptions } from '../../vantage/etcd/engine.ts';
import { followModes } from '../../vantage/etcd/modes-follower.ts';

export type SharedModesTools = {
  /** The edges of all networks that are served, each with one of its networks. */
  readonly edges: () => ReadonlyMap<string, string>;
  /** Health records as the rounds have them. Null: no network was opened yet. */
  readonly stores: () => EdgeStores | null;
  readonly healthdataStore: string;
  readonly stateDir: string;
  readonly log: Log;
  readonly guard: Guard;
};

/** How old a look at an edge's health record may be, milliseconds; `edge_conf` says when it has changed one. */
const RECORD_AGE_MS = 5000;

export function sharedModes(tools: SharedModesTools): NonNullable<EtcdEngineOptions['makeParts']> {
  const { edges, stores, healthdataStore, stateDir, log, guard } = tools;
  return ({ client, settings }) => {
    const { name: vantage, prefix } = settings.vantage;
    const modes = followModes(client, {
      prefix,
      vantage,
      edges,
      stores,
      file: join(stateDir, 'edgewise-modes.json'),
      everyMs: RECORD_AGE_MS,
      now: () => Date.now() / 1000,
      log,
      guard,
    });
    const stopWatching = watchModeChanges(
      healthdataStore,
      guard.protect('modes', () => modes.changed()),
    );
    return [
      {
        look: modes.look,
        faults: modes.faults,
        stop: async () => {
          stopWatching();
          await modes.stop();
        },
      },
    ];
  };
}
