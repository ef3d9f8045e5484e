import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LiveSlots } from '../../../src/live/slots.ts';
import { TRANSPORT } from '../../../src/server/answer/front-end.ts';
import { Stats } from '../../../src/server/stats.ts';
import { makeAnswerer } from '../../../src/server/transport/threads/answerer.ts';
import { clientAddress } from '../../../src/system/client-address.ts';
import { decodeMessage } from '../../support/dns-message.ts';
import { encodeOpt, encodeQuery } from '../../support/dns-query.ts';
import { PLAIN_SERVER } from '../../support/dns-responder.ts';
import { answersSigned, ixfrQuery, signedQuery, testKey } from '../../support/transfer-client.ts';
import { zoneUpdate } from '../../support/zone-images.ts';

const KEYS = [testKey('one.test'), testKey('two.test', 'hmac-sha512', 'other')];
const text = (tag: string): string =>
  `@ 300 SOA ns host 7 600 60 86400 60\n@ NS ns\nns A 192.0.2.1\n${Array.from({ length: 300 }, (_, i) => `h${i} TXT "${tag}${'x'.repeat(150)}"`).join('\n')}\n`;
const ZONES = ['a.test', 'b.test'];

const slots = LiveSlots.create(1);
const { responder, nonPlain } = makeAnswerer({
  slots,
  stats: Stats.attach(Stats.create(1, 2), 2, 0),
  server: PLAIN_SERVER,
  transfer: { keys: KEYS, allow: [{ from: null, key: null, tls: false, networks: null, zones: null }], rows: [] },
  catchUp: () => {},
});
responder.apply(ZONES.map((origin, i) => zoneUpdate({ origin, text: text(origin) }, i, 0)));

const kinds = ['AXFR', 'IXFR', 'SOA', 'NOTIFY', 'AXFR elsewhere'] as const;
const requests = fc.record({
  kind: fc.constantFrom(...kinds),
  zone: fc.constantFrom(...ZONES),
  key: fc.constantFrom(null, ...KEYS),
  edns: fc.boolean(),
  /** Turns of the event loop that the client takes for each message. */
  turns: fc.nat(3),
});

/** The request as octets; over TCP an IXFR names the present serial, so that it gets one SOA. */
function encode(kind: (typeof kinds)[number], zone: string, id: number, edns: boolean): Uint8Array {
  const opt = edns ? {} : null;
  switch (kind) {
    case 'AXFR':
      return encodeQuery({ name: zone, type: 'AXFR', id, edns: opt });
    case 'AXFR elsewhere':
      return encodeQuery({ name: `not.${zone}`, type: 'AXFR', id, edns: opt });
    case 'SOA':
      return encodeQuery({ name: zone, type: 'SOA', id, edns: opt });
    case 'NOTIFY':
      return encodeQuery({ name: zone, type: 'SOA', id, flags: 0x2400, edns: opt });
    case 'IXFR': {
      const query = ixfrQuery(zone, 7, id);
      if (!edns) return query;
      const octets = Uint8Array.from([...query, ...encodeOpt({})]);
      octets[11] = 1;
      return octets;
    }
  }
}

const RCODES = { AXFR: 'NOERROR', IXFR: 'NOERROR', SOA: 'NOERROR', NOTIFY: 'REFUSED', 'AXFR elsewhere': 'NOTAUTH' };

test('whatever several clients ask at once and however slowly they read, each gets its own answer', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(requests, { minLength: 2, maxLength: 6 }), async (clients) => {
      await Promise.all(
        clients.map(async ({ kind, zone, key, edns, turns }, i) => {
          const query = encode(kind, zone, 0x1000 + i, edns);
          const signed = key === null ? null : signedQuery(query, key);
          const client = { transport: TRANSPORT.tcp, address: clientAddress('127.0.0.9'), port: 1000 + i };
          const sent: Uint8Array[] = [];
          await nonPlain.stream(signed?.octets ?? query, client, async (message) => {
            sent.push(message.slice());
            for (let turn = 0; turn < turns; turn++) await nextTurn();
            return true;
          });
          const messages = sent.map(decodeMessage);
          expect(messages.map(({ id }) => id)).toEqual(messages.map(() => 0x1000 + i));
          expect([messages[0].rcode, messages[0].opt !== null]).toEqual([RCODES[kind], edns]);
          expect(messages[0].question?.name).toBe(kind === 'AXFR elsewhere' ? `not.${zone}.` : `${zone}.`);
          if (signed !== null && key !== null) expect(answersSigned(sent[0], key, signed.signer.mac)).toBe(true);
          else expect(messages.every(({ tsig }) => tsig === null)).toBe(true);
          const rows = messages.flatMap(({ answer }) => answer);
          expect(rows.length).toBe({ AXFR: 304, IXFR: 1, SOA: 1, NOTIFY: 0, 'AXFR elsewhere': 0 }[kind]);
          expect(rows.every(({ owner }) => owner.endsWith(`${zone}.`))).toBe(true);
          expect(rows.filter(({ type }) => type === 'TXT').every(({ text }) => text.includes(zone))).toBe(true);
        }),
      );
    }),
    { numRuns: 60 },
  );
});
