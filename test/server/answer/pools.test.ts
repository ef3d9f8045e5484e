import { expect, test } from 'vitest';
import { Query } from '../../../src/dns/decode.ts';
import { TYPE } from '../../../src/dns/message.ts';
import { ParsedName } from '../../../src/dns/parsed-name.ts';
import { LiveSlots } from '../../../src/live/slots.ts';
import { ZoneAnswer } from '../../../src/server/answer/zone-answer.ts';
import { type ServedZone, ZoneTable } from '../../../src/server/answer/zone-table.ts';
import { RRSET } from '../../../src/zones/image/layout.ts';
import { findSet, Lookup } from '../../../src/zones/image/lookup.ts';
import { decodeMessage } from '../../support/dns-message.ts';
import { encodeQuery, wireName } from '../../support/dns-query.ts';
import { address4 } from '../../support/dns-responder.ts';
import { zoneUpdate } from '../../support/zone-images.ts';

// One pool a zone is all that is compiled today. What answers goes by the pool's number in the image already.
const TEXT = '@ 300 SOA ns host 5 6 7 8 9\n@ 300 NS ns\nns 300 A 192.0.2.1\n@ 300 MX 10 www\n';
const slots = LiveSlots.create(4);
const table = new ZoneTable();
table.apply([
  zoneUpdate({ origin: 'live.test', text: TEXT, live: ['live.test', 'www.live.test'], slot: 1, serial: 5 }, 0),
]);
const zoneAnswer = new ZoneAnswer(slots, table);
const one = table.byNumber(0);
if (one?.image == null) throw new Error('not served');
const { image } = one;

/** Makes the live RRsets of a name answer with this pool. */
function bind(name: string, pool: number): void {
  const parsed = new ParsedName();
  const wire = wireName(name);
  parsed.read(wire, 0, wire.length);
  const lookup = new Lookup();
  lookup.find(image, parsed, TYPE.a);
  for (const type of [TYPE.a, TYPE.aaaa]) image.words[findSet(image, lookup.node, type) + RRSET.data] = pool;
}

/** Addresses in the answer (IPv4), in its additional section, and the rcode. */
function ask(zone: ServedZone, name: string, type = 'A') {
  const octets = encodeQuery({ name, type });
  const out = new Uint8Array(1232);
  const view = new DataView(out.buffer);
  const query = new Query();
  query.decode(octets, octets.length, view);
  zoneAnswer.writer.begin(out, view, query.questionEnd, 1232);
  zoneAnswer.answer(octets, query.name, query.type, zone, false);
  view.setInt16(2, 0x8000 | zoneAnswer.rcode);
  view.setInt16(4, 1);
  view.setInt32(6, (zoneAnswer.answers << 16) | zoneAnswer.authorities);
  view.setInt16(10, zoneAnswer.additionals);
  const { answer, authority, additional } = decodeMessage(out.slice(0, zoneAnswer.writer.at));
  const texts = (rows: typeof answer) => rows.map((row) => row.text);
  return { rcode: zoneAnswer.rcode, answer: texts(answer), authority: texts(authority), additional: texts(additional) };
}

test('each live RRset answers with the slot of its own pool', () => {
  const zone: ServedZone = { ...one, slots: Int32Array.of(1, 3) };
  bind('www.live.test', 1);
  slots.write(1, { serial: 100, v4: [address4('192.0.2.11')], v6: [] });
  // A pool that was never live is SERVFAIL where it is asked for, and no business of others.
  expect(ask(zone, 'www.live.test').rcode).toBe(2);
  expect(ask(zone, 'live.test').answer).toEqual(['192.0.2.11']);
  slots.write(3, { serial: 90, v4: [address4('192.0.2.33')], v6: [] });
  expect(ask(zone, 'live.test').answer).toEqual(['192.0.2.11']);
  expect(ask(zone, 'www.live.test').answer).toEqual(['192.0.2.33']);
  expect(ask(zone, 'live.test', 'MX').additional).toEqual(['192.0.2.33']);
});

test('the serial is the largest of the image and of all its pools', () => {
  const zone: ServedZone = { ...one, slots: Int32Array.of(1, 3) };
  const serial = () => Number(ask(zone, 'live.test', 'SOA').answer[0].split(' ')[2]);
  slots.write(1, { serial: 100, v4: [], v6: [] });
  slots.write(3, { serial: 90, v4: [], v6: [] });
  expect(serial()).toBe(100);
  slots.write(3, { serial: 101, v4: [], v6: [] });
  expect(serial()).toBe(101);
  slots.write(1, { serial: 4_000_000_000, v4: [], v6: [] }); // before 101 in serial arithmetic
  expect(serial()).toBe(101);
  expect(Number(ask(zone, 'no.live.test').authority[0].split(' ')[2])).toBe(101);
});

test('a pool that the zone has no slot for has no addresses', () => {
  bind('www.live.test', 7);
  const zone: ServedZone = { ...one, slots: Int32Array.of(1) };
  expect(ask(zone, 'www.live.test').rcode).toBe(2);
  expect(ask(zone, 'live.test', 'MX').additional).toEqual([]);
  expect(ask({ ...one, slots: new Int32Array(0) }, 'live.test').rcode).toBe(2);
});
