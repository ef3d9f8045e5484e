import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LOWER, textFromWire } from '../../../src/dns/name.ts';
import { typeName } from '../../../src/dns/type-name.ts';
import { TRANSPORT } from '../../../src/server/answer/front-end.ts';
import { decodeMessage } from '../../support/dns-message.ts';
import { encodeQuery, wireName } from '../../support/dns-query.ts';
import { TestResponder } from '../../support/dns-responder.ts';
import { RDATA_TEXT, recordsOf } from '../../support/generate-zone.ts';
import { storeOf } from '../../support/zone-images.ts';

/** Those that are not answered where they stand, or that stand elsewhere: delegations, the apex. */
const TYPES = Object.keys(RDATA_TEXT).filter((type) => type !== 'NS' && type !== 'SOA');
const APEX = wireName('example.test');
const SERIAL = '@ 300 SOA ns.far. host.far. 1 2 3 4 5\n@ 300 NS ns.far.\n';

/** Labels of any octets; with a type's number before them, no two records share a name. */
const labels = fc.array(fc.uint8Array({ minLength: 1, maxLength: 30 }), { minLength: 1, maxLength: 4 });
const owners = fc.tuple(...TYPES.map(() => labels));

function ownerOf(parts: readonly Uint8Array[], index: number): Uint8Array {
  const mark = Buffer.from(`n${index}`);
  const octets = [...parts, mark].flatMap((label) => [label.length, ...label]);
  return Uint8Array.from([...octets, ...APEX]);
}

/** The same name to whoever compares names (RFC 4343), letters turned where `turns` is set. */
function turned(name: Uint8Array, turns: readonly boolean[]): Uint8Array {
  const lengths = new Set<number>();
  for (let at = 0; name[at] !== 0; at += 1 + name[at]) lengths.add(at);
  return name.map((octet, at) => {
    const letter = !lengths.has(at) && (octet | 0x20) >= 0x61 && (octet | 0x20) <= 0x7a;
    return letter && turns[at % turns.length] ? octet ^ 0x20 : octet;
  });
}

// RFC 3597 §3, RFC 2181 §11, RFC 4343: octets of any type at names of any octets come out as they went in.
test('a record of every type, at names of any octets, is answered as the file has it', () => {
  const turns = fc.array(fc.boolean(), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(recordsOf(TYPES), owners, turns, (records, names, flips) => {
      const wires = names.map(ownerOf);
      const text = SERIAL + records.map((record, i) => `${textFromWire(wires[i])} 300 ${record}\n`).join('');
      const store = storeOf('example.test', text);
      const responder = new TestResponder([{ origin: 'example.test', text }]);
      for (const [i, wire] of wires.entries()) {
        const asked = turned(wire, flips);
        const at = i + 2; // after SOA and NS
        const { octets } = responder.raw(encodeQuery({ name: asked, type: store.typeOf(at) }), TRANSPORT.tcp);
        const { rcode, aa, answer } = decodeMessage(octets);
        expect([rcode, aa, answer[0]?.type], records[i]).toEqual(['NOERROR', true, typeName(store.typeOf(at))]);
        expect(answer[0].owner).toBe(textFromWire(asked));
        const written = store.rdata.slice(store.rdataStart(at), store.rdataEnd(at));
        // A name that points into the question has the question's case.
        const same = (octet: number): number => (answer[0].compressed ? LOWER[octet] : octet);
        expect(answer[0].rdata.map(same)).toEqual(written.map(same));
      }
    }),
    { numRuns: 60 },
  );
});
