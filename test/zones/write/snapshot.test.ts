import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareNames, lowerName, nameFromText, nameText, type WireName } from '../../../src/dns/name.ts';
import { loadZone } from '../../../src/zones/store/load-zone.ts';
import { canonicalLines } from '../../../src/zones/write/canonical.ts';
import { RDATA_TEXT, recordsOf } from '../../support/generate-zone.ts';
import { load, snapshot } from './snapshot-fixture.ts';

describe('snapshot', () => {
  test('SOA, NS, live addresses of apex and rotate labels, then the rest', () => {
    const lines = snapshot('@ MX 10 mail\nmail 3600 A 192.0.2.25\nwww 300 TXT "x"\n').split('\n');
    expect(lines[0]).toMatch(/^; .*do not edit/);
    expect(lines.slice(1).map((line) => line.replaceAll('\t', ' '))).toEqual([
      '$ORIGIN example.test.',
      '$TTL 300',
      'example.test. 300 IN SOA ns1.example.net. host.example.net. 1763778000 43200 10800 1209600 300',
      'example.test. 300 IN NS ns1.example.net.',
      'example.test. 300 IN NS ns2.example.net.',
      'example.test. 60 IN A 192.0.2.1',
      'example.test. 60 IN A 192.0.2.9',
      'example.test. 60 IN AAAA 2001:db8::1',
      'www.example.test. 60 IN A 192.0.2.1',
      'www.example.test. 60 IN A 192.0.2.9',
      'www.example.test. 60 IN AAAA 2001:db8::1',
      'a.deep.example.test. 60 IN A 192.0.2.1',
      'a.deep.example.test. 60 IN A 192.0.2.9',
      'a.deep.example.test. 60 IN AAAA 2001:db8::1',
      'example.test. 300 IN MX 10 mail.example.test.',
      'mail.example.test. 3600 IN A 192.0.2.25',
      'www.example.test. 300 IN TXT "x"',
      '',
    ]);
  });

  test('reads back as the zone it was made of', () => {
    const text = 'mail 3600 A 192.0.2.25\n@ 3600 MX 10 mail\nMiXeD 5 TXT "Keep" "Case"\nwww 9 HINFO a b\n';
    const lines = [...canonicalLines(load(text).store)];
    const again = [...canonicalLines(load(snapshot(text, { v4: [], v6: [] }, 0), { kind: 'static' }).store)];
    expect(again).toEqual(lines);
  });

  test('with records of every type reads back, and its canonical lines do', () => {
    const types = Object.keys(RDATA_TEXT).filter((type) => type !== 'SOA');
    fc.assert(
      fc.property(recordsOf(types), (records) => {
        const text = records.map((line, i) => `r${i} ${line}\n`).join('');
        const lines = [...canonicalLines(load(text).store)];
        const complete = (zone: string): readonly string[] => [...canonicalLines(load(zone, { kind: 'static' }).store)];
        expect(complete(snapshot(text, { v4: [], v6: [] }, 0)).map(sameCase)).toEqual(lines.map(sameCase));
        expect(complete(lines.join('\n'))).toEqual(lines);
      }),
      { numRuns: 20 },
    );
  });
});

/** An image spells a name that it holds once as it was first spelled. */
function sameCase(line: string): string {
  return line.toLowerCase();
}

describe('canonical lines', () => {
  test("RFC 4034 §6.1's own example, SOA first, types and rdata in order, copies once", () => {
    const names = [
      'example',
      'a.example',
      'yljkjljk.a.example',
      'Z.a.example',
      'zABC.a.EXAMPLE',
      'z.example',
      '\\001.z.example',
      '*.z.example',
      '\\200.z.example',
    ];
    const body = names
      .toReversed()
      .map((name) => `${name}. 5 TXT "b"\n${name}. 5 TXT "a"\n${name}. 5 TXT "a"\n${name}. 5 A 192.0.2.1\n`)
      .join('');
    const origin = nameFromText('example.', null);
    if (typeof origin === 'string') throw new Error(origin);
    const text = `${body}example. 5 SOA a. b. 1 2 3 4 5\nexample. 5 NS ns.\n`;
    const { store } = loadZone({
      origin,
      file: 'zone',
      source: { kind: 'static' },
      includeRoot: null,
      readFile: () => ({ ok: true, text: Buffer.from(text) }),
    });
    const lines = [...canonicalLines(store)].map((line) => line.split('\t'));
    expect(lines[0][3]).toBe('SOA');
    expect(lines.slice(1, 5).map((fields) => fields.slice(3).join(' '))).toEqual([
      'A 192.0.2.1',
      'NS ns.',
      'TXT "a"',
      'TXT "b"',
    ]);
    expect([...new Set(lines.map(([owner]) => owner.toLowerCase()))]).toEqual(
      names.map((name) => `${name.toLowerCase()}.`),
    );
  });

  test('any names come in the order of compareNames', () => {
    const label = fc.uint8Array({ minLength: 1, maxLength: 3, max: 4 });
    const name = fc.array(label, { maxLength: 3 }).map((labels) => nameOf(labels));
    fc.assert(
      fc.property(fc.uniqueArray(name, { minLength: 1, maxLength: 12 }), (names) => {
        const text = names.map((owner) => `${nameText(owner)} 5 TXT x\n`).join('');
        const { store } = loadZone({
          origin: Uint8Array.of(0),
          file: 'zone',
          source: { kind: 'static' },
          includeRoot: null,
          readFile: () => ({ ok: true, text: Buffer.from(text) }),
        });
        const owners = [...canonicalLines(store)].map((line) => line.split('\t')[0]);
        expect(owners).toEqual(names.toSorted(compareNames).map((owner) => nameText(owner)));
      }),
    );
  });
});

function nameOf(labels: readonly Uint8Array[]): WireName {
  return lowerName(Uint8Array.from([...labels.flatMap((label) => [label.length, ...label]), 0]));
}
