import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Provider, SetKey } from '../../../src/publish/providers/provider.ts';
import { conformance, problemOf } from './conformance.ts';
import { apiProvider, powerdnsHarness, startPowerDnsApi } from './powerdns-fixture.ts';
import { SECRET } from './provider-snippets.ts';
import { axfr, seenSet, ZONE_TEXT } from './rfc2136-fixture.ts';
import { ZONE } from './rfc2136-provider.ts';

conformance('powerdns', powerdnsHarness);

describe('powerdns: what its database keeps', () => {
  const www: SetKey = { name: `www.${ZONE}`, type: 'A' };
  const far = (): AbortSignal => AbortSignal.timeout(100_000);
  let running: Awaited<ReturnType<typeof startPowerDnsApi>>;
  let one: Provider;
  const change = async (addresses: readonly string[]): Promise<void> => {
    const [was = null] = await one.read([www], far());
    await one.apply([{ ...www, was, to: { ...www, ttl: 60, addresses }, text: '' }], far());
  };
  const call = async (
    method: string,
    body?: unknown,
  ): Promise<{ readonly rrsets: readonly Record<string, unknown>[] } | null> => {
    const url = `http://127.0.0.1:${running.api}/api/v1/servers/localhost/zones/${ZONE}.`;
    const answer = await fetch(url, { method, headers: { 'x-api-key': SECRET }, body: JSON.stringify(body) ?? null });
    expect(answer.ok).toBe(true);
    return method === 'GET' ? ((await answer.json()) as { rrsets: Record<string, unknown>[] }) : null;
  };
  const serial = async (): Promise<number> => {
    const soa = (await axfr(running.server.port)).find((line) => line.split(' ')[3] === 'SOA');
    return Number(soa?.split(' ')[6]);
  };

  beforeAll(async () => {
    running = await startPowerDnsApi();
    one = apiProvider(running.api);
  });
  afterAll(async () => {
    await one?.close();
    await running?.server.stop();
  });

  test('disabled records and comments stay, and the serial grows', async () => {
    const records = [
      { content: '192.0.2.1', disabled: false },
      { content: '192.0.2.8', disabled: true },
    ];
    const comments = [{ content: 'ask Ann first', account: 'ann' }];
    const set = { name: `${www.name}.`, type: 'A', ttl: 60, changetype: 'REPLACE', records, comments };
    await call('PATCH', { rrsets: [set] });
    const before = await serial();
    await change(['192.0.2.2']);
    expect(await serial()).toBeGreaterThan(before);
    const found = (await call('GET'))?.rrsets.find(({ name, type }) => name === `${www.name}.` && type === 'A');
    expect(found?.['comments']).toMatchObject(comments);
    expect(found?.['records']).toEqual(
      expect.arrayContaining([
        { content: '192.0.2.2', disabled: false },
        { content: '192.0.2.8', disabled: true },
      ]),
    );
    expect(found?.['records']).toHaveLength(2);
    expect(await seenSet(running.server.port, www)).toEqual({ ttl: 60, addresses: ['192.0.2.2'] });
  });

  test('a restart in between', async () => {
    await change(['192.0.2.3']);
    await running.server.down();
    expect((await problemOf(one.read([www], far()))).problem).toBe('unreachable');
    await running.server.up(ZONE);
    await change(['192.0.2.4']);
    expect(await seenSet(running.server.port, www)).toEqual({ ttl: 60, addresses: ['192.0.2.4'] });
  });

  test('a zone of fifty thousand names, too large to be read whole', async () => {
    const many = Array.from({ length: 50_000 }, (_, i) => `host${i} TXT "number ${i} of many"`).join('\n');
    const file = join(running.server.folder, 'large.zone');
    writeFileSync(file, `${ZONE_TEXT}$ORIGIN ${ZONE}.\n${many}\n`);
    await running.server.util('load-zone', ZONE, file);
    expect(JSON.stringify(await call('GET')).length).toBeGreaterThan(4 * 2 ** 20);
    await change(['192.0.2.5']);
    await change(['192.0.2.6']);
    expect(await one.read([www], far())).toMatchObject([{ addresses: ['192.0.2.6'] }]);
    expect(await axfr(running.server.port)).toContain(`host49999.${ZONE}. 3600 IN TXT "number 49999 of many"`);
  });

  test.each([
    ['alias', 'an alias (CNAME)'],
    ['below.cut', `in the zone cut.${ZONE}`],
    ['below.under', 'an alias (DNAME)'],
  ])('no set can be at %s', async (label, text) => {
    const fault = await problemOf(one.read([{ name: `${label}.${ZONE}`, type: 'A' }], far()));
    expect(`${fault.problem}: ${fault.message}`).toContain(text);
    expect(fault.problem).toBe('name');
  });
});
