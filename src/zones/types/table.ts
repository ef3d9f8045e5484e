import { caaTag } from './caa.ts';
import { type RecordType, recordRow } from './field.ts';
import { ipv4, ipv6 } from './field-address.ts';
import { hexRest } from './field-hex.ts';
import { name } from './field-name.ts';
import { seconds, u8, u16, u32 } from './field-number.ts';
import { longText, string, strings } from './field-text.ts';

const target = name('a domain name');

/** Every type with a text form of its own, by code. */
const ROWS: readonly RecordType[] = [
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
  recordRow(12, 'PTR', [target]),
  recordRow(13, 'HINFO', [string('the hardware'), string('the operating system')]),
  recordRow(15, 'MX', [u16('the preference'), name('the mail server')]),
  recordRow(16, 'TXT', [strings('a text')]),
  recordRow(28, 'AAAA', [ipv6]),
  recordRow(33, 'SRV', [u16('the priority'), u16('the weight'), u16('the port'), name('the target')]),
  recordRow(35, 'NAPTR', [
    u16('the order'),
    u16('the preference'),
    string('the flags'),
    string('the services'),
    string('the regular expression'),
    name('the replacement'),
  ]),
  recordRow(39, 'DNAME', [target]),
  recordRow(44, 'SSHFP', [u8('the key algorithm'), u8('the fingerprint type'), hexRest('the fingerprint')]),
  recordRow(52, 'TLSA', [
    u8('the certificate usage'),
    u8('the selector'),
    u8('the matching type'),
    hexRest('the certificate data'),
  ]),
  recordRow(99, 'SPF', [strings('a text')]),
  recordRow(257, 'CAA', [u8('the flags'), caaTag, longText('the value')]),
];

export const TABLE: ReadonlyMap<number, RecordType> = new Map(ROWS.map((row) => [row.code, row]));
