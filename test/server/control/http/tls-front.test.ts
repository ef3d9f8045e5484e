import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Agent, request as ask, type RequestOptions } from 'node:https';
import { connect as connectTcp, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { tokenDigest } from '../../../../src/config/token-file.ts';
import { AccessControl } from '../../../../src/server/control/http/access.ts';
import { type HttpServer, startHttp } from '../../../../src/server/control/http/http-server.ts';
import { json, operation } from '../../../../src/server/control/http/operation.ts';
import { Refusals } from '../../../../src/server/control/http/refusals.ts';
import { TlsFront } from '../../../../src/server/control/http/tls-front.ts';
import { loginOperations } from '../../../../src/server/control/page/login.ts';
import { throwingGuard } from '../../../support/guard.ts';
import { type CertificateKinds, makeCertificates } from '../../../support/mock-edge-certificates.ts';
import { statusView } from '../api/api-fixture.ts';

/** Name of the certificates. */
const NAME = 'ew.test';
let certificates: CertificateKinds;
let others: CertificateKinds;
beforeAll(() => {
  certificates = makeCertificates(NAME);
  others = makeCertificates(NAME);
});

const open: { destroy(): unknown }[] = [];
const running: HttpServer[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) each.destroy();
  for (const http of running.splice(0)) await http.close(0);
});

const answers = { 200: { description: 'ok' } };
const OPERATIONS = [
  operation({
    method: 'GET',
    path: '/who',
    summary: 'Who',
    tag: null,
    access: 'read',
    isPersonal: true,
    answers,
    handle: (_, { author, right, request }) => json(200, { author, right, isTls: request.isTls }),
  }),
  operation({
    method: 'POST',
    path: '/do',
    summary: 'Do',
    tag: null,
    access: 'write',
    answers,
    handle: (_, { author }) => json(200, { author }),
  }),
];

async function start(connections?: number) {
  const { cert, key } = certificates.good;
  const refusals = new Refusals();
  const files = { certificate: cert, key, clients: certificates.ca };
  const tls = new TlsFront(files, refusals, throwingGuard());
  const access = new AccessControl({
    rules: {
      admins: [{ name: 'anna', digest: tokenDigest('anna-0123456789abcdef') }],
      readers: null,
      hasClients: true,
    },
    refusals,
    log: () => undefined,
  });
  const started = await startHttp({
    guard: throwingGuard(),
    endpoint: { address: '127.0.0.1', port: 0 },
    hosts: [NAME],
    view: statusView(),
    operations: [...OPERATIONS, ...loginOperations(access)],
    access,
    refusals,
    tls,
    ...(connections === undefined ? {} : { connections }),
    log: () => undefined,
  });
  if (!started.ok) throw new Error(started.fault.message);
  running.push(started.http);
  return { http: started.http, port: started.http.endpoint.port, tls, files, refusals };
}

async function get(port: number, path: string, options: RequestOptions = {}, body = '') {
  const sent = ask({ host: '127.0.0.1', port, path, ca: certificates.ca, servername: NAME, ...options });
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

/** All that comes until the connection ends. */
async function ended(socket: Socket): Promise<string> {
  let received = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    received += chunk;
  });
  socket.on('error', () => undefined);
  await once(socket, 'close');
  return received;
}

test('requests over TLS are answered and seen as such, and a form starts a session that is secure', async () => {
  const { port } = await start();
  const agent = new Agent({ keepAlive: true });
  open.push(agent);
  const { body } = await get(port, '/who', { agent });
  expect(JSON.parse(body)).toEqual({ author: null, right: 'read', isTls: true });
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const sent = 'token=anna-0123456789abcdef&to=%2Fwho';
  const signedIn = await get(port, '/login', { agent, method: 'POST', headers: form }, sent);
  expect(signedIn).toMatchObject({ status: 303, headers: { location: '/who' } });
  const [cookie = ''] = signedIn.headers['set-cookie'] ?? [];
  expect(cookie).toMatch(new RegExp(`^__Host-edgewise-${port}=.*; Secure$`));
  const headers = { cookie: cookie.split(';')[0] };
  expect(JSON.parse((await get(port, '/who', { agent, headers })).body)).toMatchObject({ author: 'anna' });
  expect((await get(port, '/do', { agent, method: 'POST', headers })).status).toBe(403);
  const same = { ...headers, origin: `https://127.0.0.1:${port}` };
  expect((await get(port, '/do', { agent, method: 'POST', headers: same })).status).toBe(200);
});

test('a certificate of our clients names an author, that of others nobody, and readers need none', async () => {
  const { port, tls, http, files, refusals } = await start();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  open.push(agent);
  const ours = { ...certificates.good, agent };
  expect((await get(port, '/do', { ...ours, method: 'POST' })).body).toContain(`{"author":"${NAME}"}`);
  for (const wrong of [others.good, certificates.expired, certificates.selfSigned]) {
    expect((await get(port, '/do', { ...wrong, agent: false, method: 'POST' })).status).toBe(401);
    expect((await get(port, '/who', { ...wrong, agent: false })).status).toBe(200);
  }
  expect(refusals.all.get('certificate')).toBe(6);
  // Those who vouched for it are others now: not even the connection that is open is believed.
  tls.configure({ ...files, clients: others.ca });
  const after = await get(port, '/do', { ...ours, method: 'POST' });
  expect(after.status).toBe(401);
  http.accessChanged();
  expect((await get(port, '/do', { ...others.good, agent: false, method: 'POST' })).status).toBe(200);
});

test('a renewed certificate is in force for the next connection; the ones that are open go on', async () => {
  const { port, tls, files } = await start();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  open.push(agent);
  await get(port, '/who', { agent });
  tls.configure({ ...files, certificate: others.good.cert, key: others.good.key });
  expect((await get(port, '/who', { agent })).status).toBe(200);
  expect((await get(port, '/who', { agent: false, ca: others.ca })).status).toBe(200);
  await expect(get(port, '/who', { agent: false })).rejects.toThrow(/certificate/);
  expect(() => tls.configure({ ...files, key: 'no key' })).toThrow();
  expect((await get(port, '/who', { agent: false, ca: others.ca })).status).toBe(200);
});

test.each([
  ['plain HTTP', 'GET /who HTTP/1.1\r\nhost: ew.test\r\n\r\n', /^HTTP\/1\.1 400 Bad Request\r\n.*speaks TLS/s],
  ['nothing of anything', '\0\0\0\0', /^HTTP\/1\.1 400/],
  ['a record of a handshake that is none', '\x16\x03\x01\x00\x05hello', /^(?!HTTP)/],
  ['a record of another version', '\x16\x09\x09\x00\x05hello', /^(?!HTTP)/],
  ['the end at once', '', /^$/],
])('%s is answered plainly or ended, and others are served', async (_, octets, expected) => {
  const { port, refusals } = await start();
  const socket = connectTcp({ host: '127.0.0.1', port, allowHalfOpen: false });
  open.push(socket);
  const all = ended(socket);
  if (octets === '') socket.end();
  else socket.write(octets, 'latin1');
  expect(await all).toMatch(expected);
  expect((await get(port, '/who')).status).toBe(200);
  if (octets !== '') expect(refusals.all.get('malformed')).toBe(1);
});

test('TLS 1.1 is refused', async () => {
  const { port } = await start();
  const options = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' } as const;
  await expect(get(port, '/who', { ...options, agent: false })).rejects.toThrow();
});

test('handshakes that never end, and connections that send nothing, make room for others', async () => {
  const { port } = await start(20);
  const half = Buffer.from('160301020001', 'hex');
  for (let i = 0; i < 100; i++) {
    const socket = connectTcp({ host: '127.0.0.1', port, localAddress: `127.0.0.${2 + (i % 20)}` });
    open.push(socket);
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    if (i % 2 === 0) socket.write(half);
    else if (i % 3 === 0) {
      const secured: TLSSocket = connectTls({ socket, rejectUnauthorized: false });
      secured.on('error', () => undefined);
    }
  }
  expect((await get(port, '/who')).status).toBe(200);
});
