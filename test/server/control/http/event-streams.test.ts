import { once } from 'node:events';
import { get, type IncomingMessage, request as send } from 'node:http';
import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import { tokenDigest } from '../../../../src/config/token-file.ts';
import { AccessControl, type AccessRules } from '../../../../src/server/control/http/access.ts';
import { type HttpServer, startHttp } from '../../../../src/server/control/http/http-server.ts';
import { json, operation, type StreamSink } from '../../../../src/server/control/http/operation.ts';
import { Refusals } from '../../../../src/server/control/http/refusals.ts';
import { loginOperations } from '../../../../src/server/control/page/login.ts';
import { throwingGuard } from '../../../support/guard.ts';
import { statusView } from '../api/api-fixture.ts';

/** Answers that go on: each ends with what allowed it. */

const token = (name: string): string => `${name}-0123456789abcdef`;
const named = (name: string) => ({ name, digest: tokenDigest(token(name)) });
const FREE: AccessRules = { admins: [named('anna')], readers: null, hasClients: false };
const RESTRICTED: AccessRules = { ...FREE, readers: [named('ben')] };
const HOUR = 3600;

let http: HttpServer | null = null;
afterEach(async () => {
  await http?.close(0);
  http = null;
});

async function start(rules: AccessRules) {
  const sinks: StreamSink[] = [];
  let [now, changed] = [1000, 0];
  const gates: (() => void)[] = [];
  const access = new AccessControl({ rules, refusals: new Refusals(), log: () => undefined, now: () => now });
  const operations = [
    operation({
      method: 'GET',
      path: '/events',
      summary: 'Goes on',
      tag: null,
      access: 'read',
      answers: { 200: { description: 'events', type: 'text/event-stream' } },
      handle: () => ({
        status: 200,
        type: 'text/event-stream',
        stream: (sink) => {
          sinks.push(sink);
          sink.write('hello\n');
          return () => sinks.splice(sinks.indexOf(sink), 1);
        },
      }),
    }),
    operation({
      method: 'GET',
      path: '/slow',
      summary: 'Keeps the others waiting',
      tag: null,
      access: 'open',
      handle: () => new Promise((resolve) => gates.push(() => resolve(json(200, {})))),
      answers: { 200: { description: 'ok' } },
    }),
    operation({
      method: 'POST',
      path: '/change',
      summary: 'Changes something',
      tag: null,
      access: 'write',
      answers: { 200: { description: 'ok' } },
      body: { schema: z.object({}), form: true },
      handle: () => json(200, { changed: ++changed }),
    }),
    ...loginOperations(access),
  ];
  const started = await startHttp({
    guard: throwingGuard(),
    endpoint: { address: '127.0.0.1', port: 0 },
    hosts: [],
    view: statusView(),
    operations,
    access,
    log: () => undefined,
  });
  if (!started.ok) throw new Error(started.fault.message);
  http = started.http;
  const { port } = started.http.endpoint;
  const url = `http://127.0.0.1:${port}`;
  const signIn = async (name: string): Promise<{ readonly cookie: string }> => {
    const body = new URLSearchParams({ token: token(name) });
    const { headers } = await fetch(`${url}/login`, { method: 'POST', redirect: 'manual', body });
    return { cookie: headers.get('set-cookie')?.split(';')[0] ?? '' };
  };
  return {
    url,
    port,
    sinks,
    gates,
    access,
    signIn,
    later: (seconds: number) => (now += seconds),
    changes: () => changed,
    signOut: (headers: { readonly cookie: string }) =>
      fetch(`${url}/logout`, { method: 'POST', redirect: 'manual', headers }),
  };
}

/** An answer that goes on, once its header is there. `text`: all that came, when it has ended. */
async function events(url: string, headers: { readonly [name: string]: string } = {}) {
  const [response] = (await once(get(`${url}/events`, { headers }), 'response')) as [IncomingMessage];
  let received = '';
  response.setEncoding('utf8').on('data', (text: string) => {
    received += text;
  });
  response.on('error', () => undefined);
  const ended = new Promise<void>((resolve) => response.once('close', () => resolve()));
  return { status: response.statusCode, ended: ended.then(() => received) };
}

test('they end when the session ends by signing out, at once; those of another session go on', async () => {
  const { url, sinks, signIn, signOut } = await start(RESTRICTED);
  const [leaving, staying] = [await signIn('ben'), await signIn('ben')];
  const left = [await events(url, leaving), await events(url, leaving)];
  const stayed = await events(url, staying);
  await expect.poll(() => sinks.length).toBe(3);
  await signOut(leaving);
  expect(await Promise.all(left.map(({ ended }) => ended))).toEqual(['hello\n', 'hello\n']);
  await expect.poll(() => sinks.length).toBe(1);
  expect(sinks[0]?.write('more\n')).toBe(true);
  sinks[0]?.end();
  expect(await stayed.ended).toBe('hello\nmore\n');
});

test('signing in again ends the session that the browser had', async () => {
  const { url, signIn, sinks } = await start(RESTRICTED);
  const first = await signIn('ben');
  const { ended } = await events(url, first);
  await expect.poll(() => sinks.length).toBe(1);
  await fetch(`${url}/login`, {
    method: 'POST',
    redirect: 'manual',
    headers: first,
    body: new URLSearchParams({ token: token('ben') }),
  });
  expect(await ended).toBe('hello\n');
});

test.each([
  ['for two hours without a request', [2 * HOUR]],
  ['twelve hours in all', Array<number>(12).fill(HOUR)],
])('they end when the session is over: %s; nothing more is sent', async (_, steps) => {
  const { url, sinks, signIn, later } = await start(RESTRICTED);
  const session = await signIn('anna');
  const { ended } = await events(url, session);
  await expect.poll(() => sinks.length).toBe(1);
  const [sink] = sinks;
  for (const [i, seconds] of steps.entries()) {
    later(seconds);
    if (i < steps.length - 1) {
      await fetch(`${url}/login`, { headers: session });
      expect(sink?.write('.')).toBe(true);
    }
  }
  expect(sink?.write('secret\n')).toBe(false);
  expect(await ended).toBe(`hello\n${'.'.repeat(steps.length - 1)}`);
});

test('an answer that goes on does not keep its session from ending', async () => {
  const { url, sinks, signIn, later } = await start(RESTRICTED);
  const { ended } = await events(url, await signIn('ben'));
  await expect.poll(() => sinks.length).toBe(1);
  for (let i = 0; i < 3; i++) {
    later(HOUR - 600);
    sinks[0]?.write('.');
  }
  expect(await ended).toBe('hello\n..');
});

test.each([
  ['reads become restricted', FREE, {}, RESTRICTED],
  ['the token is taken out', RESTRICTED, { authorization: `Bearer ${token('ben')}` }, FREE],
] as const)('they end when %s, even one that was waiting to begin', async (_, before, headers, after) => {
  const { url, sinks, gates, access } = await start(before);
  const { ended } = await events(url, headers);
  await expect.poll(() => sinks.length).toBe(1);
  const slow = fetch(`${url}/slow`);
  await expect.poll(() => gates.length).toBe(1);
  const waiting = events(url, headers);
  // A connection of its own was accepted before the next one is.
  const last = connect(Number(new URL(url).port), '127.0.0.1');
  last.end('GET /livez HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n').resume();
  await once(last, 'close');

  access.configure({ ...after, readers: [] });
  http?.accessChanged();
  expect(await ended).toBe('hello\n');
  for (const open of gates) open();
  await slow;
  expect((await waiting).status).toBe(401);
  await expect.poll(() => sinks.length).toBe(0);
});

test('a right that is taken away while the body is on its way changes nothing any more', async () => {
  const { url, access, changes } = await start(FREE);
  const sent = send(`${url}/change`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token('anna')}`, 'content-type': 'application/json', expect: '100-continue' },
  });
  sent.flushHeaders();
  await once(sent, 'continue');
  sent.write('{');
  await expect.poll(async () => (await fetch(`${url}/login`)).status).toBe(200);
  access.configure({ ...FREE, admins: [named('carl')] });
  sent.end('}');
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  response.resume();
  expect([response.statusCode, changes()]).toEqual([401, 0]);
});
