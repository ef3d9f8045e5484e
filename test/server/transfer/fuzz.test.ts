import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findTsig } from '../../../src/dns/tsig-record.ts';
import { LiveSlots } from '../../../src/live/slots.ts';
import { type Client, TRANSPORT, type Transport } from '../../../src/server/answer/front-end.ts';
import { Responder } from '../../../src/server/answer/respond.ts';
import { Stats } from '../../../src/server/stats.ts';
import { TransferHistory } from '../../../src/server/transfer/history.ts';
import { TransferHandler } from '../../../src/server/transfer/transfer-handler.ts';
import { clientAddress } from '../../../src/system/client-address.ts';
import { decodeMessage } from '../../support/dns-message.ts';
import { encodeQuery } from '../../support/dns-query.ts';
import { PLAIN_SERVER } from '../../support/dns-responder.ts';
import { answersSigned, ixfrQuery, signedQuery, testKey, withCompressedKey } from '../../support/transfer-client.ts';
import { zoneUpdate } from '../../support/zone-images.ts';

const ORIGIN = 'fuzz.test';
const SECRET = 'kept-from-strangers';
const ZONE = `@ 300 SOA ns host 7 600 60 86400 60\n@ NS ns\nns A 192.0.2.1\nonly-here TXT "${SECRET}"\n`;
const KEY = testKey(`key.${ORIGIN}`);
const NOW = 1_700_000_000;

/** A handler of one zone that only `KEY` may transfer. `octets`: all that went out, one array a message. */
function handler(now = NOW): {
  readonly ask: (query: Uint8Array, transport?: Transport) => Promise<Uint8Array[]>;
} {
  const slots = LiveSlots.create(1);
  const stats = Stats.attach(Stats.create(1, 2), 2, 0);
  const responder = new Responder({ slots, stats, server: PLAIN_SERVER });
  responder.apply([zoneUpdate({ origin: ORIGIN, text: ZONE }, 0)]);
  const nonPlain = new TransferHandler({
    responder,
    slots,
    stats,
    transfer: {
      keys: [KEY],
      allow: [{ from: null, key: KEY.name, tls: false, networks: null, zones: null }],
      rows: [],
    },
    history: new TransferHistory(),
    server: PLAIN_SERVER,
    catchUp: () => {},
    now: () => now,
    log: () => {},
  });
  const out = new Uint8Array(4096);
  return {
    ask: async (query, transport: Transport = TRANSPORT.tls) => {
      const client: Client = { transport, address: clientAddress('192.0.2.7'), port: 5353, carriesTransfers: true };
      if (transport === TRANSPORT.udp4) {
        const size = nonPlain.packet(query, query.length, out, client);
        return size === 0 ? [] : [out.slice(0, size)];
      }
      const sent: Uint8Array[] = [];
      await nonPlain.stream(query, client, (message) => {
        sent.push(message.slice());
        return Promise.resolve(true);
      });
      return sent;
    },
  };
}

function tsigOf(octets: Uint8Array) {
  const tsig = findTsig(octets);
  if (tsig === null || tsig === 'malformed') throw new Error('not signed');
  return tsig;
}

const text = (messages: readonly Uint8Array[]): string => Buffer.concat(messages).toString('latin1');
const axfr = encodeQuery({ name: ORIGIN, type: 'AXFR' });
const soa = encodeQuery({ name: ORIGIN, type: 'SOA' });
const notify = encodeQuery({ name: ORIGIN, type: 'SOA', flags: 0x2400 });
const REQUESTS: readonly (readonly [string, Uint8Array])[] = [
  ['AXFR', axfr],
  ['IXFR', ixfrQuery(ORIGIN, 5)],
  ['SOA', soa],
  ['NOTIFY', notify],
];
const TRANSPORTS = [TRANSPORT.udp4, TRANSPORT.tcp, TRANSPORT.tls];

/** What RFC 8945 lets vary under one hash: the identifier, and the case of the names in the record itself. */
function canonical(message: Uint8Array, tsigAt: number): string {
  const octets = message.map((octet, i) => {
    if (i < 2) return 0;
    return i >= tsigAt && octet >= 0x41 && octet <= 0x5a ? octet + 32 : octet;
  });
  return Buffer.from(octets).toString('hex');
}

type Change = (message: Uint8Array) => Uint8Array;
const changes: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })).map(
    ([at, bits]): Change =>
      (message) => {
        const changed = message.slice();
        changed[at % message.length] ^= bits;
        return changed;
      },
  ),
  fc.nat().map(
    (length): Change =>
      (message) =>
        message.slice(0, length % message.length),
  ),
  fc.uint8Array({ minLength: 1, maxLength: 40 }).map(
    (more): Change =>
      (message) =>
        Buffer.concat([message, more]),
  ),
  fc.tuple(fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 12 })).map(
    ([at, octets]): Change =>
      (message) => {
        const changed = message.slice();
        changed.set(octets.slice(0, message.length - (at % message.length)), at % message.length);
        return changed;
      },
  ),
);

describe('messages that are not what their key holder signed', () => {
  test('get one clear answer or none, and no record of the zone', async () => {
    const { ask } = handler();
    const request = fc.constantFrom(...REQUESTS);
    await fc.assert(
      fc.asyncProperty(
        request,
        changes,
        fc.constantFrom(...TRANSPORTS),
        fc.boolean(),
        async (asked, change, transport, compressed) => {
          const signed = signedQuery(asked[1], KEY, NOW).octets;
          const octets = compressed ? withCompressedKey(signed) : signed;
          const tsig = tsigOf(octets);
          const changed = change(octets);
          const answers = await ask(changed, transport);
          if (canonical(changed, tsig.start) === canonical(octets, tsig.start)) return;
          expect(text(answers)).not.toContain(SECRET);
          expect(answers.length).toBeLessThanOrEqual(1);
          for (const answer of answers) {
            expect(answer.length).toBeGreaterThanOrEqual(12);
            expect([answer[0], answer[1], answer[2] & 0x80]).toEqual([changed[0], changed[1], 0x80]);
          }
        },
      ),
      { numRuns: 1500 },
    );
  });

  test('noise', async () => {
    const { ask } = handler();
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), fc.constantFrom(...TRANSPORTS), async (octets, transport) => {
        expect(text(await ask(octets, transport))).not.toContain(SECRET);
      }),
      { numRuns: 500 },
    );
  });

  test.each(REQUESTS)('unsigned: %s', async (kind, query) => {
    for (const transport of TRANSPORTS) {
      const answers = await handler().ask(query, transport);
      expect(text(answers)).not.toContain(SECRET);
      const rcode = kind === 'SOA' ? 'NOERROR' : 'REFUSED';
      if (kind !== 'AXFR' || transport !== TRANSPORT.udp4) expect(decodeMessage(answers[0]).rcode).toBe(rcode);
    }
  });

  test.each(REQUESTS)('signed for another time, as a replay is: %s', async (_, query) => {
    const { octets, signer } = signedQuery(query, KEY, NOW - 301);
    for (const transport of TRANSPORTS) {
      const answers = await handler().ask(octets, transport);
      expect(answers).toHaveLength(1);
      expect([decodeMessage(answers[0]).rcode, decodeMessage(answers[0]).answer]).toEqual(['NOTAUTH', []]);
    }
    expect(signer.mac.length).toBe(32);
  });

  test.each([
    ['with another secret', testKey(`key.${ORIGIN}`, 'hmac-sha256', 'another')],
    ['with a key nobody knows', testKey('stranger')],
    ['with the right secret under another algorithm', testKey(`key.${ORIGIN}`, 'hmac-sha512')],
  ])('signed %s', async (_, key) => {
    for (const [, query] of REQUESTS) {
      const [answer, ...more] = await handler().ask(signedQuery(query, key, NOW).octets);
      expect(more).toEqual([]);
      expect([decodeMessage(answer).rcode, decodeMessage(answer).answer]).toEqual(['NOTAUTH', []]);
    }
  });
});

test('the key holder gets the zone, and signed answers in whatever size fits', async () => {
  const { ask } = handler();
  expect(text(await ask(signedQuery(axfr, KEY, NOW).octets))).toContain(SECRET);
  const txt = encodeQuery({ name: `only-here.${ORIGIN}`, type: 'TXT', edns: { size: 512 } });
  for (const transport of TRANSPORTS) {
    const { octets, signer } = signedQuery(txt, KEY);
    const [answer] = await handler(Date.now() / 1000).ask(octets, transport);
    expect(answersSigned(answer, KEY, signer.mac)).toBe(true);
    expect(decodeMessage(answer)).toMatchObject({ tc: false, rcode: 'NOERROR' });
    expect(text([answer])).toContain(SECRET);
  }
});

test('a pointer anywhere in the key’s name leads to a clear answer, and to the zone only where the name is right', async () => {
  const { ask } = handler();
  const octets = withCompressedKey(signedQuery(axfr, KEY, NOW).octets);
  const { start } = tsigOf(octets);
  const at = start + 4; // behind the label `key`
  expect(octets[at]).toBe(0xc0);
  for (let target = 0; target < 0x4000; target += target < octets.length + 4 ? 1 : 97) {
    const changed = octets.slice();
    changed.set([0xc0 | (target >> 8), target & 255], at);
    const answers = await ask(changed);
    const isRight = target === 12;
    expect([answers.length, text(answers).includes(SECRET)]).toEqual([1, isRight]);
    if (!isRight) expect(['FORMERR', 'NOTAUTH']).toContain(decodeMessage(answers[0]).rcode);
  }
});

test('signed queries leave no garbage of the size of a message behind', async () => {
  const { ask } = handler();
  const { octets } = signedQuery(soa, KEY, NOW);
  const polls = signedQuery(ixfrQuery(ORIGIN, 7), KEY, NOW).octets;
  const round = async (): Promise<void> => {
    for (let i = 0; i < 200; i++) {
      await ask(octets, TRANSPORT.udp4);
      await ask(polls, TRANSPORT.udp4);
    }
  };
  await round();
  const before = process.memoryUsage().arrayBuffers;
  // Buffers over 64 KB are counted at once and given back late: 400 of them would show as 26 MB.
  await round();
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 2 ** 20);
});
