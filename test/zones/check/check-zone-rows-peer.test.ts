import { expect, test } from 'vitest';
import { canonicalLines } from '../../../src/zones/write/canonical.ts';
import { bind, DNS, load, REVERSE, ROWS } from './check-fixture.ts';

test.each(ROWS)('named-checkzone agrees: %s', (_name, text) => {
  const whole = `$TTL 300\n${text}`;
  const zone = load(whole);
  const peer = bind(whole);
  expect(zone.ok).toBe(peer.ok);
  if (!zone.ok) return;
  // Same records with the same TTLs; BIND writes rdata its own way, so those are counted.
  const heads = (lines: readonly string[]) => lines.map((line) => line.split(/\s+/).slice(0, 4).join(' ')).sort();
  expect(heads([...canonicalLines(zone.store)])).toEqual(heads(peer.records));
});

test('named-checkzone agrees: PTR in the reverse tree', () => {
  const zone = load(REVERSE, { kind: 'static' }, '2.0.192.in-addr.arpa.');
  expect(zone.ok).toBe(bind(REVERSE, '2.0.192.in-addr.arpa.').ok);
});

test('the zone is the one that BIND reads from what edgemanage wrote', () => {
  const include = '  TXT "x"\nmail A 192.0.2.8\n@ 7200 NS ns3.example.net.\nwww TXT y\n';
  const zone = load(include, { kind: 'network', dns: DNS });
  const lines = [...canonicalLines(zone.store)].map((line) => line.split('\t').join(' '));
  const head =
    '@ 300 IN SOA ns1.example.net. host.example.net. 0 43200 10800 1209600 300\n' +
    '@ IN NS ns1.example.net.\n@ IN NS ns2.example.net.\n@ IN A 192.0.2.80\n';
  const { ok, records } = bind(head + include);
  expect(ok).toBe(true);
  expect(lines).toEqual(records.map((line) => line.split(/\s+/).join(' ')).filter((line) => !line.endsWith('.80')));
  expect(zone.live?.ttl).toBe(60);
  expect(zone.live?.names.length).toBe(3);
});
