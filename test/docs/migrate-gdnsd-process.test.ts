import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Edges } from '../chaos/edges.ts';
import { dig } from '../secondaries/secondary.ts';
import { block } from '../support/documents.ts';
import { eventually } from '../support/edgewise.ts';
import { freePort } from '../support/ports.ts';
import { Reader } from './follow.ts';

/** docs/migrate-gdnsd.md: the example in gdnsd and in Edgewise side by side, one of three web servers being dead. */

const PAGE = 'docs/migrate-gdnsd.md';
const UP = ['127.79.3.11', '127.79.3.12'];
let edges: Edges;
let reader: Reader;
let gdnsd: ChildProcess;
let ports: { readonly gdnsd: number; readonly edgewise: number };

beforeAll(async () => {
  edges = await Edges.start(UP, 'fine\n');
  ports = { gdnsd: await freePort(), edgewise: await freePort() };
  const http = await freePort();
  const own: Reader = new Reader((text) =>
    text
      .replaceAll('198.51.100.1', '127.79.3.1')
      .replaceAll('port: 80', `port: ${edges.port}`)
      .replaceAll('timeout: 5}', 'timeout: 10}')
      .replaceAll('192.0.2.54:53', `127.0.0.1:${ports.edgewise}`)
      .replaceAll('@192.0.2.53', `@127.0.0.1 -p ${ports.gdnsd}`)
      .replaceAll('@192.0.2.54', `@127.0.0.1 -p ${ports.edgewise}`)
      .replaceAll('127.0.0.1:8053', `127.0.0.1:${http}`)
      .replaceAll('/var/lib/edgewise', `${own.folder}/state`),
  );
  reader = own;
  const config = block(PAGE, 'gdnsd config')
    .text.replaceAll('198.51.100.1', '127.79.3.1')
    .replace('port => 80', `port => ${edges.port}`)
    // An edge that is slow on a busy machine would be down for minutes.
    .replace('interval => 10', 'interval => 60')
    .replace('timeout => 5', 'timeout => 50')
    .replace(
      'listen => 192.0.2.53',
      `listen => 127.0.0.1:${ports.gdnsd}, run_dir => ${own.folder}/run, state_dir => ${own.folder}/gdnsd-state, lock_mem => false`,
    );
  reader.write('gdnsd/config', config);
  reader.write('gdnsd/zones/example.com', block(PAGE, 'gdnsd zone').text);
  reader.write('unused', 'unused\n');
  gdnsd = spawn('gdnsd', ['-c', `${own.folder}/gdnsd`, 'start'], { stdio: 'ignore' });
});
afterAll(async () => {
  if (gdnsd.exitCode === null && gdnsd.signalCode === null) {
    const exit = once(gdnsd, 'exit');
    gdnsd.kill('SIGTERM');
    await exit;
  }
  await reader.close();
  edges.close();
});

test('both answer with the same addresses', async () => {
  const ask = (port: number, ...question: readonly string[]) => dig(port, '+short', ...question);
  for (const name of ['example.com', 'www.example.com']) {
    expect(
      await eventually(
        () => ask(ports.gdnsd, name, 'A'),
        (seen) => seen.length === UP.length,
      ),
    ).toEqual(UP);
  }
  await reader.follow('docs/migrate-gdnsd.md');
  expect(reader.seen.find(({ commands }) => commands.includes('check'))?.output).toContain(
    '1 network, 3 edges, 1 zone',
  );
  for (const [name, type] of [
    ['example.com', 'A'],
    ['www.example.com', 'A'],
    ['example.com', 'MX'],
    ['mail.example.com', 'A'],
    ['example.com', 'NS'],
  ]) {
    expect([name, type, await ask(ports.edgewise, name, type)]).toEqual([
      name,
      type,
      await ask(ports.gdnsd, name, type),
    ]);
  }
});
