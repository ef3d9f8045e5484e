import type { Config } from '../config/types.ts';
import { raiseLimit } from '../system/descriptors.ts';
import { type Fault, plainFault } from '../system/fault.ts';

/** What the process has open without threads and sockets: streams, event loop, lock, watches. */
const BASE = 16;
/** The event loop of a thread. */
const A_THREAD = 6;
/** The prober's, and the one for TCP. */
const OTHER_THREADS = 2;
/** Least for everything that comes and goes: probing, files, clients. */
const SPARE = 16;
/** What is advised: the usual settings fit in. */
const ADVISED = 4096;

/** How many descriptors a server with these settings has to be able to open. */
export function descriptorsNeeded({ server, http }: Pick<Config, 'server' | 'http'>): number {
  const { udpWorkers, listen, tlsListen } = server;
  const sockets = listen.length * (udpWorkers + 1) + tlsListen.length + (http === null ? 0 : 1);
  return BASE + A_THREAD * (udpWorkers + OTHER_THREADS) + sockets + SPARE;
}

/** Why a server cannot start with so low a limit of open files; null: it can. */
export function descriptorFault(config: Pick<Config, 'server' | 'http'>, limit: number): Fault | null {
  const needed = descriptorsNeeded(config);
  if (limit >= needed) return null;
  const message = `the limit of open files (${limit}) is too low: these settings need ${needed} at least; ${raiseLimit(ADVISED)}`;
  return plainFault('few-descriptors', message);
}
