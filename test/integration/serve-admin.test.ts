import { rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { serve } from '../../src/app/serve.ts';
import type { Running } from '../../src/app/server.ts';
import { logTo } from '../../src/system/log.ts';
import { throwingGuard } from '../support/guard.ts';
import { Installation, NETWORK, OBJECT } from '../support/installation.ts';
import { freePort } from '../support/ports.ts';

/** What an administrator changes over HTTP, in a whole server. */

const [ONE, TWO, THREE] = ['127.92.0.1', '127.92.0.2', '127.92.0.3'] as const;
const ANNA = 'anna-0123456789abcdef0123';
const BEN = 'ben-0123456789abcdef0123';

let site: Installation;
let running: Running | null = null;
const edges: Server[] = [];
let asked: string[] = [];
/** They answer 500. */
const failing = new Set<string>();
let said = '';
const write = (line: string): void => {
  said += line;
};

beforeEach(async () => {
  [said, asked] = ['', []];
  const port = await freePort(ONE);
  failing.clear();
  for (const address of [ONE, TWO, THREE]) {
    const edge = createServer((_, response) => {
      asked.push(address);
      if (failing.has(address)) response.statusCode = 500;
      response.end(OBJECT);
    });
    await new Promise<void>((resolve) => edge.listen(port, address, resolve));
    edges.push(edge);
  }
  site = await Installation.make({
    edges: [ONE, TWO],
    port,
    zones: { 'good.test': 'mail IN A 192.0.2.25\n' },
    keys: {
      logpath: null,
      run_frequency: 3600,
      edge_count: 1,
      server: { listen: [`127.0.0.1:${await freePort()}`] },
      http: { listen: '127.0.0.1:0', admin: { tokens: 'admin.tokens' }, read: { tokens: 'read.tokens' } },
    },
  });
  await site.write('admin.tokens', `anna ${ANNA}\n`);
  await site.write('read.tokens', `ben ${BEN}\n`);
});
afterEach(async () => {
  await running?.stop();
  running = null;
  for (const edge of edges.splice(0)) edge.close();
  await site.remove();
});

async function start(dryRun = false): Promise<void> {
  const started = await serve({
    file: site.path('edgemanage.yaml'),
    networks: [],
    dryRun,
    guard: throwingGuard(),
    log: () => ({ log: logTo({ write }, 'info', 'json'), lowest: 'info' }),
  });
  if (!started.ok) throw new Error(JSON.stringify(started.faults));
  running = started.running;
}

type Headers = { readonly [name: string]: string };

async function ask(method: string, path: string, headers: Headers = {}, body?: object) {
  const response = await fetch(`http://${running?.http}${path}`, {
    method,
    redirect: 'manual',
    headers: { authorization: `Bearer ${ANNA}`, ...headers, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') === true;
  return {
    status: response.status,
    etag: response.headers.get('etag') ?? '',
    cookie: response.headers.get('set-cookie')?.split(';')[0] ?? '',
    value: isJson ? JSON.parse(text) : text,
  };
}

const mode = (edge: string): string => `/api/v1/networks/${NETWORK}/edges/${edge}/mode`;
const put = (edge: string, version: string, body: object, headers: Headers = {}) =>
  ask('PUT', mode(edge), { ...(version === '' ? {} : { 'if-match': version }), ...headers }, body);

async function live(): Promise<readonly string[]> {
  const { value } = await ask('GET', `/api/v1/networks/${NETWORK}`);
  return value.live.map(({ edge }: { edge: string }) => edge);
}

test('a mode: who may set it, upon which version, what is refused, and what comes of it', async () => {
  await start();
  const off = { mode: 'unavailable', comment: 'disk full' };
  const nobody = { authorization: '' };
  expect((await put(ONE, '*', off, { authorization: 'Bearer nobody-0123456789abcdef' })).status).toBe(401);
  expect((await put(ONE, '*', off, { authorization: `Bearer ${BEN}` })).status).toBe(403);
  expect((await put(ONE, '*', off, { origin: 'http://evil.test' })).status).toBe(403);
  expect((await put(ONE, '*', off, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
  const { status, etag } = await put(ONE, '', off);
  expect(status).toBe(428);
  expect((await put(ONE, '"old"', off)).status).toBe(412);
  expect((await put('127.92.0.9', '*', off)).status).toBe(404);
  for (const wrong of [
    { mode: 'unavailable' },
    { mode: 'off', comment: 'x' },
    { ...off, for: 'soon' },
    { ...off, until: '2001-01-01' },
    { ...off, for: '1h', until: '2099-01-01' },
    { mode: 'available', for: '1h' },
  ]) {
    expect(await put(ONE, etag, wrong), JSON.stringify(wrong)).toMatchObject({ status: 422 });
  }
  const before = await live();
  expect(before).toHaveLength(1);
  const [first = ''] = before;
  const other = first === ONE ? TWO : ONE;

  const version = (await put(first, '', off)).etag;
  const done = await put(first, version, { ...off, comment: 'disk\nfull', for: '1h' });
  expect(done).toMatchObject({
    status: 200,
    value: { mode: 'unavailable', comment: '[anna] disk full', live: [other] },
  });
  expect(done.value.mode_until - done.value.mode_since).toBeCloseTo(3600, 0);
  expect(await live()).toEqual([other]);
  expect(await site.store(first)).toMatchObject({ mode: 'unavailable', comment: '[anna] disk full' });
  expect(await site.read('health/.mode-changes')).toContain('[anna] disk full');
  expect(said).toMatch(/"event":"admin\.mode_set","author":"anna","client":"127\.0\.0\.1".*"mode":"unavailable"/);
  // The page that was open before does not undo it unseen; who made the change goes on without reading it again.
  expect((await put(first, version, { mode: 'available' })).status).toBe(412);
  expect((await ask('GET', mode(first))).etag).toBe(done.etag);
  expect(done.value.mode_version).toBe(done.etag);
  const back = await put(first, done.etag, { mode: 'available' });
  expect(back).toMatchObject({ status: 200, value: { mode: 'available', mode_version: back.etag } });

  const now = back.etag;
  const both = await Promise.all(['force', 'blindforce'].map((one) => put(first, now, { mode: one, comment: 'x' })));
  expect(both.map((each) => each.status).sort()).toEqual([200, 412]);

  const reasons = await ask('GET', '/healthz', nobody);
  expect(Object.keys(reasons.value)).toEqual(['status', 'ready']);
  expect((await ask('GET', '/metrics', nobody)).status).toBe(401);
  expect(await ask('GET', '/metrics', { authorization: `Bearer ${BEN}` })).toMatchObject({
    status: 200,
    value: expect.stringMatching(/^edgewise_http_refused_total\{reason="cross_site"\} 2$/m),
  });
});

test('probe now, decide now, a notice, and what is refused of them', async () => {
  const refusing = ['gone', 'lost'].map((name) => ({
    to: 'webhook',
    name,
    url: 'http://127.0.0.1:1/',
    events: ['zone_broken'],
  }));
  const keys = parse(await site.read('edgemanage.yaml'));
  await site.write('edgemanage.yaml', stringify({ ...keys, notices: refusing }));
  await start();
  const edge = `/api/v1/networks/${NETWORK}/edges/${TWO}`;
  asked = [];
  const began = Date.now() / 1000;
  const probed = await ask('POST', `${edge}/probe`);
  expect(probed).toMatchObject({ status: 200, value: { edge: TWO, fail: null, addresses: [{ address: TWO }] } });
  expect(asked).toContain(TWO);
  expect(probed.value.at).toBeGreaterThanOrEqual(began);
  expect(await ask('POST', `${edge}/probe`)).toMatchObject({ status: 429, value: { title: 'Too Many Requests' } });
  expect((await ask('POST', `/api/v1/networks/${NETWORK}/edges/none/probe`)).status).toBe(404);
  expect((await ask('POST', '/api/v1/networks/none/update')).status).toBe(404);
  // Without a body as well, and not for a page of another site.
  const update = `/api/v1/networks/${NETWORK}/update`;
  expect((await ask('POST', update, { origin: 'http://evil.test' })).status).toBe(403);
  expect((await ask('POST', update, { authorization: '' })).status).toBe(401);
  const set = await live();
  expect(await ask('POST', update, {}, { force: true })).toMatchObject({
    status: 200,
    value: { changed: false, live: set, held: null },
  });
  expect((await ask('POST', update, {}, { force: 'yes' })).status).toBe(422);
  expect((await ask('POST', '/api/v1/notices/none/test')).status).toBe(404);
  // The form of the page answers what the API does.
  const notSent = { status: 502, value: { detail: expect.stringMatching(/^not sent: .*ECONNREFUSED/) } };
  expect(await ask('POST', '/api/v1/notices/gone/test')).toMatchObject(notSent);
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  expect(await ask('POST', '/notices/lost/test', form)).toMatchObject(notSent);
  expect(said).toContain('by anna from 127.0.0.1: there is no target of notices called');
});

test('a change of the live set says who had it made, and why', async () => {
  await start();
  const [first = ''] = await live();
  const other = first === ONE ? TWO : ONE;
  // At once after the start: the record of an edge that was asked needs not be on disk yet.
  const set = await put(first, '*', { mode: 'unavailable', comment: 'new disk' });
  expect(set).toMatchObject({ status: 200, value: { live: [other] } });
  const expected = {
    added: [other],
    removed: [first],
    actions: [{ action: 'mode', by: 'anna', reason: 'new disk', edge: first, mode: 'unavailable', until: null }],
  };
  const path = `/api/v1/networks/${NETWORK}`;
  expect((await ask('GET', path)).value.changes.at(-1)).toMatchObject(expected);
  // The log of rounds is written behind the answer.
  await expect.poll(async () => (await ask('GET', `${path}/changes`)).value.changes.at(-1)).toMatchObject(expected);
  const detail = await ask('GET', `${path}/edges/${first}`);
  expect(detail.value.mode_changes.at(-1)).toMatchObject({ mode: 'unavailable', by: 'anna' });
});

test('a forced update goes past a hold that is real, and says who and why', async () => {
  const all = [ONE, TWO, THREE];
  await site.write(`edges/${NETWORK}`, all.join('\n'));
  const keys = parse(await site.read('edgemanage.yaml'));
  await site.write('edgemanage.yaml', stringify({ ...keys, edge_count: 2, dnschange_maxfreq: 1 }));
  await start();
  const path = `/api/v1/networks/${NETWORK}`;
  const sorted = async (): Promise<readonly string[]> => [...(await live())].sort();
  await expect.poll(sorted).toHaveLength(2);
  const [first = '', other = ''] = await sorted();
  const third = all.find((edge) => edge !== first && edge !== other) ?? '';
  // An operator's change uses up the limit; nothing keeps it back.
  expect((await put(first, '*', { mode: 'unavailable', comment: 'new disk' })).status).toBe(200);
  expect((await put(first, '*', { mode: 'available' })).status).toBe(200);
  await expect.poll(sorted).toEqual([other, third].sort());

  failing.add(other);
  expect(await ask('POST', `${path}/edges/${other}/probe`)).toMatchObject({ status: 200 });
  await expect
    .poll(async () => (await ask('GET', `${path}/edges/${other}`)).value)
    .toMatchObject({ state: 'in', judgement: 'fail' });
  const update = (body: object) => ask('POST', `${path}/update`, {}, body);
  expect(await update({ reason: 'look' })).toMatchObject({
    status: 200,
    value: { changed: false, held: expect.stringContaining('the limit of rotations holds the set until') },
  });
  expect(await sorted()).toEqual([other, third].sort());
  // Two of a kind within a second are refused.
  await expect
    .poll(async () => (await update({ force: true, reason: 'it fails' })).value)
    .toMatchObject({ changed: true, held: null });
  expect(await sorted()).toEqual([first, third].sort());
  expect((await ask('GET', path)).value.changes.at(-1)).toMatchObject({
    added: [first],
    removed: [other],
    actions: [{ action: 'forced_update', by: 'anna', reason: 'it fails' }],
  });
});

test('a reload: its faults are answered, and new tokens are in force', async () => {
  await start();
  const form = { 'content-type': 'application/x-www-form-urlencoded', authorization: '' };
  const signedIn = await fetch(`http://${running?.http}/login`, {
    method: 'POST',
    redirect: 'manual',
    headers: form,
    body: new URLSearchParams({ token: ANNA, to: '/api/v1/status' }),
  });
  expect([signedIn.status, signedIn.headers.get('location')]).toEqual([303, '/api/v1/status']);
  const session = { authorization: '', cookie: signedIn.headers.get('set-cookie')?.split(';')[0] ?? '' };
  const byCookie = async (): Promise<number> => {
    const { authorization: _, ...headers } = session;
    return (await fetch(`http://${running?.http}/api/v1/status`, { headers })).status;
  };
  expect(await byCookie()).toBe(200);

  const text = await site.read('edgemanage.yaml');
  await site.replace('edgemanage.yaml', text.replace('edge_count: 1', 'edge_count: many'));
  expect(await ask('POST', '/api/v1/reload')).toMatchObject({
    status: 409,
    value: { faults: [expect.stringMatching(/edgemanage\.yaml:\d+:\d+.*edge_count/s)] },
  });
  const keys = parse(text);
  await site.write('new.tokens', 'carl carl-0123456789abcdef0123\n');
  await site.replace(
    'edgemanage.yaml',
    stringify({ ...keys, http: { ...keys.http, admin: { tokens: 'new.tokens' } } }),
  );
  expect((await ask('POST', '/api/v1/reload')).status).toBe(200);
  expect((await ask('GET', '/api/v1/status')).status).toBe(401);
  expect(await byCookie()).toBe(401);
  const carl = { authorization: 'Bearer carl-0123456789abcdef0123' };
  expect((await ask('GET', '/api/v1/status', carl)).status).toBe(200);
  // A file that is gone lets nobody in, and /healthz says so.
  await rm(site.path('new.tokens'));
  expect((await ask('POST', '/api/v1/reload', carl)).status).toBe(200);
  expect((await ask('GET', '/api/v1/status', carl)).status).toBe(401);
});

test('a dry run changes nothing', async () => {
  await start(true);
  expect((await put(ONE, '*', { mode: 'unavailable', comment: 'x' })).status).toBe(503);
  expect((await ask('POST', '/api/v1/reload')).status).toBe(503);
});
