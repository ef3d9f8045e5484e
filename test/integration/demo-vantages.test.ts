import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { promisify } from 'node:util';
import { afterEach, expect, test } from 'vitest';
import type { VantageJson } from '../../src/server/control/api/json.ts';
import { EDGEWISE, eventually } from '../support/edgewise.ts';
import { freePort } from '../support/ports.ts';

/** `npm start -- --vantages 3`, taken at its word. */

const run = promisify(execFile);
const COUNT = 3;

class Demo {
  output = '';
  private readonly child: ChildProcess;
  private readonly closed: Promise<unknown>;

  constructor(args: readonly string[]) {
    this.child = spawn(process.execPath, [EDGEWISE, 'demo', '--vantages', `${COUNT}`, ...args]);
    this.closed = once(this.child, 'close'); // not before every process that has its output is gone
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
      });
    }
  }

  async prints(pattern: RegExp): Promise<RegExpExecArray> {
    const look = async (): Promise<RegExpExecArray | null> => {
      if (this.child.exitCode !== null) throw new Error(this.output);
      return pattern.exec(this.output);
    };
    const found = await eventually(look, (seen) => seen !== null);
    if (found === null) throw new Error(this.output);
    return found;
  }

  async end(): Promise<number | null> {
    this.child.kill('SIGTERM');
    await this.closed;
    return this.child.exitCode;
  }
}

let demo: Demo | null = null;
afterEach(async () => {
  await demo?.end();
  demo = null;
});

/** Free, and so are those after it, as far as one can know. */
async function portArgs(): Promise<readonly string[]> {
  const free = async (): Promise<string> => {
    for (;;) {
      const port = await freePort();
      const next = await Promise.all([1, 2].map((i) => isFree(port + i)));
      if (next.every(Boolean)) return `${port}`;
    }
  };
  const edges = await freePort('127.0.0.11');
  const [dns, http, vantage] = [await free(), await free(), await free()];
  return ['--dns-port', dns, '--http-port', http, '--vantage-port', vantage, '--edge-port', `${edges}`];
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

test.each([
  ['peers', []],
  ['etcd', ['--etcd']],
])('by %s: all answer, the line of one breaks and nothing changes, an end ends all of it', async (engine, more) => {
  demo = new Demo([...(await portArgs()), '--break-every', '12', ...more]);
  await demo.prints(/Ctrl-C ends the demo/);
  const commands = demo.output.split('\n').filter((line) => /^ {2}(?:dig|curl|node) /.test(line));
  expect(commands).toHaveLength(COUNT + 5);
  // `status` has its opinion in its exit status: a view may be late on a busy machine.
  const shell = (command: string) =>
    run('sh', ['-c', `${command} || true`], { cwd: new URL('../..', import.meta.url) });
  const outputs: string[] = [];
  for (const command of commands) outputs.push((await shell(command)).stdout);
  for (const live of outputs.slice(0, COUNT)) expect(live).toMatch(/^(?:127\.0\.0\.1[1-5]\n){4}$/);
  const [soa, api, status, explained, override] = outputs.slice(COUNT);
  expect(soa).toMatch(/^ns1\.demo\.test\. /);
  expect(JSON.parse(api)).toMatchObject({ engine, vantage: 'c', vantages: { length: COUNT } } satisfies object);
  expect(status).toContain(`vantage c, by ${engine}`);
  expect(explained).toMatch(/^network demo, /);
  expect(override).toContain('This server decides alone, from its own view: "trying it out"');

  await demo.prints(/ c {2}its line to the edges is broken for 6 s\n/);
  const url = / (http:\S+)\/api\/v1\/vantage/.exec(demo.output)?.[1] ?? '';
  const seen = await eventually(
    async () => (await (await fetch(`${url}/api/v1/vantage`)).json()) as VantageJson,
    ({ networks }) => networks[0].suspects.length > 1,
  );
  expect(seen.networks[0].suspects[0].says.map(({ vantage, up }) => [vantage, up])).toContainEqual(['c', false]);
  await demo.prints(/ c {2}its line works again\n/);
  // Two edges or more that leave at once would be the broken line; the mortal one leaves alone.
  expect(demo.output).not.toMatch(/ live: .* -127\S+ .* -127/);
  expect(await demo.end()).toBe(0);
  const folder = /-c (\S+)\/c\/edgemanage\.yaml/.exec(demo.output)?.[1];
  expect([folder === undefined, existsSync(folder ?? '')]).toEqual([false, false]);
  demo = null;
});
