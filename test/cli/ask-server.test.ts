import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { type ApiServer, askServer, type ServerFlags, serverAt, unansweredText } from '../../src/cli/ask-server.ts';
import { type CertificateKinds, makeCertificates } from '../support/mock-edge-certificates.ts';

const TOKEN = 'a-token-of-some-length';

let folder: string;
let certificates: CertificateKinds;
const servers: Server[] = [];
const errors: string[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgewise-ask-'));
  certificates = makeCertificates('ns1.test');
  writeFileSync(join(folder, 'ca.pem'), certificates.ca);
  writeFileSync(join(folder, 'token'), `${TOKEN}\n`, { mode: 0o600 });
  writeFileSync(join(folder, 'named-token'), `ann ${TOKEN}\n`, { mode: 0o600 });
  writeFileSync(join(folder, 'two'), 'ann one\nben two\n', { mode: 0o600 });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  errors.length = 0;
});
afterAll(() => {
  for (const server of servers) server.close().closeAllConnections();
  rmSync(folder, { recursive: true });
});

async function listening(server: Server): Promise<number> {
  servers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

function start(listener: RequestListener): Promise<number> {
  return listening(createServer(listener));
}

/** Answers with the request's path and authorization. */
const echo: RequestListener = ({ url, headers: { authorization } }, response) => {
  response.end(JSON.stringify({ url, authorization }));
};

function at(base: string, flags: ServerFlags = {}): ApiServer | null {
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => errors.push(String(text)) > 0);
  return serverAt(base, flags);
}

async function asked(base: string, flags: ServerFlags = {}): Promise<unknown> {
  const server = at(base, flags);
  if (server === null) return errors.join('');
  try {
    return await askServer(server, 'status');
  } catch (error) {
    return unansweredText(server, error);
  } finally {
    server.agent.destroy();
  }
}

describe('a token', () => {
  test.each<[string, string | null, { readonly [name: string]: string }]>([
    ['from a file', 'token', {}],
    ["from a line of the server's file", 'named-token', {}],
    ['from the environment', null, { EDGEWISE_TOKEN: TOKEN }],
    ['the file before the environment', 'token', { EDGEWISE_TOKEN: 'another' }],
  ])('%s is sent as a bearer token', async (_, file, env) => {
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    const base = `http://127.0.0.1:${await start(echo)}`;
    const flags = file === null ? {} : { tokenFile: join(folder, file) };
    expect(await asked(base, flags)).toEqual({ url: '/api/v1/status', authorization: `Bearer ${TOKEN}` });
  });

  test('none is sent where there is none, and a path before the API and a slash at the end are taken', async () => {
    expect(await asked(`http://127.0.0.1:${await start(echo)}/edgewise/`)).toEqual({ url: '/edgewise/api/v1/status' });
  });

  test.each([
    ['a file that is missing', 'nothing-here', 'nothing-here'],
    ['a file with several', 'two', 'is not one line of text'],
  ])('%s is a sentence, and nothing is asked', (_, file, words) => {
    expect(at('http://127.0.0.1:1', { tokenFile: join(folder, file) })).toBeNull();
    expect(errors.join('')).toMatch(/^error: .*\n$/);
    expect(errors.join('')).toContain(words);
  });

  test('one that would break the header is refused, and never shown', () => {
    vi.stubEnv('EDGEWISE_TOKEN', 'a\r\nX-Evil: 1');
    expect(at('http://127.0.0.1:1')).toBeNull();
    expect(errors).toEqual(['error: EDGEWISE_TOKEN: holds no token\n']);
  });

  test.each([
    ['http://192.0.2.1:8053', true],
    ['http://ns1.test', true],
    ['http://127.0.0.1.evil.test', true],
    ['https://ns1.test', false],
    ['http://127.9.9.9:8053', false],
    ['http://[::1]:8053', false],
    ['http://localhost', false],
  ])('to %s is refused as readable on the way: %s', (base, isRefused) => {
    expect(at(base, { tokenFile: join(folder, 'token') }) === null).toBe(isRefused);
    expect(errors.join('').includes('readable on the way')).toBe(isRefused);
  });
});

describe('answers', () => {
  test.each<[string, RequestListener, string]>([
    [
      'a token is wanted',
      (_, response) => response.writeHead(401).end('{}'),
      'refuses status: 401, it wants a token: --token-file, or EDGEWISE_TOKEN',
    ],
    [
      'a problem with a detail',
      (_, response) => response.writeHead(403).end('{"title":"no","detail":"not for you"}'),
      'refuses status: 403, not for you',
    ],
    ['no JSON', (_, response) => response.end('<html>'), 'does not answer: its answer is no JSON'],
    ['a connection that ends', ({ socket }) => socket.destroy(), 'does not answer: ECONNRESET'],
    [
      'another host, which is not followed',
      (_, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
      'refuses status: 302',
    ],
  ])('%s', async (_, listener, words) => {
    const base = `http://127.0.0.1:${await start(listener)}`;
    expect(await asked(base)).toBe(`${base} ${words}`);
  });

  test('nobody listens, or it is no address', async () => {
    expect(await asked('http://127.0.0.1:1')).toBe('http://127.0.0.1:1 does not answer: ECONNREFUSED');
    expect(await asked('127.0.0.1:8053')).toContain('is no address of a server');
    expect(await asked('ftp://127.0.0.1')).toContain('is no address of a server');
  });
});

describe('https', () => {
  test.each<[string, () => ServerFlags, RegExp | object]>([
    [
      'with the authority and its name',
      () => ({ ca: join(folder, 'ca.pem'), tlsName: 'ns1.test' }),
      { url: '/api/v1/status' },
    ],
    ['under another name', () => ({ ca: join(folder, 'ca.pem') }), /does not answer: ERR_TLS_CERT_ALTNAME_INVALID$/],
    [
      'of an unknown authority',
      () => ({ tlsName: 'ns1.test' }),
      /does not answer: [A-Z_]*(CERT|ISSUER|SIGNATURE)[A-Z_]*$/,
    ],
    ['with a file that is missing', () => ({ ca: join(folder, 'none.pem') }), /^error: .*none\.pem/],
  ])('%s', async (_, flags, answer) => {
    const { key, cert } = certificates.good;
    const port = await listening(createTlsServer({ key, cert }, echo));
    const got = await asked(`https://127.0.0.1:${port}`, flags());
    if (answer instanceof RegExp) expect(got).toMatch(answer);
    else expect(got).toEqual(answer);
  });
});
