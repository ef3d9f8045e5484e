import { expect, test } from 'vitest';
import { tokenDigest } from '../../../../src/config/token-file.ts';
import { AccessControl, type AccessRules } from '../../../../src/server/control/http/access.ts';
import type { Access, Request } from '../../../../src/server/control/http/operation.ts';
import { Refusals } from '../../../../src/server/control/http/refusals.ts';
import { SESSION_SECONDS, Sessions } from '../../../../src/server/control/http/sessions.ts';
import { WrongTokens } from '../../../../src/server/control/http/wrong-tokens.ts';
import { localPath } from '../../../../src/server/control/page/login.ts';
import { jsonLog } from '../../../support/log.ts';

const named = (name: string) => ({ name, digest: tokenDigest(`${name}-0123456789abcdef`) });
const bearer = (name: string) => ({ authorization: `Bearer ${name}-0123456789abcdef` });
const OPEN: AccessRules = { admins: [named('anna')], readers: null, hasClients: false };
const RESTRICTED: AccessRules = { admins: [named('anna')], readers: [named('ben'), named('anna')], hasClients: true };
const NOBODY: AccessRules = { admins: null, readers: null, hasClients: false };

type Headers = { readonly [name: string]: string };

function request(headers: Headers = {}, over: Partial<Request> = {}): Request {
  const header = (name: string): string | null => headers[name] ?? null;
  return { method: 'POST', path: '/x', header, client: '192.0.2.1', isTls: false, certificate: null, ...over };
}

function control(rules: AccessRules) {
  const refusals = new Refusals();
  const logged: string[] = [];
  let now = 1000;
  const access = new AccessControl({ rules, refusals, log: jsonLog((line) => logged.push(line)), now: () => now });
  return { access, refusals, logged, later: (seconds: number) => (now += seconds) };
}

const HOST = { host: 'ew.test:8053' };
const SAME = { ...HOST, origin: 'http://ew.test:8053', 'sec-fetch-site': 'same-origin' };

test.each<readonly [string, AccessRules, Access, Headers, Partial<Request>, string | number]>([
  ['anybody reads where reads are free', OPEN, 'read', {}, {}, 'null read'],
  ['a wrong token does not matter there', OPEN, 'read', bearer('eve'), {}, 'null read'],
  ['nobody in particular changes nothing', OPEN, 'write', {}, {}, 401],
  ['a wrong token changes nothing', OPEN, 'write', bearer('eve'), {}, 401],
  ['a token of the file does', OPEN, 'write', bearer('anna'), {}, 'anna write'],
  ['the scheme in any case', OPEN, 'write', { authorization: 'bearer  anna-0123456789abcdef' }, {}, 'anna write'],
  ['other schemes do not count', OPEN, 'write', { authorization: 'Basic anna-0123456789abcdef' }, {}, 401],
  ['nor half a token', OPEN, 'write', { authorization: 'Bearer anna-0123456789abcde' }, {}, 401],
  ['nor a token with more', OPEN, 'write', { authorization: 'Bearer anna-0123456789abcdef x' }, {}, 401],
  ['nor the name alone', OPEN, 'write', { authorization: 'Bearer' }, {}, 401],
  ['a session that there is not', OPEN, 'write', { ...SAME, cookie: 'edgewise-8053=x' }, {}, 401],
  ['without http.admin nobody changes anything', NOBODY, 'write', bearer('anna'), {}, 401],
  ['nor anybody else', NOBODY, 'write', {}, {}, 403],
  ['restricted: nobody in particular reads nothing', RESTRICTED, 'read', {}, {}, 401],
  ['but an open path', RESTRICTED, 'open', {}, {}, 'null none'],
  ['a reader reads', RESTRICTED, 'read', bearer('ben'), {}, 'ben read'],
  ['and changes nothing', RESTRICTED, 'write', bearer('ben'), {}, 403],
  ['who is in both files writes', RESTRICTED, 'write', bearer('anna'), {}, 'anna write'],
  ['on an open path one is known', RESTRICTED, 'open', bearer('ben'), {}, 'ben read'],
  ['a certificate writes', RESTRICTED, 'write', {}, { certificate: 'carl' }, 'carl write'],
  ['unless none are believed', OPEN, 'write', {}, { certificate: 'carl' }, 401],
  ['a wrong token beside a certificate', RESTRICTED, 'write', bearer('eve'), { certificate: 'carl' }, 401],
  ['a person is led to the form', RESTRICTED, 'read', { accept: 'text/html,*/*' }, { method: 'GET' }, 303],
])('%s', async (_, rules, access, headers, over, expected) => {
  const admission = await control(rules).access.admit(access, request(headers, over));
  expect(admission.ok ? `${admission.author} ${admission.right}` : admission.reply.status).toBe(expected);
});

test.each<readonly [string, Headers, Partial<Request>, boolean]>([
  ['no browser', HOST, {}, true],
  ['a page of this server', SAME, {}, true],
  ['another site', { ...HOST, 'sec-fetch-site': 'cross-site' }, {}, false],
  ['a sister name', { ...HOST, 'sec-fetch-site': 'same-site', origin: SAME.origin }, {}, false],
  ['another origin', { ...HOST, origin: 'http://evil.test' }, {}, false],
  ['another port', { ...HOST, origin: 'http://ew.test:3000' }, {}, false],
  ['a frame without origin', { ...HOST, origin: 'null' }, {}, false],
  ['a name that begins like ours', { ...HOST, origin: 'http://ew.test:8053.evil.test' }, {}, false],
  ['a user name that looks like ours', { ...HOST, origin: 'http://ew.test:8053@evil.test' }, {}, false],
  ['a proxy that speaks TLS', { host: 'ew.test', origin: 'https://ew.test' }, {}, true],
  ['the usual port in words', { host: 'ew.test:443', origin: 'https://EW.test' }, {}, true],
  ['in the clear where we speak TLS', { host: 'ew.test', origin: 'http://ew.test' }, { isTls: true }, false],
])('a write that comes from %s', async (_, headers, over, isAllowed) => {
  const { access, refusals } = control(OPEN);
  const admission = await access.admit('write', request({ ...bearer('anna'), ...headers }, over));
  expect(admission.ok).toBe(isAllowed);
  expect(refusals.all.get('cross_site')).toBe(isAllowed ? 0 : 1);
  expect((await access.admit('read', request({ ...bearer('anna'), ...headers }, over))).ok).toBe(true);
});

/** What a browser sends back. */
const kept = (cookie: string | null): Headers => ({ cookie: `other=1; ${cookie?.split(';')[0]}` });

test('a session: from its cookie to its end', async () => {
  const { access, logged, later } = control(OPEN);
  const cookie = await access.signIn('anna-0123456789abcdef', request(SAME));
  expect(cookie).toMatch(/^edgewise-8053=[\w-]{43}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/);
  const write = (headers: Headers) => access.admit('write', request({ ...headers, ...kept(cookie) }));
  expect(await write(SAME)).toMatchObject({ ok: true, author: 'anna', right: 'write' });
  // A browser that says nothing may be on somebody else's page.
  expect((await write(HOST)).ok).toBe(false);
  expect((await write({ ...HOST, origin: 'http://evil.test' })).ok).toBe(false);
  expect((await write({ ...SAME, host: 'ew.test:9000' })).ok).toBe(false);
  later(3600);
  expect((await write(SAME)).ok).toBe(true);
  later(2 * 3600);
  expect((await write(SAME)).ok).toBe(false);

  const second = await access.signIn('anna-0123456789abcdef', request(SAME));
  expect(access.signOut(request({ ...SAME, ...kept(second) }))).toContain('edgewise-8053=; Path=/; Max-Age=0');
  expect(await access.admit('write', request({ ...SAME, ...kept(second) }))).toMatchObject({ ok: false });
  // Nobody signs out twice.
  access.signOut(request({ ...SAME, ...kept(second) }));
  expect(await access.signIn('eve', request(SAME))).toBeNull();
  const client = '192.0.2.1';
  const session = { level: 'info', event: 'admin.session', author: 'anna', client };
  expect(logged.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { ...session, msg: 'http: anna signed in from 192.0.2.1' },
    session,
    { ...session, msg: 'http: anna signed out from 192.0.2.1' },
    { level: 'warn', event: 'admin.refused', client, msg: 'http: a wrong token from 192.0.2.1' },
  ]);
});

test('a flood of sign-ins by one person fills no log and hides nobody else', async () => {
  const { access, logged, later } = control(RESTRICTED);
  const session = (name: string) => access.signIn(`${name}-0123456789abcdef`, request(SAME));
  for (let i = 0; i < 1000; i++) await session('ben');
  expect(logged).toHaveLength(10);
  await session('anna');
  expect(logged.at(-1)).toContain('anna signed in');
  later(61);
  await session('ben');
  expect(logged.slice(11)).toEqual([
    expect.stringContaining("ben signed in from 192.0.2.1 (990 more lines of ben's sessions were left out before)"),
  ]);
});

test('whoever signs in again goes on with a new identifier only', async () => {
  const { access } = control(OPEN);
  const first = await access.signIn('anna-0123456789abcdef', request(SAME));
  const second = await access.signIn('anna-0123456789abcdef', request({ ...SAME, ...kept(first) }));
  expect(await access.admit('read', request({ ...HOST, ...kept(first) }))).toMatchObject({ author: null });
  expect(await access.admit('read', request({ ...HOST, ...kept(second) }))).toMatchObject({ author: 'anna' });
  // A wrong token ends nothing.
  await access.signIn('eve', request({ ...SAME, ...kept(second) }));
  expect(await access.admit('read', request({ ...HOST, ...kept(second) }))).toMatchObject({ author: 'anna' });
});

test('sessions end with their tokens, and what they may do changes with them', async () => {
  const { access } = control(RESTRICTED);
  const cookie = await access.signIn('anna-0123456789abcdef', request(SAME));
  const admit = () => access.admit('read', request({ ...SAME, ...kept(cookie) }));
  access.configure({ ...RESTRICTED, admins: [] });
  expect(await admit()).toMatchObject({ ok: true, author: 'anna', right: 'read' });
  access.configure({ ...RESTRICTED, admins: [], readers: [named('ben')] });
  access.configure(RESTRICTED);
  expect(await admit()).toMatchObject({ ok: false });
});

test('over TLS, ours or of a proxy, the cookie is bound to the host and never sent in the clear', async () => {
  const { access } = control(OPEN);
  const direct = { host: 'ew.test', origin: 'https://ew.test', 'sec-fetch-site': 'same-origin' };
  for (const isTls of [true, false]) {
    const cookie = await access.signIn('anna-0123456789abcdef', request(direct, { isTls }));
    expect(cookie).toMatch(/^__Host-edgewise=\S+; Path=\/;.*; Secure$/);
    // A GET has no Origin.
    const headers = { host: 'ew.test', ...kept(cookie) };
    expect(await access.admit('read', request(headers, { isTls }))).toMatchObject({ author: 'anna' });
  }
  // One that was set in the clear by somebody on the way is not taken over TLS.
  const plain = await access.signIn('anna-0123456789abcdef', request({ host: 'ew.test' }));
  const planted = request({ host: 'ew.test', ...kept(plain) }, { isTls: true });
  expect(await access.admit('read', planted)).toMatchObject({ author: null });
});

test('sessions are bounded, of one token and in all, and no older than twelve hours', () => {
  const sessions = new Sessions();
  const first = sessions.start('a', 0);
  const kept16 = Array.from({ length: 16 }, (_, i) => sessions.start('a', i + 1));
  expect(sessions.use(first, 20)).toBeNull();
  expect(kept16.map((id) => sessions.use(id, 20))).toEqual(Array(16).fill('a'));
  for (let i = 0; i < 1000; i++) sessions.start(`token ${i}`, 30);
  expect(sessions.size).toBe(256);
  const id = sessions.start('b', 100);
  for (let at = 100; at < 100 + SESSION_SECONDS; at += 3600) expect(sessions.use(id, at)).toBe('b');
  expect(sessions.use(id, 100 + SESSION_SECONDS)).toBeNull();
});

test('wrong tokens are slowed down more and more, forgotten in time, and never fill the memory or the log', () => {
  const lines: string[] = [];
  const wrong = new WrongTokens((line) => lines.push(line));
  const delays = Array.from({ length: 12 }, () => wrong.count('192.0.2.1', 10));
  expect(delays.slice(0, 6)).toEqual([0, 0, 0, 100, 200, 400]);
  expect(Math.max(...delays)).toBe(2000);
  expect(wrong.count('192.0.2.2', 10)).toBe(0);
  expect(wrong.count('192.0.2.1', 700)).toBe(0);
  for (let i = 0; i < 5000; i++) wrong.count(`client ${i}`, 800);
  expect(wrong.size).toBe(1000);
  expect(lines.length).toBeLessThanOrEqual(13);
  expect(lines[0]).toBe('http: a wrong token from 192.0.2.1');
});

test('thousands of wrong tokens at once hold two answers, and the right token of the same client is not touched', async () => {
  const { access, refusals, logged } = control(OPEN);
  const tries = Array.from({ length: 3000 }, () => access.admit('write', request(bearer('eve'))));
  expect(await access.admit('write', request(bearer('anna')))).toMatchObject({ ok: true, author: 'anna' });
  const statuses = (await Promise.all(tries)).map((one) => (one.ok ? 0 : one.reply.status));
  expect(statuses.filter((status) => status === 401)).toHaveLength(5);
  expect(statuses.filter((status) => status === 429)).toHaveLength(2995);
  expect(refusals.all.get('token')).toBe(3000);
  expect(logged).toHaveLength(1);
});

test.each([
  ['/networks/a?x=1', '/networks/a?x=1'],
  ['//evil.test', '/'],
  ['/\\evil.test', '/'],
  ['/a\\b', '/'],
  ['https://evil.test', '/'],
  ['javascript:alert(1)', '/'],
  ['/a\r\nset-cookie: x', '/'],
  [undefined, '/'],
])('after signing in %s leads to %s', (to, path) => {
  expect(localPath(to)).toBe(path);
});
