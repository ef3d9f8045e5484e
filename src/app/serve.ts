import { loadConfig } from '../config/load.ts';
import { readTls } from '../config/tls-files.ts';
import { NETWORKS_MAX } from '../live/live-rrsets.ts';
import { descriptorLimit } from '../system/descriptors.ts';
import { type Fault, plainFault } from '../system/fault.ts';
import { logFaults } from '../system/log-faults.ts';
import { descriptorFault } from './descriptors-needed.ts';
import { faultsOf, readNetworks, startFaults } from './read-networks.ts';
import { type Running, type ServeOptions, Server } from './server.ts';

export type Started =
  | { readonly ok: true; readonly running: Running }
  | { readonly ok: false; readonly faults: readonly Fault[] };

/** Starts everything, or says what is wrong. Resolves when queries are answered. Warnings go to the log. */
export async function serve(options: ServeOptions): Promise<Started> {
  const loaded = loadConfig(options.file);
  if (loaded.config === null) return { ok: false, faults: loaded.faults };
  const { config } = loaded;
  const lists = readNetworks(config, options.networks);
  const tls = readTls(config.server, Date.now() / 1000);
  const stops = [...startFaults(config, lists), ...tls.faults.filter(({ severity }) => severity === 'error')];
  if (lists.networks.size >= NETWORKS_MAX) {
    const message = `${lists.networks.size} networks are configured; one process serves at most ${NETWORKS_MAX - 1}`;
    stops.push(plainFault('too-many-networks', message));
  }
  const few = options.dryRun ? null : descriptorFault(config, descriptorLimit());
  if (few !== null) stops.push(few);
  if (stops.length > 0) return { ok: false, faults: [...loaded.faults, ...stops] };
  const opened = options.log(config);
  const { log } = opened;
  logFaults(log, [...loaded.faults, ...faultsOf(lists), ...tls.faults]);

  const server = new Server(config, lists, tls.tls, options, opened);
  const fault = await server.start();
  if (fault === null) return { ok: true, running: server };
  await server.stop();
  return { ok: false, faults: [fault] };
}
