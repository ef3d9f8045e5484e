/**
 * A process with Edgewise's answering threads, ten thousand small zones of one network, and the network's real rounds over
 * edges with full histories on disk: only the fetches are made up. Makes a round when told to, in which the live edge
 * fails. Started by bench/flip.ts, which it ends with.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '../../src/config/load.ts';
import type { NetworkFiles } from '../../src/config/types.ts';
import type { Phases, Sample } from '../../src/health/checks/sample.ts';
import { NetworkRounds } from '../../src/health/pools/network-rounds.ts';
import { NEW_EDGE } from '../../src/health/state/edge-store.ts';
import { printEdgeRecord } from '../../src/health/state/edge-store-text.ts';
import { LiveRRsets } from '../../src/live/live-rrsets.ts';
import { Sinks } from '../../src/publish/sinks.ts';
import { slotsSink } from '../../src/publish/slots.ts';
import { stateSink } from '../../src/publish/state.ts';
import { NO_TRANSFERS } from '../../src/server/transfer/handler-types.ts';
import { DnsThreads } from '../../src/server/transport/threads/dns-threads.ts';
import { Locks } from '../../src/system/lock.ts';
import { Installation } from '../../test/support/installation.ts';
import { zoneUpdate } from '../../test/support/zone-images.ts';
import type { FlipReport } from './dns-flip-child.ts';
import { benchSettings } from './dns-settings.ts';
import { smallZoneText, zoneName } from './dns-small-zones.ts';

const NETWORK = 'mynet';
const SAMPLES = 2000;
const FREQUENCY = 60;

export async function startDecisionChild(port: number, zones: number, edges: number): Promise<ChildProcess> {
  const args = [port, zones, edges].map(String);
  const child = fork(fileURLToPath(import.meta.url), args, { execArgv: ['--import', 'tsx'] });
  await once(child, 'message');
  return child;
}

async function main(port: number, zones: number, count: number): Promise<void> {
  const edges = Array.from({ length: count }, (_, i) => `127.66.${i >> 8}.${i & 255}`);
  const keys = { edge_count: 1, dnschange_maxfreq: 100_000, run_frequency: FREQUENCY };
  const site = await Installation.make({ edges, keys });
  const { config, faults } = loadConfig(site.path('edgemanage.yaml'));
  if (config === null) throw new Error(JSON.stringify(faults));
  let now = Math.floor(Date.now() / 1000);
  mkdirSync(config.healthdataStore, { recursive: true });
  const times = Array.from({ length: SAMPLES }, (_, i) => now - FREQUENCY * (SAMPLES - i) + 0.25);
  for (const [i, edge] of edges.entries()) {
    const seconds = times.map((_, at) => 0.05 + ((i * 7919 + at * 104_729) % 100_000) / 1e6);
    writeFileSync(
      join(config.healthdataStore, `${edge}.edgestore`),
      printEdgeRecord({ ...NEW_EDGE, history: { times, seconds } }),
    );
  }

  const live = new LiveRRsets();
  const slot = live.register(NETWORK) ?? 0;
  const updates = Array.from({ length: zones }, (_, i) =>
    zoneUpdate({ origin: zoneName(i), text: smallZoneText(1, []), live: [zoneName(i)], slot }, i),
  );
  const threads = await DnsThreads.start({
    server: benchSettings(port),
    transfer: NO_TRANSFERS,
    slots: live.slots.shared,
    networks: 2,
    updates,
    log: (level, message) => console.error(level, message),
  });
  if (!(threads instanceof DnsThreads)) throw new Error(threads.message);
  await threads.settled();

  const sinks = new Sinks(
    [stateSink(config.statefile), slotsSink({ live, histories: null, onSlots: () => undefined })],
    { log: (level, _, text) => console.error(level, text) },
  );
  let decided = 0n;
  const locks = Locks.open(config.lockfile);
  const rounds: NetworkRounds = await NetworkRounds.open(NETWORK, config, locks, {
    kind: 'server',
    prober: {
      round: async (request, onSample) => {
        const dead = rounds.state.live.map(({ edge }) => edge);
        const samples = new Map(request.targets.map(({ name }) => [name, sampleOf(name, now, dead.includes(name))]));
        const all = [...samples.values()];
        // Fetches take their time, and their samples come a few at a time. The last one decides.
        for (let i = 0; i < all.length - 1; i += 50) {
          for (const sample of all.slice(i, Math.min(i + 50, all.length - 1))) onSample?.(sample);
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        decided = process.hrtime.bigint();
        for (const sample of all.slice(-1)) onSample?.(sample);
        return { samples, startedAt: now, seconds: 1, cancelled: [], unknown: [], overdue: [], loopDelayMs: 0 };
      },
    },
    begin: () => undefined,
    save: (state) => sinks.save(NETWORK, state),
    publish: (update) => sinks.serve(NETWORK, update),
    floorSerial: () => live.highestSerial,
    now: () => now,
    log: (level, text) => {
      if (level === 'error') console.error(text);
    },
  });
  const files: NetworkFiles = { name: NETWORK, edges, canaries: new Map() };
  const round = async (): Promise<void> => {
    now += FREQUENCY;
    const report = await rounds.round({ config, files });
    if ('failure' in report || report.faults.length > 0 || !report.liveChanged) throw new Error('no flip');
    tell({ kind: 'flipped', at: String(decided) });
  };
  process.on('message', () => void round());
  process.once('disconnect', () => {
    void rounds
      .idle()
      .then(() => threads.stop())
      .then(() => site.remove())
      .then(() => process.exit(0));
  });
  await rounds.round({ config, files });
  tell({ kind: 'ready' });
}

function sampleOf(edge: string, at: number, fails: boolean): Sample {
  const seconds = fails ? 10 : 0.06;
  const fail = fails ? ({ reason: 'refused', detail: 'connect ECONNREFUSED' } as const) : null;
  const phases: Phases = { resolve: null, connect: 0.01, tls: null, firstByte: 0.02, total: seconds };
  const outcome = { name: 'http', kind: 'http', seconds, fail, phases, attempts: 1, hops: 0 } as const;
  const primary = { address: edge, seconds, fail, phases, attempts: 1, hops: 0, check: 'http', checks: [outcome] };
  return { edge, at, seconds, fail, primary, others: [], stalledMs: 0 };
}

function tell(message: FlipReport): void {
  process.send?.(message);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(Number(process.argv[2]), Number(process.argv[3]), Number(process.argv[4]));
}
