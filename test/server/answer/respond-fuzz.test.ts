import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NOT_PLAIN_QUERY, TRANSPORT, type Transport } from '../../../src/server/answer/front-end.ts';
import { RCODES, Stats, sumStats } from '../../../src/server/stats.ts';
import { NO_TRANSFERS } from '../../../src/server/transfer/handler-types.ts';
import { TransferHistory } from '../../../src/server/transfer/history.ts';
import { TransferHandler } from '../../../src/server/transfer/transfer-handler.ts';
import { ZONES } from '../../differential/zones.ts';
import { decodeMessage, type Message } from '../../support/dns-message.ts';
import { encodeQuery } from '../../support/dns-query.ts';
import { address4, PLAIN_SERVER, TestResponder } from '../../support/dns-responder.ts';

const LIVE = '@ 300 SOA ns1 host 1 2 3 4 5\n@ 300 NS ns1\nns1 300 A 192.0.2.1\n@ 300 MX 1 www\n*.w CNAME @\n';
const responder = new TestResponder(
  [...ZONES, { origin: 'live.test', text: LIVE, live: ['live.test', 'www.live.test'], slot: 1 }],
  { cookieSecrets: [new Uint8Array(16).fill(9)], nsid: Uint8Array.of(1, 2, 3), version: 'v', id: 'i' },
);
responder.slots.write(1, { serial: 9, v4: [address4('192.0.2.7')], v6: [new Uint8Array(16).fill(2)] });
/** Nobody may transfer and no key is known: to these messages too it has a short answer or none. */
const nonPlain = new TransferHandler({
  responder: responder.responder,
  slots: responder.slots,
  stats: Stats.attach(responder.statsBuffer, 4, 0),
  transfer: NO_TRANSFERS,
  history: new TransferHistory(),
  server: PLAIN_SERVER,
  catchUp: () => {},
  now: () => 1_700_000_000,
  log: () => {},
});

const NAMES = [
  'example.test',
  'www.example.test',
  'nope.example.test',
  'alias2.example.test',
  'x.dn.example.test',
  'x.bigdel.example.test',
  'foo.wild.example.test',
  'big.example.test',
  'host.child.parent.test',
  'tochild.parent.test',
  'l.odd.test',
  'x.i.odd.test',
  'q.moved.test',
  'live.test',
  'a.w.live.test',
  'www.elsewhere',
  '.',
  'version.bind',
];

const specs = fc.record({
  name: fc.constantFrom(...NAMES),
  type: fc.oneof(fc.constantFrom(1, 2, 5, 6, 15, 16, 28, 39, 43, 251, 252, 255), fc.nat(0xffff)),
  class: fc.constantFrom(1, 1, 1, 3, 255),
  id: fc.nat(0xffff),
  flags: fc.oneof(fc.constantFrom(0, 0x0100, 0x2000), fc.nat(0x7fff)),
  edns: fc.option(
    fc.record({
      size: fc.nat(0xffff),
      version: fc.constantFrom(0, 0, 0, 1),
      flags: fc.nat(0xffff),
      options: fc.array(
        fc.tuple(fc.oneof(fc.constantFrom(3, 10, 11), fc.nat(0xffff)), fc.uint8Array({ maxLength: 42 })),
        {
          maxLength: 3,
        },
      ),
    }),
  ),
});

/** Answers counted so far, by whole rcode. */
function answersByRcode(): number[] {
  const counts = new Array<number>(RCODES).fill(0);
  for (const { rcode, count } of sumStats(responder.statsBuffer, 4).answers) counts[rcode] += count;
  return counts;
}

/** Whatever comes in, what goes out is nothing, or well-formed messages within their limits that answer it. */
async function check(query: Uint8Array, transport: Transport): Promise<void> {
  const before = answersByRcode();
  const { result, octets } = responder.raw(query, transport);
  if (result !== NOT_PLAIN_QUERY) {
    if (octets.length === 0) return;
    const rcode = checkReply(query, octets, transport).octets[3] & 15;
    // One answer was counted, with that rcode (its upper bits are in OPT).
    const counted = answersByRcode().flatMap((count, i) => new Array<number>(count - before[i]).fill(i & 15));
    expect(counted).toEqual([rcode]);
  } else if (transport >= TRANSPORT.tcp) {
    await nonPlain.stream(query, responder.client, (message) => {
      checkReply(query, message, transport);
      return Promise.resolve(true);
    });
  } else {
    const out = new Uint8Array(4096);
    const length = nonPlain.packet(query, query.length, out, responder.client);
    if (length > 0) checkReply(query, out.slice(0, length), transport);
  }
}

function checkReply(query: Uint8Array, reply: Uint8Array, transport: number): Message {
  const message = decodeMessage(reply);
  expect(message.qr).toBe(true);
  expect(message.id).toBe((query[0] << 8) | query[1]);
  expect(message.opcode).toBe((query[2] >> 3) & 15);
  if (transport < TRANSPORT.tcp) expect(reply.length).toBeLessThanOrEqual(message.opt === null ? 512 : 1232);
  return message;
}

const transports = fc.constantFrom(TRANSPORT.udp4, TRANSPORT.udp6, TRANSPORT.tcp);

describe('respond() never throws and never answers anything malformed', () => {
  test('to queries of all kinds', async () => {
    await fc.assert(
      fc.asyncProperty(specs, transports, (spec, transport) => check(encodeQuery(spec), transport)),
      { numRuns: 8000 },
    );
  });

  test('to queries with octets changed, cut short or added', async () => {
    const changes = fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(specs, transports, changes, fc.option(fc.nat(120)), async (spec, transport, edits, cut) => {
        const query = encodeQuery(spec);
        for (const [at, octet] of edits) if (at < query.length) query[at] = octet;
        await check(cut === null ? query : query.slice(0, cut), transport);
      }),
      { numRuns: 20_000 },
    );
  });

  test('to random octets', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), transports, (octets, transport) => check(octets, transport)),
      { numRuns: 8000 },
    );
  });

  test('to random octets after a header that looks well', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), transports, async (octets, transport) => {
        await check(Uint8Array.from([0, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0, octets.length & 3, ...octets]), transport);
      }),
      { numRuns: 8000 },
    );
  });

  test('to a whole name of any labels below a zone', async () => {
    const labels = fc.array(fc.uint8Array({ minLength: 1, maxLength: 63 }), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(labels, fc.constantFrom(...NAMES), transports, async (parts, zone, transport) => {
        const prefix = parts.flatMap((label) => [label.length, ...label]);
        const tail = encodeQuery({ name: zone }).slice(12, -4);
        await check(encodeQuery({ name: Uint8Array.from([...prefix, ...tail]) }), transport);
      }),
      { numRuns: 5000 },
    );
  });
});
