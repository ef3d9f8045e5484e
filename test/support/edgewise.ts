import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expectDescribed } from './described.ts';
import { type Ended, ended } from './installation.ts';

const run = promisify(execFile);
export const EDGEWISE = join(import.meta.dirname, '..', '..', 'bin', 'edgewise.js');

/** `edgewise …` as an operator runs it, to its end. */
export function edgewise(args: readonly string[]): Promise<Ended> {
  return ended(spawn(process.execPath, [EDGEWISE, ...args]));
}

/** A running `edgewise serve`. Its output is kept; what a test waits for is awaited, never slept for. */
export class EdgewiseServer {
  readonly child: ChildProcess;
  /** Everything printed so far, both streams. */
  output = '';
  /** Port of the first DNS endpoint, from the ready line. */
  dnsPort = 0;
  /** Of the last endpoint for TLS; 0: none. */
  tlsPort = 0;
  http = '';
  zones = 0;
  private readonly listeners = new Set<() => void>();

  private constructor(child: ChildProcess) {
    this.child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
        for (const listener of this.listeners) listener();
      });
    }
    child.once('exit', () => {
      for (const listener of this.listeners) listener();
    });
  }

  /** Starts it and does not wait; `nodeArgs` are for Node.js, `wrapper` is a command that runs it, such as `prlimit`. */
  static spawn(
    configFile: string,
    args: readonly string[] = [],
    env = {},
    nodeArgs: readonly string[] = [],
    wrapper: readonly string[] = [],
  ): EdgewiseServer {
    const [command, ...rest] = [
      ...wrapper,
      process.execPath,
      ...nodeArgs,
      EDGEWISE,
      'serve',
      '-c',
      configFile,
      ...args,
    ];
    const child = spawn(command, rest, {
      env: { ...process.env, ...env },
    });
    return new EdgewiseServer(child);
  }

  /** Resolves with the ready line; rejects with what it printed when it ends before. */
  static async start(configFile: string, args: readonly string[] = [], env = {}): Promise<EdgewiseServer> {
    const server = EdgewiseServer.spawn(configFile, args, env);
    await server.ready();
    return server;
  }

  /** Once it answers: where. */
  async ready(): Promise<void> {
    const ready = await this.prints(/^edgewise ready dns=(\S+) http=(\S+) zones=(\d+)(?: tls=\S+:(\d+))?$/m);
    this.dnsPort = Number(ready[1].split(',')[0].split(':').at(-1));
    this.http = `http://${ready[2]}`;
    this.zones = Number(ready[3]);
    this.tlsPort = Number(ready[4] ?? 0);
  }

  /** Resolves when the output, from `since` on, matches. */
  prints(pattern: RegExp, since = 0): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = pattern.exec(this.output.slice(since));
        const over = this.child.exitCode !== null || this.child.signalCode !== null;
        if (found === null && !over) return;
        this.listeners.delete(look);
        // What it printed before on its other stream may have come with this and is read in the same turn.
        if (found !== null) setImmediate(resolve, found);
        else reject(new Error(`edgewise ended without printing ${pattern}:\n${this.output}`));
      };
      this.listeners.add(look);
      look();
    });
  }

  /** `dig +short`, a line an answer, sorted. */
  async dig(...question: readonly string[]): Promise<readonly string[]> {
    const text = await this.digText('+short', ...question);
    return text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith(';')) // where it had to ask again, it says so
      .sort();
  }

  async digText(...args: readonly string[]): Promise<string> {
    const { stdout } = await run('dig', ['@127.0.0.1', '-p', String(this.dnsPort), '+tries=3', '+time=10', ...args]);
    return stdout;
  }

  /** What the API answers has to be as it is described, in every test. */
  async get(path: string): Promise<{ readonly status: number; readonly text: string }> {
    const response = await fetch(`${this.http}${path}`);
    const [status, text] = [response.status, await response.text()];
    const type = response.headers.get('content-type');
    if (/json/.test(type ?? '')) expectDescribed({ method: 'GET', path, status, type, body: text });
    return { status, text };
  }

  /** Resolves with the exit status. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return this.child.exitCode;
    const exit = once(this.child, 'exit');
    this.child.kill(signal);
    await exit;
    return this.child.exitCode;
  }
}

/**
 * Repeats a look until it shows what is wanted; for what another process will do by itself and does not announce.
 * Rejects with the last sight after `seconds`.
 */
export async function eventually<T>(look: () => Promise<T>, wanted: (seen: T) => boolean, seconds = 50): Promise<T> {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const seen = await look();
    if (wanted(seen)) return seen;
    if (performance.now() > end) throw new Error(`not in ${seconds} s; last seen: ${JSON.stringify(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
