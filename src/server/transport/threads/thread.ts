import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { LiveSlots } from '../../../live/slots.ts';
import type { Endpoint } from '../../../system/address.ts';
import { bugText, systemCode } from '../../../system/error-text.ts';
import type { Answerer } from '../../answer/front-end.ts';
import { DnstapSampler, type Tap } from '../../dnstap/sampler.ts';
import type { SamplerSettings } from '../../dnstap/shared.ts';
import { Stats } from '../../stats.ts';
import type { NonPlainHandler } from '../../transfer/handler-types.ts';
import { makeAnswerer } from './answerer.ts';
import type { DnsMessage, DnsReport, DnsThreadData, ThreadSocket } from './protocol.ts';

const BUG_REPORTS = 20; // a thread logs so many stack traces in its life, then only counts

/** What the entry files of all answering threads share: their parts, and the messages that mean the same to each. */
export type Thread = {
  readonly data: DnsThreadData;
  readonly port: MessagePort;
  readonly responder: Answerer;
  readonly nonPlain: NonPlainHandler;
  readonly stats: Stats;
  readonly tap: Tap;
  report(report: DnsReport): void;
  /** For what a packet made the responder throw. */
  reportBug(error: unknown): void;
  /** What the entry does with a message; a transfer calls it for those that wait, before it looks at its zone. */
  onMessage: (message: DnsMessage) => void;
  /** Resolves once the thread is to answer (true) or to stop (false); until then it takes over what is sent. */
  readonly begun: Promise<boolean>;
  /** Applies a message; false once the thread is to stop. */
  take(message: DnsMessage): boolean;
  /** Opens a socket on every endpoint and reports 'bound', or reports 'failed' and ends the thread. */
  bindAll<Socket extends { address(): unknown }>(open: (socket: ThreadSocket) => Promise<Socket>): Promise<Socket[]>;
};

export function startThread(): Thread {
  if (parentPort === null) throw new Error('this file is the entry of a worker thread');
  const port = parentPort;
  const data = workerData as DnsThreadData;
  const stats = Stats.attach(data.stats, data.networks, data.statsRow);
  const slots = LiveSlots.attach(data.slots);
  const catchUp = (): void => {
    for (;;) {
      const next = receiveMessageOnPort(port);
      if (next === undefined) return;
      thread.onMessage(next.message as DnsMessage);
    }
  };
  const report = (message: DnsReport): void => port.postMessage(message);
  const { responder, nonPlain, history } = makeAnswerer({
    slots,
    stats,
    server: data.server,
    transfer: data.transfer,
    catchUp,
    log: (message) => report({ kind: 'log', level: 'debug', message }),
  });
  let begin: (answer: boolean) => void = () => undefined;
  const begun = new Promise<boolean>((resolve) => {
    begin = resolve;
  });
  let bugs = 0;
  const reportBug = (what: string, error: unknown): void => {
    bugs++;
    if (bugs > BUG_REPORTS) return;
    const last = bugs === BUG_REPORTS ? ' (the last one that is reported)' : '';
    report({ kind: 'log', level: 'error', message: `${data.name}: ${what} over a bug${last}: ${bugText(error)}` });
  };
  const samplerOf = (settings: SamplerSettings | null): DnstapSampler | null =>
    settings === null
      ? null
      : new DnstapSampler({
          settings,
          row: data.statsRow,
          zones: responder.zones,
          onBug: (error) => reportBug('a message of dnstap was lost', error),
        });
  const tap: Tap = { sampler: samplerOf(data.dnstap) };
  const thread: Thread = {
    onMessage: () => undefined,
    data,
    port,
    responder,
    nonPlain,
    stats,
    tap,
    report,
    reportBug: (error) => reportBug('a query was dropped', error),
    begun,
    take(message) {
      switch (message.kind) {
        case 'zones':
          try {
            responder.apply(message.updates);
          } catch (error) {
            // Dying over it would not help: the thread that takes over gets the same zones.
            reportBug('zones were not taken over', error);
          }
          return true;
        case 'history':
          history.note(message.history);
          return true;
        case 'settings':
          responder.configure(message.server);
          nonPlain.configure(message.transfer, message.server);
          return true;
        case 'dnstap':
          tap.sampler = samplerOf(message.settings);
          return true;
        case 'tls':
          return true;
        case 'begin':
          begin(true);
          return true;
        case 'sync':
          report({ kind: 'synced', id: message.id });
          return true;
        case 'stop':
          begin(false);
          return false;
      }
    },
    async bindAll(open) {
      const opened = [];
      const endpoints: Endpoint[] = [];
      for (const wanted of data.sockets) {
        const { endpoint } = wanted;
        try {
          const socket = await open(wanted);
          const { port: bound } = socket.address() as { port: number };
          opened.push(socket);
          endpoints.push({ address: endpoint.address, port: bound });
        } catch (error) {
          report({ kind: 'failed', endpoint, code: systemCode(error) || 'unknown' });
          process.exit(1); // of this thread, and with it what it has opened so far
        }
      }
      report({ kind: 'bound', endpoints });
      return opened;
    },
  };
  return thread;
}
