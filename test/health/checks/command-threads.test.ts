/** Programs of checks end with the thread that started them, and with the process. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { type ProbeRound, Prober } from '../../../src/health/checks/prober.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgewise-command-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function script(text: string): string {
  const file = join(folder, 'check');
  writeFileSync(file, `#!/bin/sh\nDIR='${folder}'\n${text}\n`);
  chmodSync(file, 0o755);
  return file;
}

function roundOf(program: string, names: readonly string[] = ['127.0.0.1'], timeout = 60): ProbeRound {
  const args = ['{edge}', '{address}'];
  const check = { kind: 'command', name: 'cmd', timeout, program, args, ok: [0], unknown: [3] } as const;
  return {
    network: 'net',
    plan: { checks: [check], combine: 'all', timeout, retry: 1, workers: 100 },
    targets: names.map((name) => ({ name, canary: false })),
    spread: 0,
    canaryKiller: 0,
  };
}

function isGone(pid: number): boolean {
  try {
    return /^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return true;
  }
}
/** Two processes that `HANGING` writes down, once they are there. */
async function pids(): Promise<readonly number[]> {
  const file = join(folder, 'pids');
  const lines = (): readonly string[] => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : []);
  await vi.waitFor(() => expect(lines()).toHaveLength(2), { timeout: 20_000 });
  return lines().map(Number);
}
async function gone(all: readonly number[]): Promise<void> {
  await vi.waitFor(() => expect(all.filter((pid) => !isGone(pid))).toEqual([]), { timeout: 20_000 });
}
const HANGING = 'echo $$ >> $DIR/pids; sleep 600 & echo $! >> $DIR/pids; wait';

/** A prober, and the threads it starts. */
async function start(): Promise<{ readonly prober: Prober; readonly threads: Worker[] }> {
  const threads: Worker[] = [];
  const note = (worker: Worker): void => void threads.push(worker);
  process.on('worker', note);
  const prober = await Prober.start({ userAgent: 'Edgewise/test' });
  onTestFinished(async () => {
    process.off('worker', note);
    await prober.stop();
  });
  return { prober, threads };
}

test('a round of programs: those that pass, fail, and say nothing', async () => {
  const { prober } = await start();
  const program = script('case $1 in *.1) exit 0;; *.2) echo bad; exit 1;; *) echo "cannot tell"; exit 3;; esac');
  const { samples, unknown } = await prober.round(roundOf(program, ['127.0.0.1', '127.0.0.2', '127.0.0.3']));
  expect([...samples.keys()].sort()).toEqual(['127.0.0.1', '127.0.0.2']);
  expect(samples.get('127.0.0.1')?.fail).toBeNull();
  expect(samples.get('127.0.0.2')?.fail).toEqual({ reason: 'exit', detail: 'exit status 1: bad' });
  expect(unknown).toEqual([{ edge: '127.0.0.3', why: 'check cmd of 127.0.0.3: exit status 3: cannot tell' }]);
});

test('a program that is removed meanwhile makes edges unknown, and no sample', async () => {
  const { prober } = await start();
  const program = script('exit 0');
  expect((await prober.round(roundOf(program))).samples.size).toBe(1);
  rmSync(program);
  const { samples, unknown } = await prober.round(roundOf(program));
  expect(samples.size).toBe(0);
  expect(unknown).toEqual([{ edge: '127.0.0.1', why: expect.stringContaining('could not be started') }]);
});

test('programs end when the round is cancelled', async () => {
  const { prober } = await start();
  const round = prober.round(roundOf(script(HANGING)));
  const running = await pids();
  prober.cancel('net');
  await expect(round).rejects.toThrow('cut short');
  await gone(running);
});

test('programs end with the prober', async () => {
  const { prober } = await start();
  const round = prober.round(roundOf(script(HANGING)));
  const refused = expect(round).rejects.toThrow('stopped');
  const running = await pids();
  await prober.stop();
  await refused;
  await gone(running);
});

test('programs end with a thread that dies, and the next one starts others', async () => {
  const { prober, threads } = await start();
  const round = prober.round(roundOf(script(HANGING)));
  const refused = expect(round).rejects.toThrow();
  const running = await pids();
  await threads[0]?.terminate();
  await refused;
  await gone(running);
  await vi.waitFor(() => expect(prober.alive).toBe(true), { timeout: 20_000 });
  expect((await prober.round(roundOf(script('exit 0')))).samples.size).toBe(1);
});

test.each([
  ['that ends by itself', 'process.exit(3)'],
  ['that an exception ends', 'throw new Error("a bug")'],
])('programs end with a process %s', async (_, end) => {
  const entry = join(process.cwd(), 'dist/health/checks/prober.js');
  const text = `
    import { Prober } from ${JSON.stringify(entry)};
    const prober = await Prober.start({ userAgent: 'Edgewise/test' });
    prober.round(${JSON.stringify(roundOf(script(HANGING)))}).catch(() => {});
    process.stdin.once('data', () => { ${end} });
  `;
  const file = join(folder, 'process.mjs');
  writeFileSync(file, text);
  const child = spawn(process.execPath, [file], { stdio: ['pipe', 'ignore', 'ignore'] });
  const running = await pids();
  child.stdin.write('now\n');
  await once(child, 'exit');
  await gone(running);
});
