import { lookup } from 'node:dns/promises';
import { createSecureContext } from 'node:tls';
import { parentPort, workerData } from 'node:worker_threads';
import type { ProbeReport, ProbeRequest, ProbeTest, Sample } from '../judge/types.ts';
import { type Fetched, type FetchTarget, fetchEdge } from './fetch-edge.ts';
import { runFirst } from './priority.ts';
import { runRound } from './probe-round.ts';
import { makeResolver } from './resolve-edge.ts';
import { LoopWatch } from './stall.ts';
import { warmUp } from './warm-up.ts';

/** `workerData` of this thread: round requests come in as messages, samples and round ends go out. */
export type ProbeWorkerData = { readonly userAgent: string };

/** The longest that a sample waits for others to be told with. */
const REPORT_MS = 25;

const port = parentPort;
if (port === null) throw new Error('probe-worker runs as a worker thread only');
const { userAgent } = workerData as ProbeWorkerData;

// One context for all: making one reads every root certificate.
const watch = new LoopWatch();
const tools = { userAgent, secureContext: createSecureContext(), stalls: watch };
const resolve = makeResolver(
  (name) => lookup(name, { all: true }),
  () => performance.now(),
);
const report = (message: ProbeReport): void => port.postMessage(message);

// undici makes an error or two for every connection that ends well; their stack traces would be a fifth of all the work.
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

port.on('message', (request: ProbeRequest) => {
  switch (request.kind) {
    case 'stop':
      return process.exit(0); // ends this thread and its sockets, not the process
    case 'round': {
      const { put, flush } = outbox(request.id);
      const fetch = (target: FetchTarget, test: ProbeTest): Promise<Fetched> => fetchEdge(target, test, tools);
      void runRound(request, { resolve, fetch, watch, report: put }).then((end) => {
        flush();
        report({ kind: 'done', id: request.id, ...end });
      });
    }
  }
});
await runFirst();
await warmUp(tools);
report({ kind: 'ready' });
