import { lookup } from 'node:dns/promises';
import { createSecureContext } from 'node:tls';
import { parentPort, workerData } from 'node:worker_threads';
import { fetchEdge } from './fetch-edge.ts';
import { runRound } from './probe-round.ts';
import { LoopWatch } from './probe-stall.ts';
import { warmUp } from './probe-warm-up.ts';
import { makeResolver } from './resolve-edge.ts';
import type { ProbeReport, ProbeRequest } from './types.ts';

/** `workerData` of this thread: round requests come in as messages, samples and round ends go out. */
export type ProbeWorkerData = { readonly userAgent: string };

const port = parentPort;
if (port === null) throw new Error('probe-worker runs as a worker thread only');
const { userAgent } = workerData as ProbeWorkerData;

// One context for all: making one reads every root certificate.
const tools = { userAgent, secureContext: createSecureContext() };
const watch = new LoopWatch();
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

port.on('message', (request: ProbeRequest) => {
  switch (request.kind) {
    case 'stop':
      return process.exit(0); // ends this thread and its sockets, not the process
    case 'round':
      void runRound(request, {
        resolve,
        fetch: (target, test) => fetchEdge(target, test, tools),
        watch,
        report: (sample) => report({ kind: 'sample', id: request.id, sample }),
      }).then((end) => report({ kind: 'done', id: request.id, ...end }));
  }
});
await warmUp(tools);
report({ kind: 'ready' });
