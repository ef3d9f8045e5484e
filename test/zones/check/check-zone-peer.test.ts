import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { nameFromText } from '../../../src/dns/name.ts';
import type { CheckFaultCode } from '../../../src/zones/check/fault.ts';
import { loadZone } from '../../../src/zones/store/load-zone.ts';
import { canonicalLines } from '../../../src/zones/write/canonical.ts';

/** What named-checkzone's sentences are called here. Sentences that are not listed fail the test. */
const SENTENCES: readonly (readonly [RegExp, CheckFaultCode | null])[] = [
  [/ is a CNAME \(illegal\)/, 'target-cname'],
  [/ is below a DNAME .*\(illegal\)/, 'target-dname'],
  [/ has no address records/, 'target-no-address'],
  [/ has no (REQUIRED|SIBLING) GLUE/, 'glue-missing'],
  [/ignoring out-of-zone data/, 'out-of-zone'],
  [/CNAME and other data/, 'cname-and-other'],
  [/multiple RRs of singleton type/, 'several'],
  [/invalid NS owner name \(wildcard\)/, 'wildcard-ns'],
  [/contains an non-terminal wildcard/, 'wildcard-inside'],
  [/bad owner name \(check-names\)/, 'owner-name'],
  [/bad name \(check-names\)/, 'target-name'],
  [/found type SPF record/, 'spf-without-txt'],
  [/CDS\/CDNSKEY consistency checks failed/, 'cds-mismatch'],
  [/deprecated (DNSKEY algorithm|CDS digest type)|DS deprecated|algorithms found are deprecated/, 'old-algorithm'],
  [/excessive NSEC3PARAM iterations/, 'nsec3-iterations'],
  [/appears to be an address|is an address/, 'target-is-address'],
  [/TTL set to prior TTL/, 'ttl-differs'],
  [/^DS record at top|: DS record at top/, 'ds-at-apex'],
  [/SOA record not at top|: not at top of zone/, 'soa-not-apex'],
  [/file does not end with newline/, null], // said of any file whose reading was broken off
  [/^zone .*(loaded serial|not loaded due to errors|loading from master file)/, null],
  [/^OK$|^$/, null],
];

/** What Edgewise says and BIND does not, or (TTLs that differ in lines that are apart) not always. */
const OURS: ReadonlySet<string> = new Set(['duplicate', 'occluded', 'ttl-differs']);
/** What BIND also says of records that it then leaves out, being outside the zone. */
const OF_LEFT_OUT: ReadonlySet<string> = new Set(['target-name', 'owner-name', 'wildcard-inside', 'target-is-address']);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgewise-check-peer-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Verdict = { readonly ok: boolean; readonly codes: readonly string[]; readonly records: readonly string[] };

function bind(text: string): Verdict {
  const file = join(folder, 'zone');
  writeFileSync(file, text);
  const args = ['-i', 'local', '-s', 'full', '-D', '-o', `${file}.out`, 'example.test', file];
  const { status, stdout, stderr } = spawnSync('named-checkzone', args, { encoding: 'utf8' });
  const codes = new Set<string>();
  for (const line of `${stdout}\n${stderr}`.split('\n')) {
    const sentence = SENTENCES.find(([pattern]) => pattern.test(line));
    if (sentence === undefined) throw new Error(`named-checkzone says something new: ${line}`);
    if (sentence[1] !== null) codes.add(sentence[1]);
  }
  const dumped = status === 0 ? spawnSync('cat', [`${file}.out`], { encoding: 'utf8' }).stdout : '';
  return { ok: status === 0, codes: [...codes].sort(), records: heads(dumped.split('\n')) };
}

function ours(text: string): Verdict {
  const origin = nameFromText('example.test.', null);
  if (typeof origin === 'string') throw new Error(origin);
  const readFile = () => ({ ok: true, text: Buffer.from(text) }) as const;
  const zone = loadZone({ origin, file: 'zone', source: { kind: 'static' }, includeRoot: null, readFile });
  const codes = new Set<string>(zone.faults.map(({ code }) => code));
  return { ok: zone.ok, codes: [...codes].sort(), records: heads([...canonicalLines(zone.store)]) };
}

function heads(lines: readonly string[]): readonly string[] {
  return lines
    .filter((line) => line !== '')
    .map((line) => line.split(/\s+/).slice(0, 4).join(' ').toLowerCase())
    .sort();
}

const owner = fc.constantFrom(
  '@',
  'a',
  'b',
  'x.a',
  'y.x.a',
  'z.b',
  '*.a',
  '*',
  '*.x.a',
  'a.*.b',
  'c_d',
  'ns1',
  'out.example.',
);
const target = fc.constantFrom(
  '@',
  'a',
  'b',
  'x.a',
  'y.x.a',
  'q.y.x.a',
  'z.b',
  'w.z.b',
  'ns1',
  'c_d',
  '*.a',
  'out.example.',
  '.',
);
const ttl = fc.constantFrom('', '', '', '60 ');
const data = fc.oneof(
  fc.constantFrom(
    'A 192.0.2.1',
    'A 192.0.2.2',
    'AAAA 2001:db8::1',
    'TXT "x"',
    'TXT "v=spf1 -all"',
    'SPF "v=spf1 -all"',
  ),
  fc.constantFrom('DS 1 8 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef', 'SOA . . 1 2 3 4 5'),
  target.map((name) => `NS ${name}`),
  target.map((name) => `NS ${name}`),
  target.map((name) => `MX 1 ${name}`),
  target.map((name) => `SRV 1 1 1 ${name}`),
  target.map((name) => `CNAME ${name}`),
  target.map((name) => `DNAME ${name}`),
);
const record = fc.tuple(owner, ttl, data).map(([name, seconds, rest]) => `${name} ${seconds}${rest}\n`);
const HEAD = '$TTL 300\n@ SOA ns1 host 5 7200 900 1209600 300\n@ NS ns1\nns1 A 192.0.2.9\n';

/** Runs of named-checkzone cost some 15 ms each. A longer look: EDGEWISE_PEER_RUNS=5000. */
const RUNS = Number(process.env['EDGEWISE_PEER_RUNS'] ?? 250);

const algorithm = fc.constantFrom(0, 1, 3, 5, 6, 7, 8, 12, 13, 14, 15, 255);
const digest = fc.constantFrom(
  `1 ${'11'.repeat(20)}`,
  `2 ${'11'.repeat(32)}`,
  `3 ${'11'.repeat(32)}`,
  `4 ${'11'.repeat(48)}`,
);
const KEY = 'mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ==';
const dnssec = fc
  .tuple(
    fc.constantFrom('@', '@', '@', '@', 'a', 'x.a', 'b'),
    fc.oneof(
      algorithm.map((number) => `DNSKEY 257 3 ${number} ${KEY}`),
      fc.constantFrom('DNSKEY 256 3 13 AAAAAAAA', 'DNSKEY 257 3 8 AAAAAAAA'),
      algorithm.map((number) => `CDNSKEY 257 3 ${number} ${KEY}`),
      fc.tuple(algorithm, digest).map(([number, rest]) => `CDS 1 ${number} ${rest}`),
      fc.constantFrom('CDS 0 0 0 00', 'CDS 0 0 0 01', 'CDNSKEY 0 3 0 AA==', 'CDNSKEY 0 3 0 AAAA', 'NS ns1'),
      fc.integer({ min: 148, max: 153 }).map((count) => `NSEC3PARAM 1 0 ${count} aabb`),
    ),
  )
  .map(([name, rest]) => `${name} ${rest}\n`);
/** BIND has no DS at the apex, and takes one elsewhere for a part of a delegation only. */
const delegation = fc
  .tuple(fc.constantFrom('a', 'x.a', 'b'), algorithm, digest, fc.boolean())
  .map(([name, number, rest, cut]) => `${name} DS 1 ${number} ${rest}\n${cut ? `${name} NS ns1\n` : ''}`);

test.each([
  ['any records', record, RUNS],
  ['DNSSEC records', fc.oneof(dnssec, dnssec, delegation), RUNS / 2],
])('generated zones, %s: the verdict, the complaints and the records of named-checkzone', (_name, kind, numRuns) => {
  fc.assert(
    fc.property(fc.array(kind, { minLength: 1, maxLength: 8 }), (lines) => {
      const text = HEAD + lines.join('');
      const mine = ours(text);
      const peer = bind(text);
      // BIND takes a name met right after an NS that names it for a part of that owner, its DS and SOA with it.
      const misplaced = (code: CheckFaultCode) => peer.codes.includes(code) !== mine.codes.includes(code);
      if (misplaced('ds-at-apex') || misplaced('soa-not-apex')) return;
      expect(mine.ok).toBe(peer.ok);
      const outside = mine.codes.includes('out-of-zone');
      const theirs = peer.codes.filter((code) => !(outside && OF_LEFT_OUT.has(code)));
      expect(mine.codes).toEqual(expect.arrayContaining(theirs));
      if (!mine.ok) return; // BIND breaks off at its first error, or leaves out the checks after it
      const common = (codes: readonly string[]) =>
        codes.filter((code) => !OURS.has(code) && !(outside && OF_LEFT_OUT.has(code)));
      expect(common(mine.codes)).toEqual(common(peer.codes));
      expect(mine.records).toEqual(peer.records);
    }),
    { numRuns },
  );
});
