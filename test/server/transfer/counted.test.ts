import { expect, test } from 'vitest';
import { LiveSlots } from '../../../src/live/slots.ts';
import { TRANSPORT, type Transport } from '../../../src/server/answer/front-end.ts';
import { Stats, sumStats } from '../../../src/server/stats.ts';
import { makeAnswerer } from '../../../src/server/transport/threads/answerer.ts';
import { clientAddress } from '../../../src/system/client-address.ts';
import { encodeQuery } from '../../support/dns-query.ts';
import { PLAIN_SERVER } from '../../support/dns-responder.ts';
import { ixfrQuery, signedQuery, testKey } from '../../support/transfer-client.ts';
import { zoneUpdate } from '../../support/zone-images.ts';

const KEY = testKey('key.test');
const STRANGER = testKey('stranger.test');
const text = '@ 300 SOA ns host 7 600 60 86400 60\n@ NS ns\nns A 192.0.2.1\n';
const NETWORK = 1;

/** The network that one request counts for, over a transport. */
async function counted(query: Uint8Array, transport: Transport): Promise<string> {
  const slots = LiveSlots.create(1);
  slots.write(0, { serial: 9, v4: [Uint8Array.of(192, 0, 2, 7)], v6: [] });
  const buffer = Stats.create(1, 2);
  const stats = Stats.attach(buffer, 2, 0);
  const transfer = { keys: [KEY], allow: [], rows: [null, 'neta'] };
  const { responder, nonPlain } = makeAnswerer({ slots, stats, server: PLAIN_SERVER, transfer, catchUp: () => {} });
  responder.apply([
    zoneUpdate({ origin: 'static.test', text }, 0, 0),
    zoneUpdate({ origin: 'live.test', text, live: ['live.test'], slot: 0 }, 1, NETWORK),
  ]);
  const client = { transport, address: clientAddress('127.0.0.7'), port: 5353 };
  const out = new Uint8Array(65_535);
  if (responder.respond(query, query.length, out, client) < 0) {
    if (transport < TRANSPORT.tcp) nonPlain.packet(query, query.length, out.subarray(0, 4096), client);
    else await nonPlain.stream(query, client, () => Promise.resolve(true));
  }
  const { networks, noZone } = sumStats(buffer, 2);
  const counts = { static: networks[0], neta: networks[NETWORK], none: noZone };
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}

const axfr = (name: string): Uint8Array => encodeQuery({ name, type: 'AXFR' });
const notify = encodeQuery({ name: 'static.test', type: 'SOA', flags: 0x2400 });
const { tcp, udp4 } = TRANSPORT;
test.each([
  ['AXFR of a zone that is not served', axfr('other.test'), tcp, 'none 1'],
  ['AXFR of a name in a zone', axfr('ns.static.test'), tcp, 'none 1'],
  ['AXFR of a static zone', axfr('static.test'), tcp, 'static 1'],
  ['AXFR of a zone of a network', axfr('live.test'), tcp, 'neta 1'],
  ['IXFR of a zone that is not served, over TCP', ixfrQuery('other.test', 5), tcp, 'none 1'],
  ['IXFR of a zone that is not served, over UDP', ixfrQuery('other.test', 5), udp4, 'none 1'],
  ['IXFR of a zone of a network, over UDP', ixfrQuery('live.test', 5), udp4, 'neta 1'],
  ['a bad signature, zone not served', signedQuery(axfr('other.test'), STRANGER).octets, tcp, 'none 1'],
  ['a bad signature, static zone', signedQuery(axfr('static.test'), STRANGER).octets, tcp, 'static 1'],
  ['a bad signature, zone of a network', signedQuery(ixfrQuery('live.test', 5), STRANGER).octets, udp4, 'neta 1'],
  [
    'a bad signature, name in a zone',
    signedQuery(encodeQuery({ name: 'ns.live.test' }), STRANGER).octets,
    tcp,
    'neta 1',
  ],
  ['a bad signature, no zone', signedQuery(encodeQuery({ name: 'www.other.test' }), STRANGER).octets, tcp, 'none 1'],
  ['a good signature, no zone', signedQuery(encodeQuery({ name: 'www.other.test' }), KEY).octets, tcp, 'none 1'],
  ['a bad signature on NOTIFY, which is no query', signedQuery(notify, STRANGER).octets, tcp, ''],
])('%s', async (_, query, transport, expected) => {
  expect(await counted(query, transport)).toBe(expected);
});
