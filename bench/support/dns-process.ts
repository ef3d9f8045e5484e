import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';

/** A server of the benches: one process or several, all pinned to core 0, answering on 127.0.0.1. */
export type BenchServer = {
  readonly name: string;
  readonly port: number;
  readonly child: ChildProcess;
  readonly stop: () => Promise<void>;
};

export const SERVER_CORE = 0;
export const LOAD_CORE = 1;

/** Starts a command on the server's core and waits until it answers a query for `qname`. */
export async function startServer(
  name: string,
  port: number,
  command: readonly [string, ...string[]],
  qname: string,
): Promise<BenchServer> {
  const child = spawn('taskset', ['-c', String(SERVER_CORE), ...command], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout?.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    output += chunk;
  });
  const started = Date.now();
  while (!(await answers(port, qname))) {
    if (child.exitCode !== null || Date.now() - started > 30_000) {
      child.kill('SIGKILL');
      throw new Error(`${name} does not answer:\n${output.slice(-2000)}`);
    }
  }
  return { name, port, child, stop: () => stopChild(child) };
}

export async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
  await exited;
  clearTimeout(timer);
}

/** A query of type A, in wire form. */
export function queryFor(qname: string, id = 1): Buffer {
  const labels = qname.split('.').map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label)]));
  return Buffer.concat([
    Buffer.of(id >> 8, id & 255, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0),
    ...labels,
    Buffer.of(0, 0, 1, 0, 1),
  ]);
}

async function answers(port: number, qname: string): Promise<boolean> {
  const socket = createSocket('udp4');
  try {
    return await new Promise((resolve) => {
      socket.on('message', (octets) => resolve((octets[3] & 15) === 0));
      socket.on('error', () => {});
      const timer = setTimeout(() => resolve(false), 200);
      socket.once('close', () => clearTimeout(timer));
      socket.connect(port, '127.0.0.1', () => socket.send(queryFor(qname)));
    });
  } finally {
    socket.close();
  }
}

/** Processor time of a process and all below it so far, in microseconds. */
export function cpuMicroseconds(pid: number): number {
  let nanoseconds = 0;
  for (const process of family(pid)) {
    for (const task of entries(`/proc/${process}/task`)) {
      // schedstat: nanoseconds on the processor, nanoseconds waiting for it, time slices.
      nanoseconds += Number(read(`/proc/${process}/task/${task}/schedstat`).split(' ')[0]);
    }
  }
  return nanoseconds / 1000;
}

/** Resident memory of a process and all below it, in bytes (shared pages count once each). */
export function residentBytes(pid: number): number {
  return family(pid)
    .map((process) => Number(/^VmRSS:\s+(\d+)/m.exec(read(`/proc/${process}/status`))?.[1] ?? 0) * 1024)
    .reduce((sum, bytes) => sum + bytes, 0);
}

function family(root: number): number[] {
  const parents = new Map<number, number>();
  for (const entry of entries('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    // The command's name may hold blanks, so fields are counted from the parenthesis behind it.
    const fields = read(`/proc/${entry}/stat`).split(') ').at(-1)?.split(' ') ?? [];
    parents.set(Number(entry), Number(fields[1] ?? 0));
  }
  const found = [root];
  for (const pid of found) for (const [child, parent] of parents) if (parent === pid) found.push(child);
  return found;
}

function entries(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return []; // it ended meanwhile
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
