import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LiveVersion } from '../../../src/zones/image/live-version.ts';
import { decodeMessage, type Row } from '../../support/dns-message.ts';
import { encodeQuery } from '../../support/dns-query.ts';
import { address4 } from '../../support/dns-responder.ts';
import { DnsServer, TcpClient } from '../../support/dns-server.ts';
import type { ZoneSpec } from '../../support/zone-images.ts';

const SLOT = 1;
/** More octets than the sockets of both sides hold, so that the transfer waits for its reader again and again. */
const RECORDS = 45_000;
const FILL = 'x'.repeat(200);

const zone = (serial: number): ZoneSpec => ({
  origin: 'live.test',
  text: `@ 300 SOA ns1 host 1 7200 900 1209600 300\n@ 300 NS ns1\nns1 300 A 192.0.2.53\n${Array.from(
    { length: RECORDS },
    (_, i) => `n${i} 300 TXT "${serial}" "${FILL}"`,
  ).join('\n')}\n`,
  live: ['live.test', 'www.live.test'],
  liveTtl: 60,
  slot: SLOT,
  serial,
});
/** The live set of this serial, which its addresses tell. */
const set = (serial: number): LiveVersion => ({
  serial,
  v4: [1, 2].map((last) => address4(`10.${serial >> 8}.${serial & 255}.${last}`)),
  v6: [],
});

let server: DnsServer;
beforeAll(async () => {
  const anybody = { from: null, key: null, tls: false, networks: null, zones: null };
  server = await DnsServer.start([zone(100)], {}, { keys: [], allow: [anybody], rows: [] });
  server.slots.write(SLOT, set(200));
});
afterAll(async () => server?.stop());

test('a transfer is one version from first to last, whatever happens to the zone while its reader is slow', async () => {
  const client = await TcpClient.open(server.endpoint);
  const rows = new Map<number, Row[]>();
  const take = async (): Promise<void> => {
    const message = decodeMessage((await client.next()) ?? new Uint8Array());
    const list = rows.get(message.id) ?? [];
    rows.set(message.id, list);
    for (const row of message.answer) list.push(row);
  };
  const isWhole = (id: number): boolean => (rows.get(id) ?? []).filter(({ type }) => type === 'SOA').length === 2;
  let serial = 200;
  /** Serials of contents, which the live set before them has as well. */
  const contents = new Set<number>();
  const ask = (id: number): void => client.send(encodeQuery({ name: 'live.test', type: 'AXFR', id }));
  ask(1);
  await take();
  for (let id = 2; id <= 4; id++) {
    // Flips between messages, and another content, before the next one begins on the same connection.
    for (let i = 0; i < 20; i++) {
      server.slots.write(SLOT, set(++serial));
      await take();
    }
    contents.add(++serial);
    await server.serve([zone(serial)]);
    server.slots.write(SLOT, set(++serial));
    ask(id);
  }
  while (![1, 2, 3, 4].every(isWhole)) {
    server.slots.write(SLOT, set(++serial));
    await take();
  }
  client.close();

  const serials = [1, 2, 3, 4].map((id) => {
    const list = rows.get(id) ?? [];
    expect(list.at(-1)).toEqual(list[0]);
    const own = Number(list[0].text.split(' ')[2]);
    // A transfer may begin just between a content and the next flip.
    const live = set(contents.has(own) ? own - 1 : own).v4.map((octets) => octets.join('.'));
    expect(list.filter(({ type, owner }) => type === 'A' && !owner.startsWith('ns1')).map(({ text }) => text)).toEqual([
      ...live,
      ...live,
    ]);
    const texts = new Set(list.filter(({ type }) => type === 'TXT').map(({ text }) => text));
    expect(texts.size).toBe(1);
    expect(list).toHaveLength(2 + 1 + 1 + 4 + RECORDS);
    return own;
  });
  expect(serials).toEqual([...serials].sort((a, b) => a - b));
  expect(serials[0]).toBe(200);
  expect(serials[3]).toBeGreaterThan(200);
});
