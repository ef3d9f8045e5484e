import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LOAD_CORE } from './dns-process.ts';
import type { Mix } from './dns-zone.ts';

const run = promisify(execFile);

export type LoadResult = { readonly completed: number; readonly lost: number; readonly queriesPerSecond: number };

export type Load = {
  readonly port: number;
  readonly seconds: number;
  /** Path of the query file. */
  readonly file: string;
  readonly edns: boolean;
  /** Queries under way at once. */
  readonly outstanding?: number;
  /** Queries a second at most. */
  readonly rate?: number;
};

export function writeQueries(folder: string, { name, queries }: Mix): string {
  const file = join(folder, `${name}.queries`);
  writeFileSync(file, `${queries.join('\n')}\n`);
  return file;
}

/** `dnsperf` from the other core, as fast as it can or at a fixed rate. */
export async function runLoad(load: Load): Promise<LoadResult> {
  const text = await dnsperf(load, []);
  const number = (pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? Number.NaN);
  return {
    completed: number(/Queries completed:\s+(\d+)/),
    lost: number(/Queries lost:\s+(\d+)/),
    queriesPerSecond: number(/Queries per second:\s+([\d.]+)/),
  };
}

export type Percentiles = { readonly p50: number; readonly p90: number; readonly p99: number; readonly p999: number };

/** Latencies in microseconds at a fixed rate that no server here is strained by. */
export async function runLatency(load: Load & { readonly rate: number }): Promise<Percentiles> {
  const text = await dnsperf(load, ['-v']);
  // Verbose lines: `> NOERROR name type seconds`.
  const latencies = Array.from(text.matchAll(/^> \w+ \S+ \S+ ([\d.]+)$/gm), (match) => Number(match[1]) * 1e6);
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.min(latencies.length - 1, Math.floor(share * latencies.length))];
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999) };
}

async function dnsperf(load: Load, more: readonly string[]): Promise<string> {
  const options = [
    ['-s', '127.0.0.1'],
    ['-p', String(load.port)],
    ['-d', load.file],
    ['-l', String(load.seconds)],
    ['-c', '8'],
    ['-q', String(load.outstanding ?? 200)],
    ['-t', '2'],
    load.edns ? ['-e'] : [],
    load.rate === undefined ? [] : ['-Q', String(load.rate)],
    more,
  ].flat();
  const { stdout } = await run('taskset', ['-c', String(LOAD_CORE), 'dnsperf', ...options], { maxBuffer: 1 << 28 });
  return stdout;
}
