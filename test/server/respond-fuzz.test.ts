import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TRANSPORT } from '../../src/server/dns-thread.ts';
import { SPECIAL } from '../../src/server/respond.ts';
import { refuseSpecial } from '../../src/server/respond-special.ts';
import { ZONES } from '../differential/zones.ts';
import { decodeMessage } from '../support/dns-message.ts';
import { encodeQuery } from '../support/dns-query.ts';
import { address4, TestResponder } from '../support/dns-responder.ts';

const LIVE = '@ 300 SOA ns1 host 1 2 3 4 5\n@ 300 NS ns1\nns1 300 A 192.0.2.1\n@ 300 MX 1 www\n*.w CNAME @\n';
const responder = new TestResponder(
  [...ZONES, { origin: 'live.test', text: LIVE, live: ['live.test', 'www.live.test'], slot: 1 }],
  { cookieSecrets: [new Uint8Array(16).fill(9)], nsid: Uint8Array.of(1, 2, 3), version: 'v', id: 'i' },
);
responder.slots.write(1, { serial: 9, v4: [address4('192.0.2.7')], v6: [new Uint8Array(16).fill(2)] });

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

/** Whatever comes in, what goes out is nothing, or a well-formed message within its limits that answers it. */
function check(query: Uint8Array, transport: number): void {
  const { result, octets } = responder.raw(query, transport);
  let reply = octets;
  if (result === SPECIAL) {
    const out = new Uint8Array(65535);
    reply = out.slice(0, refuseSpecial(query, query.length, out, responder.client));
  }
  if (reply.length === 0) return;
  const message = decodeMessage(reply);
  expect(message.qr).toBe(true);
  expect(message.id).toBe((query[0] << 8) | query[1]);
  expect(message.opcode).toBe((query[2] >> 3) & 15);
  if (transport < TRANSPORT.tcp) expect(reply.length).toBeLessThanOrEqual(message.opt === null ? 512 : 1232);
  if (result !== SPECIAL) {
    // What the decoder tells of names and sections is what the rate limit and the statistics were told.
    const { lastRcode } = responder.responder;
    expect(message.octets[3] & 15).toBe(lastRcode & 15);
  }
}

const transports = fc.constantFrom(TRANSPORT.udp4, TRANSPORT.udp6, TRANSPORT.tcp);

describe('respond() never throws and never answers anything malformed', () => {
  test('to queries of all kinds', () => {
    fc.assert(
      fc.property(specs, transports, (spec, transport) => check(encodeQuery(spec), transport)),
      { numRuns: 8000 },
    );
  });

  test('to queries with octets changed, cut short or added', () => {
    const changes = fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 6 });
    fc.assert(
      fc.property(specs, transports, changes, fc.option(fc.nat(120)), (spec, transport, edits, cut) => {
        const query = encodeQuery(spec);
        for (const [at, octet] of edits) if (at < query.length) query[at] = octet;
        check(cut === null ? query : query.slice(0, cut), transport);
      }),
      { numRuns: 20_000 },
    );
  });

  test('to random octets', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), transports, (octets, transport) => check(octets, transport)),
      { numRuns: 8000 },
    );
  });

  test('to random octets after a header that looks well', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), transports, (octets, transport) => {
        check(Uint8Array.from([0, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0, octets.length & 3, ...octets]), transport);
      }),
      { numRuns: 8000 },
    );
  });

  test('to a whole name of any labels below a zone', () => {
    const labels = fc.array(fc.uint8Array({ minLength: 1, maxLength: 63 }), { maxLength: 20 });
    fc.assert(
      fc.property(labels, fc.constantFrom(...NAMES), transports, (parts, zone, transport) => {
        const prefix = parts.flatMap((label) => [label.length, ...label]);
        const tail = encodeQuery({ name: zone }).slice(12, -4);
        check(encodeQuery({ name: Uint8Array.from([...prefix, ...tail]) }), transport);
      }),
      { numRuns: 5000 },
    );
  });
});
