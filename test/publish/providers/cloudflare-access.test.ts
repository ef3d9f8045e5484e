import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type CloudflareKeys,
  environmentAuth,
  madeCloudflare,
} from '../../../src/publish/providers/cloudflare-access.ts';
import { MockCloudflare } from '../../support/mock-cloudflare.ts';

const TOKEN = 'secret-token-of-forty-characters-or-more-0';
const KEY = { name: 'www.example.test', type: 'A' } as const;

let folder: string;
let mock: MockCloudflare;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edgewise-cloudflare-'));
  mock = await MockCloudflare.start();
  mock.tokens.set(TOKEN, { mayEdit: true, mayReadZone: true, zones: null });
  mock.keys.set('ops@example.test', 'global-key');
  mock.addZone('example.test');
});

afterAll(async () => {
  await mock.stop();
  rmSync(folder, { recursive: true });
});

function keys(more: Partial<CloudflareKeys> = {}): CloudflareKeys {
  const plain = { zone: 'example.test', ttl: 60, proxied: null, token_file: null, zone_id: null, api: null };
  return { name: 'cloudflare example.test', ...plain, ...more };
}

/** Whether the API takes what the keys and the environment say. */
async function works(given: CloudflareKeys, env: { readonly [name: string]: string }): Promise<boolean> {
  const { provider, faults } = madeCloudflare(given, env);
  expect(faults).toEqual([]);
  const held = await provider?.read([KEY], new AbortController().signal);
  await provider?.close();
  return held?.length === 0;
}

function file(text: string, mode = 0o600): string {
  const path = join(folder, `${Math.random()}`);
  writeFileSync(path, text, { mode });
  chmodSync(path, mode);
  return path;
}

test.each<[string, { readonly [name: string]: string }]>([
  ['CLOUDFLARE_API_TOKEN', { CLOUDFLARE_API_TOKEN: TOKEN }],
  ['CF_API_TOKEN', { CF_API_TOKEN: `${TOKEN}\n` }],
  ["goavail's key and e-mail address", { CF_API_KEY: 'global-key', CF_API_EMAIL: 'ops@example.test' }],
  ['a token before a key', { CF_API_KEY: 'wrong', CF_API_EMAIL: 'ops@example.test', CF_API_TOKEN: TOKEN }],
])('from the environment: %s', async (_, env) => {
  expect(await works(keys(), { ...env, EDGEWISE_CLOUDFLARE_API: mock.api })).toBe(true);
});

test('from a file, which comes before the environment; its address before that of the environment', async () => {
  const given = keys({ token_file: file(`${TOKEN}\n`), api: mock.api });
  expect(await works(given, { CF_API_TOKEN: 'wrong', EDGEWISE_CLOUDFLARE_API: 'http://127.0.0.1:9' })).toBe(true);
});

test('a file that everybody can read is a warning', async () => {
  const { provider, faults, secrets } = madeCloudflare(keys({ token_file: file(TOKEN, 0o644) }), {});
  expect(faults).toMatchObject([{ severity: 'warning', message: expect.stringContaining('chmod o-r') }]);
  expect(secrets.map((secret) => secret.reveal())).toEqual([TOKEN]);
  await provider?.close();
});

test.each<[string, Partial<CloudflareKeys>, { readonly [name: string]: string }, string]>([
  ['nothing is set', {}, {}, 'no API token: name its file in token_file, or set CLOUDFLARE_API_TOKEN'],
  ['a key without e-mail address', {}, { CF_API_KEY: 'verysecret' }, 'or CF_API_KEY and CF_API_EMAIL'],
  ['a missing file', { token_file: '/nonexistent/token' }, { CF_API_TOKEN: TOKEN }, '/nonexistent/token: no such file'],
  [
    'an API nowhere',
    {},
    { CF_API_TOKEN: TOKEN, EDGEWISE_CLOUDFLARE_API: 'verysecret' },
    'EDGEWISE_CLOUDFLARE_API: expected',
  ],
])('%s is an error with what to do', (_, more, env, text) => {
  const { provider, faults } = madeCloudflare(keys(more), env);
  expect([provider, faults]).toMatchObject([null, [{ severity: 'error', message: expect.stringContaining(text) }]]);
  expect(JSON.stringify(faults)).not.toContain('verysecret');
});

test('half of a key is none', () => {
  expect(environmentAuth({ CF_API_EMAIL: 'ops@example.test' })).toBeNull();
  expect(environmentAuth({ CF_API_KEY: ' ', CF_API_EMAIL: 'ops@example.test' })).toBeNull();
});
