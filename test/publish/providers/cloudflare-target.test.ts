import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TargetFiles } from '../../../src/publish/providers/target-file.ts';
import { type PreparedTargets, prepareTargets } from '../../../src/publish/providers/targets.ts';
import { Guard } from '../../../src/system/guard.ts';
import { BASE, parse } from '../../config/config-fixture.ts';
import { MockCloudflare, type MockZone } from '../../support/mock-cloudflare.ts';
import { snippet } from './provider-snippets.ts';

const TOKEN = 'secret-token-of-forty-characters-or-more-0';

let folder: string;
let mock: MockCloudflare;
let zone: MockZone;
let live: readonly string[];
const said: string[] = [];
const opened: TargetFiles[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edgewise-cloudflare-'));
  writeFileSync(join(folder, 'cloudflare.token'), `${TOKEN}\n`, { mode: 0o600 });
  mock = await MockCloudflare.start();
  mock.tokens.set(TOKEN, { mayEdit: true, mayReadZone: true, zones: null });
  zone = mock.addZone('example.test');
  live = ['192.0.2.1', '192.0.2.2'];
  said.splice(0);
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((files) => files.close()));
  await mock.stop();
  rmSync(folder, { recursive: true });
});

/** The targets of docs/providers.md's own example, with more keys. */
function prepared(keys = '', env: { readonly [name: string]: string } = {}): PreparedTargets {
  const text = `${BASE}${snippet('yaml cloudflare')}${keys}`;
  const { config, faults } = parse(text, {}, join(folder, 'e.yaml'));
  if (config === null) throw new Error(JSON.stringify(faults));
  const files = new TargetFiles({ ...config, stateDir: folder }, (sentence) => said.push(sentence));
  opened.push(files);
  return prepareTargets(config, [], {
    live: () => ({ v4: live, v6: [], unanswered: null }),
    files,
    env: { EDGEWISE_CLOUDFLARE_API: mock.api, ...env },
    guard: new Guard({ report: (_, why) => said.push(why), now: () => 0 }),
    log: (level, _, why) => said.push(`${level} ${why}`),
    now: () => 0,
  });
}

function addresses(name: string): readonly string[] {
  return zone.records
    .filter((one) => one.name === name)
    .map(({ content }) => content)
    .sort();
}

/** What reconciling the one target comes to. */
async function reconcile(made: PreparedTargets): Promise<readonly string[]> {
  if (!made.ok) throw new Error(JSON.stringify(made.faults));
  const [kept] = made.targets;
  const faults = (await kept?.target.reconcile()) ?? [];
  await kept?.target.close();
  return faults.map(({ code, message }) => `${code} ${message}`);
}

test('an edge dies and returns: the records follow, by the example of the documentation', async () => {
  expect(await reconcile(prepared())).toEqual([]);
  expect([addresses('example.test'), addresses('cloud.example.test')]).toEqual([live, live]);
  live = ['192.0.2.2'];
  expect(await reconcile(prepared())).toEqual([]);
  expect(addresses('cloud.example.test')).toEqual(['192.0.2.2']);
  live = ['192.0.2.1', '192.0.2.2'];
  expect(await reconcile(prepared())).toEqual([]);
  expect(addresses('cloud.example.test')).toEqual(live);
  expect(said).toContain('info cloudflare example.test: cloud.example.test A: adds 192.0.2.1');
});

test('every key has its effect', async () => {
  const other = mock.addZone('example.test');
  const keys = `    proxied: yes\n    zone_id: ${other.id}\n    api: ${mock.api}\n`;
  expect(await reconcile(prepared(keys, { EDGEWISE_CLOUDFLARE_API: 'http://127.0.0.1:9' }))).toEqual([]);
  expect(other.records.map(({ proxied, ttl }) => [proxied, ttl])).toEqual(Array(4).fill([true, 1]));
  expect(zone.records).toEqual([]);
});

test('a TTL', async () => {
  expect(await reconcile(prepared('    ttl: 300\n'))).toEqual([]);
  expect(zone.records.map(({ ttl }) => ttl)).toEqual([300, 300, 300, 300]);
});

test('a file that is not there is an error, and nothing is asked', () => {
  rmSync(join(folder, 'cloudflare.token'));
  const made = prepared();
  expect(made).toMatchObject({ ok: false, faults: [{ message: `${folder}/cloudflare.token: no such file` }] });
  expect(mock.requests).toEqual([]);
});

test('a wrong token is one sentence with what to do, and without the token', async () => {
  mock.tokens.clear();
  const [fault = ''] = await reconcile(prepared());
  expect(fault).toMatch(/^provider-credentials .*refuses the API token.*Invalid access token \(9109\)/);
  expect(`${fault} ${said.join()}`).not.toContain(TOKEN);
});
