import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type CloudflareStep, cloudflareStep, goavailCloudflare, keysOf } from '../../../src/app/goavail/cloudflare.ts';
import type { AddressStep } from '../../../src/app/goavail/own-addresses.ts';
import { MockCloudflare, type MockZone } from '../../support/mock-cloudflare.ts';

const NAME = 'www.example.test';
const ENV = { CF_API_KEY: 'global-key', CF_API_EMAIL: 'ops@example.test' };

let mock: MockCloudflare;
let zone: MockZone;

beforeEach(async () => {
  mock = await MockCloudflare.start();
  mock.keys.set(ENV.CF_API_EMAIL, ENV.CF_API_KEY);
  zone = mock.addZone('example.test');
});

afterEach(() => mock.stop());

/** Reads a name and carries a step out. */
async function carryOut(
  action: AddressStep['action'],
  address: string,
  proxied = false,
): Promise<CloudflareStep['kind']> {
  const table = { kind: 'cloudflare', domain: 'example.test', names: [NAME], addresses: [address], proxied } as const;
  const provider = goavailCloudflare(table, mock.api, ENV);
  if (provider === null) throw new Error('no provider');
  const { signal } = new AbortController();
  const step = cloudflareStep(NAME, { action, address }, await provider.read(keysOf(NAME), signal));
  if (step.kind === 'change') await provider.apply([step.correction], signal);
  await provider.close();
  return step.kind;
}

function add(content: string, more: { ttl?: number; proxied?: boolean } = {}): void {
  mock.addRecord(zone, { name: NAME, type: content.includes(':') ? 'AAAA' : 'A', content, ...more });
}

function contents(): readonly string[] {
  return zone.records.map(({ content }) => content);
}

describe('adding', () => {
  test.each([true, false])('makes one record with the default TTL, proxied as configured (%s)', async (proxied) => {
    add('192.0.2.1', { ttl: 300 });
    add('192.0.2.2', { proxied: true });
    const before = zone.records;
    expect(await carryOut('add', '192.0.2.3', proxied)).toBe('change');
    expect(zone.records.slice(0, 2)).toEqual(before);
    expect(zone.records[2]).toMatchObject({ name: NAME, type: 'A', content: '192.0.2.3', ttl: 1, proxied });
  });

  test('what is there already is done', async () => {
    add('192.0.2.3', { proxied: true, ttl: 1 });
    expect(await carryOut('add', '192.0.2.3')).toBe('none');
    expect(mock.requests.every(({ method }) => method === 'GET')).toBe(true);
  });

  test('IPv6, however it is written', async () => {
    expect(await carryOut('add', '2001:DB8::0:1')).toBe('change');
    expect(zone.records).toMatchObject([{ type: 'AAAA', content: '2001:db8::1' }]);
    expect(await carryOut('add', '2001:db8:0::1')).toBe('none');
  });
});

describe('removing', () => {
  test('takes the one record out, and touches no other', async () => {
    add('192.0.2.1', { ttl: 300 });
    add('192.0.2.2', { ttl: 60 });
    add('198.51.100.1', { proxied: true });
    const [first, , foreign] = zone.records;
    expect(await carryOut('remove', '192.0.2.2')).toBe('change');
    expect(zone.records).toEqual([first, foreign]);
  });

  test('what is not there is done', async () => {
    add('192.0.2.1');
    expect(await carryOut('remove', '192.0.2.2')).toBe('none');
    expect(contents()).toEqual(['192.0.2.1']);
  });

  test('the last address of a name stays', async () => {
    add('192.0.2.1');
    expect(await carryOut('remove', '192.0.2.1')).toBe('last');
    expect(contents()).toEqual(['192.0.2.1']);
  });

  test('the last of a family goes where the other family has one', async () => {
    add('192.0.2.1');
    add('2001:db8::1');
    expect(await carryOut('remove', '192.0.2.1')).toBe('change');
    expect(contents()).toEqual(['2001:db8::1']);
    expect(await carryOut('remove', '2001:db8:0::1')).toBe('last');
  });
});

test('without credentials there is nobody to ask', () => {
  const table = { kind: 'cloudflare', domain: 'example.test', names: [NAME], addresses: [], proxied: false } as const;
  expect(goavailCloudflare(table, mock.api, { CF_API_KEY: 'k' })).toBeNull();
});
