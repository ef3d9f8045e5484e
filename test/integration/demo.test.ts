import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { ended } from '../support/installation.ts';
import { freePort } from '../support/ports.ts';

/** `npm start`, taken at its word. */

const run = promisify(execFile);
const root = join(import.meta.dirname, '..', '..');

test('everything it tells to try works; a second one says why it cannot; killing npm ends all of it', async () => {
  const edgePort = await freePort('127.0.0.11');
  const ports = [
    '--dns-port',
    `${await freePort()}`,
    '--http-port',
    `${await freePort()}`,
    '--edge-port',
    `${edgePort}`,
  ];
  const npm = spawn('npm', ['start', '--', ...ports], { cwd: root });
  const closed = once(npm, 'close'); // not before every process that has its output is gone
  let output = '';
  const introduced = new Promise<void>((resolve, reject) => {
    npm.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (output.includes('Ctrl-C ends the demo')) resolve();
    });
    npm.stderr.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    npm.once('exit', () => reject(new Error(output)));
  });
  try {
    await introduced;
    const commands = output.split('\n').filter((line) => /^ {2}(?:dig|curl|node) /.test(line));
    expect(commands).toHaveLength(7);
    const answers: string[] = [];
    for (const command of commands) {
      answers.push((await run('sh', ['-ec', command.replace(' -s ', ' -sf ')], { cwd: root })).stdout);
    }
    const [live, canary, transfer, health, network, explained, mode] = answers;
    // Four of the five that work: one of them comes and goes.
    expect(live).toMatch(/^(?:127\.0\.0\.1[1-5]\n){4}$/);
    expect(canary).toContain('\t127.0.0.20\n');
    expect(transfer).toMatch(/^www\.shop\.test\.\t/m);
    expect(JSON.parse(health)).toMatchObject({ status: 'ok' });
    expect(JSON.parse(network)).toMatchObject({ network: 'demo', wanted: 4 });
    expect(explained).toMatch(/^network demo, .*4 of 4 wanted edges live/);
    expect(mode).toContain('Set mode for 127.0.0.12 to unavailable');

    const second = await ended(spawn(process.execPath, [join(root, 'scripts', 'start.mjs'), ...ports]));
    expect(second).toMatchObject({ status: 1, stdout: '' });
    expect(second.stderr).toMatch(
      new RegExp(`^edgewise: the demo's edges cannot listen: .*:${edgePort}; .*--edge-port`),
    );
  } finally {
    npm.kill('SIGTERM');
    await closed;
  }
  expect(existsSync(/-c (\S+)\/edgemanage\.yaml/.exec(output)?.[1] ?? root)).toBe(false);
});
