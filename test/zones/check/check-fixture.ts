import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lowerName, nameFromText, type WireName } from '../../../src/dns/name.ts';
import type { CheckFaultCode } from '../../../src/zones/check/fault.ts';
import { type LoadedZone, loadZone, type ZoneSource } from '../../../src/zones/store/load-zone.ts';

type Expected = `${'error' | 'warning'} ${CheckFaultCode}`;
/** A name, the text, and what is found in it. */
export type Row = readonly [name: string, text: string, ...faults: Expected[]];

/** SOA, NS and its address. */
export const HEAD = '@ IN SOA ns1 host 5 7200 900 1209600 300\n@ NS ns1\nns1 A 192.0.2.1\n';
const HASH = '0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef';
const KEY = 'mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ==';

/** A zone of this text, checked. */
export function load(text: string, source: ZoneSource = { kind: 'static' }, origin = 'example.test.'): LoadedZone {
  const wire = nameFromText(origin, null);
  if (typeof wire === 'string') throw new Error(wire);
  return loadZone({
    origin: wire,
    file: 'zone',
    source,
    includeRoot: null,
    readFile: () => ({ ok: true, text: Buffer.from(text) }),
  });
}

/** What named-checkzone makes of it, and the records it would serve. Without `-i local` it would ask the network. */
export function bind(
  text: string,
  origin = 'example.test.',
): { readonly ok: boolean; readonly records: readonly string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'edgewise-check-'));
  const file = join(folder, 'zone');
  writeFileSync(file, text);
  const { status, stdout } = spawnSync('named-checkzone', ['-i', 'local', '-s', 'full', '-D', origin, file], {
    encoding: 'utf8',
  });
  rmSync(folder, { recursive: true, force: true });
  return { ok: status === 0, records: stdout.split('\n').filter((line) => /\sIN\s/.test(line)) };
}

/** The kinds of faults, each once, sorted. */
export function codes(zone: LoadedZone): string[] {
  return [...new Set(zone.faults.map(({ severity, code }) => `${severity} ${code}`))].sort();
}

const SIGNATURE = '8 3 300 20300101000000 20200101000000 1 example.test. AA==';
const TWO_CASES_KEPT = [
  'a NSEC b. A\na NSEC B. A',
  'b LP 1 b.\nb LP 1 B.',
  'c TALINK b. c.\nc TALINK B. C.',
  'd IPSECKEY 1 3 2 b. AQNR\nd IPSECKEY 1 3 2 B. AQNR',
  'e DSYNC CDS 1 1 b.\ne DSYNC CDS 1 1 B.',
].join('\n');

/** A TXT RRset of so many records of so many octets, two less than its limits count. */
function large(count: number, octets: number): string {
  return Array.from({ length: count }, (_, i) => `l TXT "${String(i).padEnd(octets - 1, 'x')}"`).join('\n');
}

function addresses(count: number): string {
  return Array.from({ length: count }, (_, i) => `l A 10.1.${i >> 8}.${i & 255}`).join('\n');
}

/** Zones that have the usual head: each row is what follows it. Every row's verdict is also asked of named-checkzone. */
const AFTER_HEAD: readonly Row[] = [
  ['nothing else', ''],
  ['SOA below the apex', 'x SOA ns1 h 1 2 3 4 5', 'error soa-not-apex'],
  ['a second SOA', '@ SOA ns1 host 6 7200 900 1209600 300', 'error several'],
  ['the same SOA again', '@ SOA NS1 host 5 7200 900 1209600 300', 'warning duplicate'],
  ['DS at the apex', `@ DS 1 8 2 ${HASH}`, 'error ds-at-apex'],
  ['a record outside', 'foo.example.org. A 192.0.2.7', 'warning out-of-zone'],
  ['a SOA outside', 'example.org. SOA a b 1 2 3 4 5', 'warning out-of-zone'],
  ['a CNAME and other data outside', 'foo.org. CNAME b\nfoo.org. A 192.0.2.7', 'warning out-of-zone'],
  ['CNAME, then other data', 'a CNAME ns1\na A 192.0.2.7', 'error cname-and-other'],
  ['other data, then CNAME', 'a A 192.0.2.7\na CNAME ns1', 'error cname-and-other'],
  ['CNAME and DNAME', 'a DNAME b\na CNAME ns1', 'error cname-and-other'],
  ['CNAME at the apex', '@ CNAME b', 'error cname-and-other'],
  ['CNAME with NSEC', 'a CNAME ns1\na NSEC b CNAME'],
  [
    'CNAME and other data below a cut',
    'a NS ns1\nx.a CNAME b\nx.a A 192.0.2.7',
    'error cname-and-other',
    'warning occluded',
  ],
  ['two CNAMEs', 'a CNAME b\na CNAME c', 'error several'],
  ['one CNAME twice', 'a CNAME ns1\na CNAME NS1', 'warning duplicate'],
  ['two DNAMEs', 'a DNAME b\na DNAME c', 'error several'],
  ['DNAME beside NS', 'a DNAME b\na NS ns1', 'warning occluded'],
  ['DNAME beside an address', 'a DNAME b\na A 192.0.2.7'],
  ['data below a DNAME', 'a DNAME b\nx.a A 192.0.2.7', 'warning occluded'],
  ['DNAME at the apex', '@ DNAME b.', 'error target-dname', 'warning occluded'],
  ['data below a cut', 'a NS ns1\nx.a TXT hi', 'warning occluded'],
  ['data at a cut', 'a NS ns1\na TXT hi', 'warning occluded'],
  ['glue below a cut', 'a NS ns.a\nns.a A 192.0.2.7\nns.a AAAA 2001:db8::7'],
  ['DS at a cut', `a NS ns1\na DS 1 8 2 ${HASH}`],
  ['a record twice', 'a A 192.0.2.7\na A 192.0.2.7', 'warning duplicate'],
  ['a record twice but for case', 'a MX 1 NS1\na MX 1 ns1', 'warning duplicate'],
  ['differing TTLs', 'a 100 A 192.0.2.7\na 200 A 192.0.2.8\na 50 A 192.0.2.9', 'warning ttl-differs'],
  ['differing TTLs, apart', 'a 100 A 192.0.2.7\nb A 192.0.2.8\na 200 A 192.0.2.9', 'warning ttl-differs'],
  [
    'differing TTLs, apart and together',
    'a 1 A 192.0.2.1\nb A 192.0.2.8\na 3 A 192.0.2.3\na 2 A 192.0.2.2',
    'warning ttl-differs',
  ],
  ['differing TTLs, another type between', 'a 9 A 192.0.2.7\na 300 TXT x\na 5 A 192.0.2.9', 'warning ttl-differs'],
  [
    'one record twice with two TTLs',
    'a 100 A 192.0.2.7\na 200 A 192.0.2.7',
    'warning ttl-differs',
    'warning duplicate',
  ],
  ['MX to a CNAME', 'a MX 1 b\nb CNAME ns1', 'warning target-cname'],
  ['MX without address', 'a MX 1 b', 'warning target-no-address'],
  ['MX to a name with other data', 'a MX 1 b\nb TXT x', 'warning target-no-address'],
  ['MX below a DNAME', 'a MX 1 x.b\nb DNAME c', 'warning target-dname'],
  ['MX below a cut', 'a MX 1 x.b\nb NS ns1'],
  ['MX to a wildcard', 'a MX 1 x.b\n*.b A 192.0.2.7'],
  ['MX to a wildcard CNAME', 'a MX 1 x.b\n*.b CNAME ns1', 'warning target-cname'],
  ['MX to a wildcard of a lower name', 'a MX 1 y.x.b\n*.b A 192.0.2.7'],
  [
    'MX to an empty non-terminal beside a wildcard',
    'a MX 1 y.b\n*.b A 192.0.2.7\nx.y.b TXT x',
    'warning target-no-address',
  ],
  [
    'MX past a name that keeps the wildcard off',
    'a MX 1 z.y.b\n*.b A 192.0.2.7\nx.y.b TXT x',
    'warning target-no-address',
  ],
  ['MX to the root: no mail', 'a MX 0 .'],
  ['MX to an address', 'a MX 1 192.0.2.7.', 'warning target-is-address'],
  ['MX to a relative address', 'a MX 1 192.0.2.7', 'warning target-is-address', 'warning target-no-address'],
  ['MX to an IPv6 address', 'a MX 1 2001:db8::7.', 'warning target-is-address', 'warning target-name'],
  ['MX at a cut is not looked at', 'a NS ns1\na MX 1 nosuch\nx.a MX 1 nosuch2', 'warning occluded'],
  ['MX at a DNAME is', 'a DNAME b\na MX 1 nosuch\nx.a MX 1 nosuch2', 'warning occluded', 'warning target-no-address'],
  ['SRV to a CNAME', '_a._tcp SRV 1 1 1 b\nb CNAME ns1', 'warning target-cname'],
  ['SRV without address', '_a._tcp SRV 1 1 1 b', 'warning target-no-address'],
  ['SRV to the root: no service', '_a._tcp SRV 1 1 1 .'],
  ['NS to an address', 'a NS 192.0.2.7.', 'warning target-is-address'],
  ['apex NS to an address', '@ NS 192.0.2.7.', 'warning target-is-address'],
  ['NS to a CNAME', 'a NS b\nb CNAME ns1', 'warning target-cname'],
  ['NS below a DNAME', 'a NS x.b\nb DNAME ns1', 'warning target-dname'],
  ['NS without address', 'a NS nosuch', 'warning target-no-address'],
  ['NS without its glue', 'a NS ns.a', 'warning glue-missing'],
  ['NS with a wildcard for glue', 'a NS ns.a\n*.a A 192.0.2.7', 'warning glue-missing'],
  ['NS without sibling glue', 'a NS ns.b\nb NS ns1', 'warning glue-missing'],
  ['NS with sibling glue', 'a NS ns.b\nb NS ns1\nns.b A 192.0.2.7'],
  ['apex NS to a CNAME', '@ NS b\nb CNAME ns1', 'error target-cname'],
  ['apex NS without address', '@ NS ns2\nns2 TXT x', 'error target-no-address'],
  ['apex NS to an empty non-terminal', '@ NS a\nx.a A 192.0.2.7', 'error target-no-address'],
  ['apex NS to a wildcard', '@ NS ns.a\n*.a A 192.0.2.7'],
  ['apex NS below a DNAME', '@ NS ns.a\na DNAME b', 'error target-dname'],
  ['apex NS below a cut', '@ NS ns.a\na NS ns1'],
  ['apex NS elsewhere', '@ NS foo.example.org.'],
  ['underscore, A', 'a_b A 192.0.2.7', 'warning owner-name'],
  ['underscore, MX', 'a_b MX 1 ns1', 'warning owner-name'],
  ['underscore, TXT, CNAME, SRV, NS', 'a_b TXT x\nb_b CNAME ns1\n_c SRV 1 1 1 ns1\nd_b NS ns1'],
  ['a blank in a name, AAAA', 'a\\032b AAAA ::1', 'warning owner-name'],
  ['hyphen first', '-a A 192.0.2.7', 'warning owner-name'],
  ['hyphen last, inner label', 'a.b-.c A 192.0.2.7', 'warning owner-name'],
  ['wildcards and digits', '* A 192.0.2.7\n*.b A 192.0.2.7\n1 A 192.0.2.7'],
  ['wildcard below an underscore', '*.b_c A 192.0.2.7', 'warning owner-name'],
  ['a star inside a label', '*a A 192.0.2.7', 'warning owner-name'],
  ['Active Directory', 'gc._msdcs A 192.0.2.7'],
  ['not quite Active Directory', 'x.gc._msdcs A 192.0.2.7', 'warning owner-name'],
  ['generic A at an underscore', 'b_d TYPE1 \\# 4 01020304', 'warning owner-name'],
  ['NS to an underscore', 'a NS b_c.', 'warning target-name'],
  ['MX to an underscore', 'a MX 1 b_c.', 'warning target-name'],
  ['SRV to an underscore', '_a SRV 1 1 1 b_c.', 'warning target-name'],
  ['AFSDB to an underscore', 'a AFSDB 1 b_c.', 'warning target-name'],
  ['RT to an underscore', 'a RT 1 b_c.', 'warning target-name'],
  ['RP with an underscore in the mailbox', 'a RP x.b_c. c_d.', 'warning target-name'],
  ['RP with an underscore in the user', 'a RP b_c c_d'],
  ['MINFO with underscores', 'a MINFO x.b_c. x.b_c.', 'warning target-name'],
  ['HTTPS to an underscore', 'a HTTPS 1 b_c.', 'warning target-name'],
  ['HTTPS alias to an underscore', 'a HTTPS 0 b_c.'],
  [
    'PTR, KX, NAPTR and CNAME to an underscore',
    'a PTR b_c.\nb KX 1 b_c.\nc NAPTR 1 1 "u" "x" "!a!b!" b_c.\nd CNAME b_c.',
  ],
  ['NS at a wildcard', '*.w NS ns1', 'error wildcard-ns'],
  ['DNAME at a wildcard', '*.w DNAME b'],
  ['a star inside a name', 'a.*.w TXT x', 'warning wildcard-inside'],
  ['a star inside a name, A', 'a.*.w A 192.0.2.7', 'warning wildcard-inside', 'warning owner-name'],
  ['NSEC3 at a hash', '0p9mhaveqvm6t7vbl5lop2u3t2rp3tom NSEC3 1 0 1 - 0123456789abcdef0123456789abcdef A'],
  ['NSEC3 at a star', '*.a NSEC3 1 0 1 - 0123456789abcdef0123456789abcdef A', 'error nsec3-owner'],
  ['SPF alone', 'a SPF "v=spf1 -all"', 'warning spf-without-txt'],
  ['SPF and its TXT', 'a SPF "v=spf1 -all"\na TXT "v=spf1 -all"'],
  ['SPF and another TXT', 'a SPF "v=spf1 -all"\na TXT "v=spf10"', 'warning spf-without-txt'],
  ['CDS without a key', `@ CDS 1 13 2 ${HASH}`, 'error cds-mismatch'],
  ['CDS with a key of its algorithm', `@ CDS 1 13 2 ${HASH}\n@ DNSKEY 257 3 13 ${KEY}`],
  [
    'CDS of two algorithms, one key',
    `@ CDS 1 8 2 ${HASH}\n@ CDS 1 13 2 ${HASH}\n@ DNSKEY 257 3 13 ${KEY}`,
    'error cds-mismatch',
  ],
  ['CDS that removes', '@ CDS 0 0 0 00'],
  ['CDS that nearly removes', '@ CDS 0 0 0 01', 'error cds-mismatch'],
  [
    'CDS that removes, and another',
    `@ CDS 0 0 0 00\n@ CDS 1 13 2 ${HASH}\n@ DNSKEY 257 3 13 ${KEY}`,
    'error cds-mismatch',
  ],
  ['CDS below the apex', `a CDS 1 13 2 ${HASH}`],
  ['CDNSKEY without a key', `@ CDNSKEY 257 3 13 ${KEY}`, 'error cds-mismatch'],
  ['CDNSKEY that removes beside another CDS', `@ CDNSKEY 0 3 0 AA==\n@ CDS 1 13 2 ${HASH}\n@ DNSKEY 257 3 13 ${KEY}`],
  ['CDS of SHA-1', `@ CDS 1 13 1 ${HASH.slice(0, 40)}\n@ DNSKEY 257 3 13 ${KEY}`, 'warning old-algorithm'],
  ['a key of RSASHA1', `@ DNSKEY 257 3 5 ${KEY}`, 'warning old-algorithm'],
  ['a key of RSASHA1 below the apex', `a DNSKEY 257 3 5 ${KEY}`],
  ['DS of RSASHA1', `a NS ns1\na DS 1 5 2 ${HASH}`, 'warning old-algorithm'],
  ['DS of DSA', `a NS ns1\na DS 1 3 2 ${HASH}`],
  ['DS of SHA-1', `a NS ns1\na DS 1 13 1 ${HASH.slice(0, 40)}`, 'warning old-algorithm'],
  ['DS of RSASHA1 without a cut', `a DS 1 5 2 ${HASH}`],
  ['NSEC3 with 150 iterations', '@ NSEC3PARAM 1 0 150 aabb'],
  ['NSEC3 with 151 iterations', '@ NSEC3PARAM 1 0 151 aabb', 'warning nsec3-iterations'],
  ['SPF at and below a cut', 'a NS ns1\na SPF "v=spf1"\nx.a SPF "v=spf1"', 'warning occluded'],
  ['signatures, each with the TTL of what it covers', `a 60 RRSIG A ${SIGNATURE}\na 900 RRSIG TXT ${SIGNATURE}`],
  ['the same in SIG', `a 60 SIG A ${SIGNATURE}\na 900 SIG TXT ${SIGNATURE}`],
  ['signatures, apart', `a 60 RRSIG A ${SIGNATURE}\nb TXT x\na 900 RRSIG NSEC ${SIGNATURE}`],
  [
    'two signatures of one type with differing TTLs',
    `a 60 RRSIG A ${SIGNATURE}\na 900 RRSIG TXT ${SIGNATURE}\na 70 RRSIG A ${SIGNATURE.replace('AA==', 'AQ==')}`,
    'warning ttl-differs',
  ],
  ['the same signature twice', `a RRSIG A ${SIGNATURE}\na RRSIG A ${SIGNATURE}`, 'warning duplicate'],
  ['a signed apex', `@ RRSIG SOA ${SIGNATURE}`, 'warning signed-zone'],
  ['a signature below the apex alone', `a RRSIG A ${SIGNATURE}\na A 192.0.2.1`],
  ['SVCB in two cases', 'a SVCB 1 b.\na SVCB 1 B.'],
  ['HTTPS in two cases, parameters too', 'a HTTPS 1 b. port=1\na HTTPS 1 B. port=1'],
  ['NSEC, LP, TALINK and IPSECKEY in two cases', TWO_CASES_KEPT],
  ['NAPTR in two cases', 'a NAPTR 1 1 "u" "x" "" b.\na NAPTR 1 1 "u" "x" "" B.', 'warning duplicate'],
  ['NAPTR with flags in two cases', 'a NAPTR 1 1 "u" "x" "" b.\na NAPTR 1 1 "U" "x" "" b.'],
  ['A6 in two cases', 'a A6 64 ::1 b.\na A6 64 ::1 B.', 'warning duplicate'],
  ['A6 without a prefix name', 'a A6 0 ::1\na A6 0 ::2'],
  ['NSAP-PTR and PX in two cases', 'a NSAP-PTR b.\na NSAP-PTR B.\nb PX 1 c. d.\nb PX 1 C. D.', 'warning duplicate'],
  ['an RRset of 64 KiB less one', large(255, 254), 'warning rrset-too-large'],
  ['an RRset over 64 KiB', large(256, 254), 'error rrset-too-large'],
  ['copies do not count', `${large(200, 254)}\n${large(90, 254)}`, 'warning duplicate'],
  ['an RRset that is over 64 KiB only in an answer', addresses(5000), 'warning rrset-too-large'],
  ['the largest that fits into one', addresses(4093)],
];

const WHOLE: readonly Row[] = [
  ['nothing', '', 'error soa-missing', 'error ns-missing'],
  ['no SOA', '@ NS ns1\nns1 A 192.0.2.1', 'error soa-missing'],
  ['no NS', '@ SOA ns1 h 1 2 3 4 5', 'error ns-missing'],
  ['NS outside only', '@ SOA ns1 h 1 2 3 4 5\nother. NS ns.other.', 'error ns-missing', 'warning out-of-zone'],
  ['SOA with an underscore', '@ SOA a_b c_d 1 2 3 4 5\n@ NS ns.other.', 'warning target-name'],
  ['NS without address', '@ SOA ns1 h 1 2 3 4 5\n@ NS ns1', 'error target-no-address'],
  ['serial 0', '@ SOA ns1 h 0 2 3 4 5\n@ NS ns.other.'],
];

/** Every row, whole but for its `$TTL`. */
export const ROWS: readonly Row[] = [
  ...AFTER_HEAD.map(([name, text, ...faults]): Row => [name, `${HEAD}${text}\n`, ...faults]),
  ...WHOLE,
];

export function wireName(text: string): WireName {
  const wire = nameFromText(text, null);
  if (typeof wire === 'string') throw new Error(wire);
  return lowerName(wire);
}

/** A reverse zone in which a PTR is no host name. */
export const REVERSE =
  '$TTL 300\n@ SOA a.b. c. 9 2 3 4 5\n@ NS ns.x.\n1 PTR a_b.x.\nb._dns-sd._udp PTR b_c.x.\n2 PTR b.x.\n';

/** What a network's zone has beside its include file. */
export const DNS = {
  nsRecords: [wireName('ns1.example.net.'), wireName('ns2.example.net.')],
  soaNameserver: wireName('ns1.example.net.'),
  soaMailbox: wireName('host.example.net.'),
  rotateZones: ['www', 'img'],
  ttl: 60,
};
