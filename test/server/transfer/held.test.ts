import { afterAll, beforeAll, expect, test } from 'vitest';
import { address4 } from '../../support/dns-responder.ts';
import { DnsServer } from '../../support/dns-server.ts';
import type { ZoneSpec } from '../../support/zone-images.ts';

const SLOT = 1;
const zone = (isHeld: boolean): ZoneSpec => ({
  origin: 'live.test',
  text: '@ 300 SOA ns1 host 1 7200 900 1209600 300\n@ 300 NS ns1\nns1 300 A 192.0.2.53\n',
  live: ['live.test'],
  liveTtl: 60,
  slot: SLOT,
  serial: 100,
  isHeld,
});

let server: DnsServer;
beforeAll(async () => {
  const anybody = { from: null, key: null, tls: false, networks: null, zones: null };
  server = await DnsServer.start([zone(true)], {}, { keys: [], allow: [anybody], rows: [] });
  server.slots.write(SLOT, { serial: 200, v4: [address4('127.0.0.1')], v6: [] });
});
afterAll(async () => server?.stop());

test('a zone whose version is not in force is answered and not transferred, until it is', async () => {
  const ask = async (type: 'AXFR' | 'SOA' | 'A'): Promise<readonly [string | number, number]> => {
    const { rcode, answer } = await server.ask({ name: 'live.test', type }, 'tcp');
    return [rcode, answer.length];
  };
  const [refused] = await ask('AXFR');
  expect([await ask('A'), await ask('SOA')].map(([, records]) => records)).toEqual([1, 1]);
  await server.serve([zone(false)]);
  const [rcode, records] = await ask('AXFR');
  expect(refused).not.toBe(rcode);
  expect(records).toBeGreaterThan(3);
});
