import { lookup } from 'node:dns/promises';
import { setMaxListeners } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { GroupTable } from '../../system/process-group.ts';
import { NameResolver } from '../../system/resolver.ts';
import { type Fetched, type FetchTarget, probeAddress } from './attempts.ts';
import type { ProbeTools } from './check.ts';
import { NetworkTargets } from './network-targets.ts';
import { runFirst } from './priority.ts';
import { Programs } from './programs.ts';
import type { ProbePlan, ProbeReport, ProbeRequest, RoundRequest } from './protocol.ts';
import { beatIn } from './pulse.ts';
import { edgeResolver } from './resolve.ts';
import { type RoundTools, runRound } from './round.ts';
import type { Sample } from './sample.ts';
import { LoopWatch } from './stall.ts';
import { makeTrust } from './trust.ts';
import { warmUp } from './warm-up.ts';

/** `workerData` of this thread: round requests come in as messages, samples and round ends go out. */
export type ProbeWorkerData = {
  readonly userAgent: string;
  /** Memory of a `GroupTable`, for the programs that checks start. */
  readonly groups: SharedArrayBuffer;
  /** Memory of a `Pulse`. */
  readonly beats: SharedArrayBuffer;
};

/** The longest that a sample waits for others to be reported with. */
const REPORT_MS = 25;

const port = parentPort;
if (port === null) throw new Error('the prober runs as a worker thread only');
const { userAgent, groups, beats } = workerData as ProbeWorkerData;
beatIn(beats);

const watch = new LoopWatch();
const now = (): number => performance.now();
const resolver = new NameResolver({
  lookup: (name) => lookup(name, { all: true }),
  now,
  // Old addresses are tried rather than believed, so they may be of any age.
  limits: { staleMs: Number.POSITIVE_INFINITY },
});
const resolve = edgeResolver(resolver, now);
const shared: Omit<ProbeTools, 'signal'> = {
  userAgent,
  trust: makeTrust(),
  stalls: watch,
  programs: new Programs(new GroupTable(groups)),
  pause: (ms) => new Promise((done) => setTimeout(done, ms)),
};
const rounds = new Map<number, { readonly network: string; readonly controller: AbortController }>();
/** Of networks whose turns follow one upon another; bounded by the number of networks that were ever served. */
const networks = new Map<string, NetworkTargets>();
const report = (message: ProbeReport): void => port.postMessage(message);

// A failed connection is an error like any other; their stack traces would be a tenth of all the work.
Error.stackTraceLimit = 0;

// An exception out of a socket's callback concerns one fetch, which its deadline will end. The round goes on; the main
// thread replaces this thread when no round needs it.
process.on('uncaughtException', (error) => report({ kind: 'problem', message: error.stack ?? String(error) }));

/** Samples that wait for the next message. Waking the main thread for each would be a tenth of all the work. */
function outbox(id: number): { readonly put: (sample: Sample) => void; readonly flush: () => void } {
  let samples: Sample[] = [];
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    clearTimeout(timer);
    if (samples.length > 0) report({ kind: 'samples', id, samples });
    samples = [];
  };
  const put = (sample: Sample): void => {
    if (samples.push(sample) === 1) timer = setTimeout(flush, REPORT_MS);
  };
  return { put, flush };
}

function shareOf({ network, settle }: RoundRequest): Pick<RoundTools, 'targets'> {
  if (settle === undefined) return {};
  const targets = networks.get(network) ?? new NetworkTargets();
  networks.set(network, targets);
  return { targets };
}

function cancel(id: number): void {
  const round = rounds.get(id);
  if (round === undefined) return;
  round.controller.abort();
  // What is cut short takes a moment to end, and must keep nothing from being asked anew.
  networks.delete(round.network);
}

async function round(request: RoundRequest): Promise<void> {
  const { put, flush } = outbox(request.id);
  const controller = new AbortController();
  const { signal } = controller;
  setMaxListeners(0, signal); // one a fetch under way
  rounds.set(request.id, { network: request.network, controller });
  for (const { name, lastAddresses } of request.targets) {
    if (lastAddresses !== undefined) resolver.seed(name, lastAddresses);
  }
  const tools: ProbeTools = { ...shared, signal };
  const fetch = (target: FetchTarget, plan: ProbePlan): Promise<Fetched> => probeAddress(target, plan, tools);
  const end = await runRound(request, { resolve, fetch, watch, report: put, signal, ...shareOf(request) });
  rounds.delete(request.id);
  flush();
  report({ kind: 'done', id: request.id, ...end });
}

port.on('message', (request: ProbeRequest) => {
  switch (request.kind) {
    case 'stop':
      return process.exit(0); // ends this thread and its sockets, not the process
    case 'live':
      networks.get(request.network)?.setLive(request.names);
      return;
    case 'cancel':
      cancel(request.id);
      return;
    case 'round':
      void round(request);
      return;
    default:
      request satisfies never;
  }
});
await runFirst();
await warmUp({ ...shared, signal: new AbortController().signal });
report({ kind: 'ready' });
