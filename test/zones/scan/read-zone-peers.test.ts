import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { isWithin, lowerName } from '../../../src/dns/name.ts';
import { hasErrors } from '../../../src/system/fault.ts';
import type { ReadResult } from '../../../src/zones/scan/read-zone.ts';
import { printStored } from '../../../src/zones/write/print-record.ts';
import { RDATA_TEXT, recordsOf, zoneText } from '../../support/generate-zone.ts';
import { readText, recordKeys } from '../../support/read-zone.ts';
import { checkWithKnot, compileWithBind } from '../../support/reader-peers.ts';
import { GENERATE_FILES } from '../fixtures/reader/generate-files.ts';
import { HEAD, MASTER_FILES } from '../fixtures/reader/master-files.ts';

/**
 * The reader beside named-compilezone (BIND 9.18), record by record, and kzonecheck (Knot 3.2), verdict by verdict.
 * Known differences are listed with their reason; a listed difference that is none any more fails too.
 */
const folder = mkdtempSync(join(tmpdir(), 'edgewise-reader-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const includeRoot = fileURLToPath(new URL('../fixtures/reader', import.meta.url));
const apex = lowerName(Buffer.from('\x07example\0', 'latin1'));

/** Our records as BIND keeps them: those within the zone, each once. */
function kept(result: ReadResult): string[] {
  const inZone = recordKeys(result).filter((key) => {
    return isWithin(lowerName(Buffer.from(key.split(' ', 1)[0], 'hex')), apex);
  });
  return [...new Set(inZone)];
}

const ROWS = readFileSync(new URL('../fixtures/reader/records.tsv', import.meta.url), 'latin1')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('# '))
  .map((line) => line.split('\t'));
/** Types that may stand below the apex. */
const BELOW_APEX = Object.keys(RDATA_TEXT).filter((name) => name !== 'SOA');
const ACCEPTED = ROWS.filter(([, type]) => type !== '-').map(([text]) => text);
const REFUSED = ROWS.filter(([, type]) => type === '-').map(([text]) => text);

/** Lines that we refuse though BIND takes them. */
const WE_REFUSE: readonly (readonly [text: string, reason: string])[] = [
  [
    '$GENERATE 1-2x r$ A 192.0.2.1',
    'text after the range is a slip of the pen; BIND stops reading it at the first letter',
  ],
  ['$GENERATE 1-2/1x r$ A 192.0.2.1', 'the same after the step'],
  ['$GENERATE 0-1048576 r$ A 192.0.2.1', 'a zone must not fill the memory: at most 2^20 such records'],
  ['r EUI48 00-00-5e-00-53-2g', 'BIND overlooks what follows a hexadecimal digit; RFC 7043 §3.2 has two digits'],
  ['r WKS 192.0.2.1 tcp xmpp-client', 'names of services are a fixed list here, not those of the machine'],
];

/** Lines that we take though BIND refuses them. */
const WE_TAKE: readonly (readonly [text: string, reason: string])[] = [
  ['$GENERATE 1-2 ( r$ A 192.0.2.$ )', 'RFC 1035 §5.1 has parentheses group data in any line; BIND loses them here'],
  ['r PTR \\[a', 'RFC 1035 §5.1: any character may be escaped; BIND sees a bit string (RFC 2673), which is no more'],
  ['r SOA a b 1 2 3 4 5', 'a SOA below the apex is found by the checks on the loaded zone, not by the reader'],
];

/** Why Knot refuses lines that BIND and we take. */
const KNOT_REFUSES: readonly (readonly [reason: string, line: RegExp])[] = [
  [
    'the type is unknown to Knot, or known there in generic form only',
    /^(X25|ISDN|GPOS|PX|MB|MG|MR|NULL|AVC|NINFO|RKEY|RESINFO|WALLET|SINK|TALINK|TA|DLV|DOA|AMTRELAY|HIP|WKS|A6|NSAP|NSAP-PTR|ATMA|EID|NIMLOC|UID|GID|UINFO|KEYDATA|NXT|SIG|DSYNC|HHIT|BRID|TYPE66|TYPE67|TYPE68) /i,
  ],
  ['key flags, protocols, algorithms and digests by mnemonics of BIND', /^(DNSKEY|KEY|CERT|DS|NSEC3) .*[a-z]/i],
  ['a KEY without key', /^KEY 49152 3 8$/],
  ['a DS digest that Knot finds too short', /^DS (1 8 [035] 00|\\# 5 0001080500)$/],
  ['CDS that deletes, with its last field of two digits in two words', /^CDS 0 0 0 0 0$/],
  ['times beyond the years Knot takes, a leap second', /^RRSIG A 8 2 300 (\d{14} |[\d]+ 12 )/],
  ['the covered type by its number, or ANY', /^RRSIG (1|ANY) /],
  ['the newest types in a type bitmap', /^(NSEC b|CSYNC 1 3) DSYNC /],
  ['ANY in a type bitmap', /^NSEC b ANY$/],
  ['a hash algorithm other than SHA-1', /^NSEC3 2 /],
  ['groups of hex digits without leading zeros', /^(NID 10 14:|L64 10 2001:db8:|EUI48 0-0)/],
  ['base64 or hex in words that split a group', /^(IPSECKEY .* AQ NR|OPENPGPKEY A A A A|A \\# 4 010 )/],
  ['numbers of LOC without digits before the point, with a sign, or over the limit by centimetres', /^LOC /],
  ['service parameters with an empty value, dohpath', /^SVCB .*(=$|=\s*$|ech|no-default-alpn=|dohpath=)/],
  ['\\# without a length is a text for BIND', /^TXT \\#/],
  ['an empty fingerprint', /^SSHFP 1 [03]$/],
  ['strings without a blank between them', /^TXT "abc"def"ghi"$/],
  ['a name server in the zone without an address: not a matter of reading', /^NS [^.]*$/],
];

/** Why Knot takes lines that BIND and we refuse. */
const KNOT_TAKES: readonly (readonly [reason: string, line: RegExp])[] = [
  ['generic data of a known type is hardly checked', /\\#/],
  ['the regular expression is not checked', /^NAPTR /],
  ['lengths of digests are not checked', /^(SSHFP|ZONEMD) /],
  ['other mnemonics', /^KEY 0 3 (DSA-NSEC3-SHA1|ECC-GOST) /],
  ['a KEY with NOKEY and a key', /^KEY 49152 3 8 /],
  ['NSEC without types', /^NSEC b$/],
  ['base32 with padding', /^NSEC3 .*=/],
  ['base64 with spare bits, or that goes on after its padding', /^OPENPGPKEY /],
  ['URI without quotes', /^URI 10 1 ftp$/],
  ['CAA tags quoted, escaped, or with other characters', /^CAA 0 /],
  ['IPSECKEY without key', /^IPSECKEY /],
  ['latitudes over 90 degrees by less than a degree', /^LOC 90 0 1 /],
  ['service parameters by number, and together, are not checked', /^(SVCB|HTTPS) /],
  ['a signer with more labels than the owner', /^RRSIG /],
];

describe('beside Knot', () => {
  const differing = async (): Promise<{ refused: string[]; taken: string[] }> => {
    const refused: string[] = [];
    const taken: string[] = [];
    for (const [text, type] of ROWS) {
      const { ok } = await checkWithKnot(zoneText([text]), folder);
      if (ok && type === '-') taken.push(text);
      if (!ok && type !== '-') refused.push(text);
    }
    return { refused, taken };
  };

  test('the same verdict, or a listed reason', async () => {
    const { refused, taken } = await differing();
    const unexplained = (lines: string[], table: typeof KNOT_TAKES): string[] =>
      lines.filter((line) => !table.some(([, pattern]) => pattern.test(line)));
    const unused = (lines: string[], table: typeof KNOT_TAKES): string[] =>
      table.filter(([, pattern]) => !lines.some((line) => pattern.test(line))).map(([reason]) => reason);
    expect({ refused: unexplained(refused, KNOT_REFUSES), taken: unexplained(taken, KNOT_TAKES) }).toEqual({
      refused: [],
      taken: [],
    });
    expect([...unused(refused, KNOT_REFUSES), ...unused(taken, KNOT_TAKES)]).toEqual([]);
  });

  test('generated zones of usual types are accepted, as read and as printed', async () => {
    const usual = [
      'A',
      'AAAA',
      'CNAME',
      'MX',
      'TXT',
      'SRV',
      'PTR',
      'CAA',
      'TLSA',
      'SSHFP',
      'HINFO',
      'RP',
      'AFSDB',
      'URI',
    ];
    for (const records of fc.sample(recordsOf(usual), { numRuns: 20, seed: 21 })) {
      const ours = readText(zoneText(records));
      const printed = Array.from({ length: ours.store.size }, (_, i) => `${printStored(ours.store, i)}\n`).join('');
      for (const text of [zoneText(records), printed]) {
        const { ok, output } = await checkWithKnot(text, folder);
        expect(ok, `${output}\n${text}`).toBe(true);
      }
    }
  });
});

describe('beside BIND', () => {
  test('the record types: same octets', async () => {
    const text = zoneText(ACCEPTED);
    const peer = await compileWithBind(text, folder);
    expect(peer.ok, peer.output).toBe(true);
    expect(kept(readText(text))).toEqual(peer.records);
  });

  test('the record types: what we print is the same zone', async () => {
    const { store } = readText(zoneText(ACCEPTED));
    const printed = Array.from({ length: store.size }, (_, i) => `${printStored(store, i)}\n`).join('');
    const peer = await compileWithBind(printed, folder);
    expect(peer.ok, peer.output).toBe(true);
    expect(kept(readText(zoneText(ACCEPTED)))).toEqual(peer.records);
  });

  test('the record types: BIND refuses every line that we refuse', async () => {
    // BIND reports all bad lines of a zone by number; one in open parentheses would swallow the rest.
    const lines = REFUSED.filter((line) => !line.includes('('));
    const { output } = await compileWithBind(zoneText(lines), folder);
    const reported = new Set([...output.matchAll(/bind\.zone:(\d+):(?! using)/g)].map(([, line]) => Number(line) - 4));
    // Debian's BIND reads signatures strictly since 9.18.49-1~deb12u3 only.
    expect(lines.filter((line, i) => !reported.has(i) && !line.startsWith('RRSIG '))).toEqual([]);
    const ours = readText(zoneText(lines));
    for (const line of REFUSED.filter((text) => text.includes('('))) {
      expect((await compileWithBind(zoneText([line]), folder)).ok, line).toBe(false);
    }
    expect(ours.store.size).toBe(2);
  });

  test.each([...MASTER_FILES, ...GENERATE_FILES])('$name', async ({ text, whole }) => {
    const full = whole === true ? text : HEAD + text;
    const ours = readText(full, { includeRoot });
    const peer = await compileWithBind(full, folder, includeRoot);
    expect(!hasErrors(ours.faults), peer.output).toBe(peer.ok);
    if (peer.ok) expect(kept(ours)).toEqual(peer.records);
  });

  test.each(WE_REFUSE)('differs: we refuse %s (%s)', async (text) => {
    expect((await compileWithBind(`${HEAD}${text}\n`, folder)).ok).toBe(true);
    expect(hasErrors(readText(`${HEAD}${text}\n`).faults)).toBe(true);
  });

  test.each(WE_TAKE)('differs: we take %s (%s)', async (text) => {
    expect((await compileWithBind(`${HEAD}${text}\n`, folder)).ok).toBe(false);
    expect(hasErrors(readText(`${HEAD}${text}\n`).faults)).toBe(false);
  });

  test('generated zones with a record of every type: same octets, ours printed too', async () => {
    for (const records of fc.sample(recordsOf(BELOW_APEX), { numRuns: 40, seed: 20 })) {
      const text = zoneText(records);
      const ours = readText(text);
      expect(ours.faults).toEqual([]);
      const peer = await compileWithBind(text, folder);
      expect(peer.ok, `${peer.output}\n${text}`).toBe(true);
      expect(kept(ours)).toEqual(peer.records);
      const printed = Array.from({ length: ours.store.size }, (_, i) => `${printStored(ours.store, i)}\n`).join('');
      expect((await compileWithBind(printed, folder)).records).toEqual(peer.records);
    }
  });
});
