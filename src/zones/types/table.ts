import { hasUnknownFamily, prefixes } from './apl.ts';
import { caaTag } from './caa.ts';
import { coveredType } from './covered-type.ts';
import { dsDigestType, dsRule, sshfpRule, zonemdRule } from './digest.ts';
import { algorithm, dnskey, key, rkeyRule, rrsigRule } from './dnssec.ts';
import { notifyScheme } from './dsync.ts';
import { type RecordType, recordRow } from './field.ts';
import { ipv4, ipv6 } from './field-address.ts';
import { base64OrDash, base64Rest } from './field-base64.ts';
import { typeBitmap } from './field-bitmap.ts';
import { eui48, eui64, locator64 } from './field-eui.ts';
import { hexRest } from './field-hex.ts';
import { name } from './field-name.ts';
import { mnemonic, seconds, u8, u16, u32 } from './field-number.ts';
import { longText, quotedLongText, string, strings } from './field-text.ts';
import { time } from './field-time.ts';
import { amtrelayRest, ipseckeyRest, isUnknownRelay } from './gateway.ts';
import { hip } from './hip.ts';
import { isOtherLocVersion, loc } from './loc.ts';
import { naptrRegexp } from './naptr.ts';
import { nextHashedOwner, nsec3Rule, salt } from './nsec3.ts';
import { a6, atma, isOtherAtmaFormat, nsap, optionalString, x25 } from './obsolete/addresses.ts';
import { nxtBitmap } from './obsolete/nxt-bitmap.ts';
import { ports, wksProtocol } from './obsolete/wks.ts';
import { svcParameters } from './svcb.ts';

const target = name('a domain name');
const preference = u16('the preference');
const texts = [strings('a text')];

const ds = [u16('the key tag'), algorithm, dsDigestType, hexRest('the digest')];
const tlsa = [u8('the usage'), u8('the selector'), u8('the matching type'), hexRest('the certificate data')];
const svcb = [u16('the priority'), name('the target'), svcParameters];

const certificateType = mnemonic(
  'the certificate type',
  2,
  new Map([
    ['PKIX', 1],
    ['SPKI', 2],
    ['PGP', 3],
    ['IPKIX', 4],
    ['ISPKI', 5],
    ['IPGP', 6],
    ['ACPKIX', 7],
    ['IACPKIX', 8],
    ['URI', 253],
    ['OID', 254],
  ]),
);

const nsec3Hash = mnemonic('the hash algorithm', 1, new Map([['SHA-1', 1]]));
const nsec3 = [nsec3Hash, u8('the flags'), u16('the number of iterations'), salt];

const signature = (plainTimes: boolean) => [
  coveredType('the type covered'),
  algorithm,
  u8('the number of labels'),
  u32('the original TTL'),
  time('the expiration', plainTimes),
  time('the inception', plainTimes),
  u16('the key tag'),
  name("the signer's name"),
  base64Rest('the signature'),
];

/** Every type with a text form of its own. */
export const TABLE: readonly RecordType[] = [
  recordRow(1, 'A', [ipv4]),
  recordRow(2, 'NS', [target]),
  recordRow(5, 'CNAME', [target]),
  recordRow(6, 'SOA', [
    name('the name of the primary server'),
    name('the mailbox of the person in charge'),
    u32('the serial number'),
    seconds('the refresh time'),
    seconds('the retry time'),
    seconds('the expire time'),
    seconds('the minimum TTL'),
  ]),
  recordRow(7, 'MB', [target]),
  recordRow(8, 'MG', [target]),
  recordRow(9, 'MR', [target]),
  recordRow(11, 'WKS', [ipv4, wksProtocol, ports]),
  recordRow(12, 'PTR', [target]),
  recordRow(13, 'HINFO', [string('the hardware'), string('the operating system')]),
  recordRow(14, 'MINFO', [name('the mailbox in charge'), name('the mailbox for errors')]),
  recordRow(15, 'MX', [preference, name('the mail server')]),
  recordRow(16, 'TXT', texts),
  recordRow(17, 'RP', [name('the mailbox'), name('the name of the TXT records')]),
  recordRow(18, 'AFSDB', [u16('the subtype'), name('the server')]),
  recordRow(19, 'X25', [x25]),
  recordRow(20, 'ISDN', [string('the ISDN address'), optionalString]),
  recordRow(21, 'RT', [preference, target]),
  recordRow(22, 'NSAP', [nsap]),
  recordRow(23, 'NSAP-PTR', [target]),
  recordRow(24, 'SIG', signature(false)),
  recordRow(25, 'KEY', key),
  recordRow(26, 'PX', [preference, name('the RFC 822 domain'), name('the X.400 domain')]),
  recordRow(27, 'GPOS', [string('the longitude'), string('the latitude'), string('the altitude')]),
  recordRow(28, 'AAAA', [ipv6]),
  recordRow(29, 'LOC', [loc], { textless: isOtherLocVersion }),
  recordRow(30, 'NXT', [target, nxtBitmap]),
  recordRow(31, 'EID', [hexRest('the endpoint identifier')]),
  recordRow(32, 'NIMLOC', [hexRest('the Nimrod locator')]),
  recordRow(33, 'SRV', [u16('the priority'), u16('the weight'), u16('the port'), name('the target')]),
  recordRow(34, 'ATMA', [atma], { textless: isOtherAtmaFormat }),
  recordRow(35, 'NAPTR', [
    u16('the order'),
    preference,
    string('the flags'),
    string('the services'),
    naptrRegexp,
    name('the replacement'),
  ]),
  recordRow(36, 'KX', [preference, target]),
  recordRow(37, 'CERT', [certificateType, u16('the key tag'), algorithm, base64Rest('the certificate')]),
  recordRow(38, 'A6', [a6]),
  recordRow(39, 'DNAME', [target]),
  recordRow(40, 'SINK', [u8('the meaning'), u8('the coding'), u8('the subcoding'), base64Rest('the data', 0)]),
  recordRow(42, 'APL', [prefixes], { textless: hasUnknownFamily }),
  recordRow(43, 'DS', ds, { rule: dsRule }),
  recordRow(44, 'SSHFP', [u8('the key algorithm'), u8('the fingerprint type'), hexRest('the fingerprint', 0)], {
    rule: sshfpRule,
  }),
  recordRow(45, 'IPSECKEY', [u8('the precedence'), ipseckeyRest]),
  recordRow(46, 'RRSIG', signature(true), { rule: rrsigRule }),
  recordRow(47, 'NSEC', [name('the next owner'), typeBitmap(1)]),
  recordRow(48, 'DNSKEY', dnskey),
  recordRow(49, 'DHCID', [base64Rest('the identifier')]),
  recordRow(50, 'NSEC3', [...nsec3, nextHashedOwner, typeBitmap(0)], { rule: nsec3Rule }),
  recordRow(51, 'NSEC3PARAM', nsec3),
  recordRow(52, 'TLSA', tlsa),
  recordRow(53, 'SMIMEA', tlsa),
  recordRow(55, 'HIP', [hip]),
  recordRow(56, 'NINFO', texts),
  recordRow(57, 'RKEY', dnskey, { rule: rkeyRule }),
  recordRow(58, 'TALINK', [name('the previous name'), name('the next name')]),
  recordRow(59, 'CDS', ds, { rule: dsRule }),
  recordRow(60, 'CDNSKEY', dnskey),
  recordRow(61, 'OPENPGPKEY', [base64Rest('the key')]),
  recordRow(62, 'CSYNC', [u32('the SOA serial'), u16('the flags'), typeBitmap(0)]),
  recordRow(63, 'ZONEMD', [u32('the serial'), u8('the scheme'), u8('the hash algorithm'), hexRest('the digest')], {
    rule: zonemdRule,
  }),
  recordRow(64, 'SVCB', svcb),
  recordRow(65, 'HTTPS', svcb),
  recordRow(66, 'DSYNC', [
    coveredType('the type to be notified of'),
    notifyScheme,
    u16('the port'),
    name('the target'),
  ]),
  recordRow(67, 'HHIT', [base64Rest('the entity tag')]),
  recordRow(68, 'BRID', [base64Rest('the broadcast identifier')]),
  recordRow(99, 'SPF', texts),
  recordRow(104, 'NID', [preference, locator64]),
  recordRow(105, 'L32', [preference, ipv4]),
  recordRow(106, 'L64', [preference, locator64]),
  recordRow(107, 'LP', [preference, target]),
  recordRow(108, 'EUI48', [eui48]),
  recordRow(109, 'EUI64', [eui64]),
  recordRow(256, 'URI', [u16('the priority'), u16('the weight'), quotedLongText('the URI')]),
  recordRow(257, 'CAA', [u8('the flags'), caaTag, longText('the value')]),
  recordRow(258, 'AVC', texts),
  recordRow(259, 'DOA', [
    u32('the enterprise'),
    u32('the type'),
    u8('the location'),
    string('the media type'),
    base64OrDash('the data'),
  ]),
  recordRow(260, 'AMTRELAY', [u8('the precedence'), amtrelayRest], { textless: isUnknownRelay }),
  recordRow(261, 'RESINFO', texts),
  recordRow(262, 'WALLET', texts),
  recordRow(32768, 'TA', ds, { rule: dsRule }),
  recordRow(32769, 'DLV', ds, { rule: dsRule }),
  recordRow(
    65533,
    'KEYDATA',
    [
      time('the refresh time', false),
      time('the time it is added', false),
      time('the time it is removed', false),
      ...key,
    ],
    { textless: () => true },
  ),
];
