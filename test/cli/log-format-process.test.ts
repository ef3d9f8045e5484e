import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LOG_EVENTS } from '../../src/system/log-events.ts';
import { EDGEWISE, EdgewiseServer, edgewise, eventually } from '../support/edgewise.ts';
import { Installation, NETWORK } from '../support/installation.ts';

/** The forms of the log, of real commands; edges that nobody serves, so that there is something to say. */

let site: Installation;
beforeAll(async () => {
  site = await Installation.make({
    edges: ['127.78.43.1'],
    port: 1,
    zones: { 'one.test': '' },
    keys: { http: { listen: '127.0.0.1:0' }, server: { listen: ['127.0.0.1:0'] }, run_frequency: 1, logpath: null },
  });
});
afterAll(() => site?.remove());

/** Each line is JSON with a known event. */
function eventsOf(text: string): readonly string[] {
  const lines = text.split('\n').filter((line) => line !== '');
  const events = lines.map((line) => (JSON.parse(line) as { readonly event: string }).event);
  for (const event of events) expect(Object.keys(LOG_EVENTS)).toContain(event);
  return events;
}

test('edge_manage: its own lines, and the events when they are asked for', async () => {
  const run = (...args: readonly string[]) =>
    edgewise(['run', '-A', NETWORK, '-n', '-v', '-c', site.path('edgemanage.yaml'), ...args]);
  expect((await run()).stderr).toMatch(/^edgemanage \(\d+\): INFO fetch from 127\.78\.43\.1 failed/m);
  const { stderr } = await run('--log-format', 'json');
  expect(eventsOf(stderr)).toEqual(expect.arrayContaining(['edge.checked', 'edge.judged']));
  expect((await run('--log-format', 'journald')).stderr).toMatch(
    /^<6>fetch from 127\.78\.43\.1 .* {2}event=edge\.checked /m,
  );
  expect(await run('--log-format', 'xml')).toMatchObject({ status: 2 });
});

test('serve: JSON to a pipe, an event in every line', async () => {
  const server = await EdgewiseServer.start(site.path('edgemanage.yaml'), ['-n', '-v']);
  for (const event of ['server.ready', 'edge.checked']) await server.prints(new RegExp(`"event":"${event}".*\\n`));
  const { output } = server;
  await server.stop();
  // Another line may have begun.
  const whole = output.slice(0, output.lastIndexOf('\n') + 1);
  expect(eventsOf(whole.replace(/^[^{].*\n/gm, ''))).toEqual(expect.arrayContaining(['server.ready', 'edge.checked']));
});

test('serve: priorities where standard error is the journal', async () => {
  const file = site.path('journal');
  const fd = openSync(file, 'w');
  const { dev, ino } = fstatSync(fd, { bigint: true });
  const child = spawn(process.execPath, [EDGEWISE, 'serve', '-n', '-c', site.path('edgemanage.yaml')], {
    stdio: ['ignore', 'ignore', fd],
    env: { ...process.env, JOURNAL_STREAM: `${dev}:${ino}` },
  });
  closeSync(fd);
  const ended = once(child, 'exit');
  try {
    await eventually(
      async () => readFileSync(file, 'utf8'),
      (text) => /^<6>ready {2}event=server\.ready /m.test(text),
    );
  } finally {
    child.kill();
    await ended;
  }
  for (const line of readFileSync(file, 'utf8').trimEnd().split('\n')) expect(line).toMatch(/^<[3467]>/);
});
