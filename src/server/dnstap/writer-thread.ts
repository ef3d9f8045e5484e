import { parentPort, workerData } from 'node:worker_threads';
import { DnstapWriter } from './writer.ts';
import type { WriterMessage, WriterReport, WriterThreadData } from './writer-protocol.ts';

/** Thread entry: writes what the threads that answer have queued, until the main thread says stop. */
if (parentPort === null) throw new Error('this file is the entry of a worker thread');
const port = parentPort;
const { memory, output } = workerData as WriterThreadData;
const report = (message: WriterReport): void => port.postMessage(message);

report({ kind: 'started' });
const writer = new DnstapWriter({ memory, output, onState: (problem) => report({ kind: 'state', problem }) });
port.on('message', (message: WriterMessage) => {
  // What is thrown ends this thread, and the main thread starts another.
  if (message.kind === 'configure') void writer.configure(message.output);
  else void writer.stop().then(() => process.exit(0));
});
