import { createServer, type Server } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { serve } from '../../src/app/serve.ts';
import { Guard } from '../../src/system/guard.ts';
import { EdgewiseServer } from '../support/edgewise.ts';
import { Installation } from '../support/installation.ts';
import { openedLog } from '../support/log.ts';
import { NotifySocket } from '../support/notify-socket.ts';
import { freePort } from '../support/ports.ts';

/** Signals at moments when nobody expects them. */

const EDGE = '127.77.0.1';

let site: Installation;
let edge: Server;
let server: EdgewiseServer | null = null;

beforeEach(async () => {
  const port = await freePort(EDGE);
  edge = createServer((socket) => socket.on('error', () => undefined)); // takes connections and says nothing
  await new Promise<void>((resolve) => {
    edge.listen(port, EDGE, resolve);
  });
  site = await Installation.make({
    edges: [EDGE],
    port,
    zones: { 'good.test': 'mail IN A 192.0.2.25\n' },
    keys: {
      logpath: null,
      server: { listen: [`127.0.0.1:${await freePort()}`], startup_timeout: 1 },
      http: { listen: `127.0.0.1:${await freePort()}` },
    },
  });
});

afterEach(async () => {
  await server?.stop('SIGKILL');
  server = null;
  edge.close();
  await site.remove();
});

test('from its first moment on it can be stopped, and a reload does not end it', async () => {
  // Says who listens first.
  const watch = `process.on('newListener', (name) => name === 'SIGHUP' && console.log('HEARS ' + new Error().stack))`;
  server = EdgewiseServer.spawn(site.path('edgemanage.yaml'), [], {}, ['--import', `data:text/javascript,${watch}`]);
  const [hears] = await server.prints(/^HEARS (?:.*\n)*? {4}at file:.*\n/m);
  expect(hears).toContain('bin/edgewise.js');
  server.child.kill('SIGHUP');
  expect(await server.stop('SIGTERM')).toBe(0);
});

test('stopped while it waits for its first live set', async () => {
  const text = await site.read('edgemanage.yaml');
  await site.write('edgemanage.yaml', text.replace('startup_timeout: 1', 'startup_timeout: 60'));
  server = EdgewiseServer.spawn(site.path('edgemanage.yaml'));
  await server.prints(/"zones loaded"/);
  expect(await server.stop('SIGINT')).toBe(0);
  expect(server.output).not.toContain('edgewise ready');
});

test('a reload that comes while it starts is made once it is ready', async () => {
  server = EdgewiseServer.spawn(site.path('edgemanage.yaml'));
  await server.prints(/"zones loaded"/);
  await site.write('edgemanage.yaml', `${await site.read('edgemanage.yaml')}nonsense_key: 1\n`);
  server.child.kill('SIGHUP');
  await server.ready();
  await server.prints(/unknown key .*nonsense_key/);
  await server.prints(/nothing was changed/);
  expect(await server.dig('mail.good.test', 'A')).toEqual(['192.0.2.25']);
});

test('the service manager knows when it is ready, reloads, lives and stops', async () => {
  const socket = await NotifySocket.listen(Buffer.from(`\0edgewise-signals-${process.pid}`));
  const states: string[] = [];
  /** The first state from here on that says so. */
  const state = async (wanted: RegExp): Promise<string> => {
    await expect
      .poll(() => {
        try {
          for (;;) states.push(socket.received());
        } catch {
          return states.some((one) => wanted.test(one)); // all are read
        }
      })
      .toBe(true);
    return states.splice(0, states.findIndex((one) => wanted.test(one)) + 1).at(-1) ?? '';
  };
  try {
    const manager = { NOTIFY_SOCKET: `@edgewise-signals-${process.pid}`, WATCHDOG_USEC: '200000' };
    server = await EdgewiseServer.start(site.path('edgemanage.yaml'), [], manager);
    expect(await state(/^READY=1/)).toBe(
      `READY=1\nSTATUS=DNS on 127.0.0.1:${server.dnsPort}, HTTP on ${server.http.slice('http://'.length)}`,
    );
    expect(await state(/^WATCHDOG=1/)).toBe('WATCHDOG=1');
    server.child.kill('SIGHUP');
    await state(/^RELOADING=1\nMONOTONIC_USEC=\d+$/);
    expect(await state(/^READY=1/)).not.toContain(';');
    await site.write('edgemanage.yaml', `${await site.read('edgemanage.yaml')}nonsense_key: 1\n`);
    server.child.kill('SIGHUP');
    expect(await state(/^READY=1/)).toMatch(
      /; the settings before the last reload are in force: the configuration has/,
    );
    // Stopped twice during a reload.
    for (const signal of ['SIGHUP', 'SIGTERM', 'SIGINT'] as const) server.child.kill(signal);
    expect(await server.stop('SIGTERM')).toBe(0);
    await state(/^STOPPING=1/);
    expect(states.filter((one) => /READY|WATCHDOG/.test(one))).toEqual([]);
  } finally {
    socket.close();
  }
});

test('of many reloads at once two are made: the one under way, and one that sees all that came after', async () => {
  let said = '';
  const write = (line: string): void => {
    said += line;
  };
  const reloads = (): number => said.split('"msg":"reloaded"').length - 1;
  const started = await serve({
    file: site.path('edgemanage.yaml'),
    networks: [],
    dryRun: true,
    guard: new Guard({ report: (_, text) => write(text), now: () => 0 }),
    log: () => openedLog(write),
  });
  if (!started.ok) throw new Error(JSON.stringify(started.faults));
  const { running } = started;
  try {
    await Promise.all(Array.from({ length: 50 }, () => running.reload()));
    expect(reloads()).toBe(1);
    const first = running.reload();
    await new Promise(setImmediate); // it is under way
    await Promise.all([first, ...Array.from({ length: 50 }, () => running.reload())]);
    expect(reloads()).toBe(3);
  } finally {
    await running.stop();
  }
});
