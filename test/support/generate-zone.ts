import fc from 'fast-check';

/**
 * Zones for property and peer tests: valid rdata text of every type, and zones made of it. `bigZone` is for measuring.
 */
const u8 = fc.integer({ min: 0, max: 255 });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffffffff });

/** Hex digits of `min` to `max` octets, in either case. */
const hex = (min: number, max = min): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: min, maxLength: max }).map((octets) => Buffer.from(octets).toString('hex'));
const base64 = (min: number, max: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: min, maxLength: max }).map((octets) => Buffer.from(octets).toString('base64'));

const ipv4 = fc.tuple(u8, u8, u8, u8).map((parts) => parts.join('.'));
/** All forms: full, shortened at any run of zeros, with a dotted tail. */
const ipv6 = fc.oneof(fc.ipV6(), fc.constantFrom('::', '::1', '2001:db8::', '::ffff:192.0.2.1', '1:0:0:2::3'));

const LABEL_CHARS = [...'abcdefghijklmnopqrstuvwxyzABCXYZ0123456789-_*'];
const plainLabel = fc
  .array(fc.constantFrom(...LABEL_CHARS), { minLength: 1, maxLength: 12 })
  .map((chars) => chars.join(''));
/** Octets a label may hold that text has to escape. */
const oddLabel = fc
  .uint8Array({ minLength: 1, maxLength: 5 })
  .map((octets) => [...octets].map((octet) => `\\${String(octet).padStart(3, '0')}`).join(''));
const label = fc.oneof({ weight: 8, arbitrary: plainLabel }, { weight: 1, arbitrary: oddLabel });

/** A relative or absolute name, `@` and the root among them. */
export const nameText: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(fc.array(label, { minLength: 1, maxLength: 4 }), fc.constantFrom('', '.'))
      .map(([labels, dot]) => labels.join('.') + dot),
  },
  { weight: 1, arbitrary: fc.constantFrom('@', '.') },
);

/** A character string in quotes, any octets. */
const quoted = (max = 255): fc.Arbitrary<string> =>
  fc.uint8Array({ maxLength: max }).map((octets) => {
    const text = [...octets].map((octet) => {
      if (octet === 0x22 || octet === 0x5c) return `\\${String.fromCharCode(octet)}`;
      return octet < 0x20 || octet > 0x7e ? `\\${String(octet).padStart(3, '0')}` : String.fromCharCode(octet);
    });
    return `"${text.join('')}"`;
  });
const strings = fc.array(quoted(40), { minLength: 1, maxLength: 4 });

const typeNames = fc.constantFrom(
  'A',
  'NS',
  'SOA',
  'MX',
  'TXT',
  'AAAA',
  'RRSIG',
  'NSEC',
  'URI',
  'TYPE1234',
  'TYPE65535',
);
const types = (minLength: number): fc.Arbitrary<string> =>
  fc.array(typeNames, { minLength, maxLength: 6 }).map((names) => names.join(' '));

const time = fc
  .date({ min: new Date('1970-01-02'), max: new Date('2105-12-31'), noInvalidDate: true })
  .map((date) => date.toISOString().replace(/\D/g, '').slice(0, 14));
const base32 = fc
  .array(fc.constantFrom(...'0123456789ABCDEFGHIJKLMNOPQRSTUV'), { minLength: 32, maxLength: 32 })
  .map((chars) => chars.join(''));
const groups = (count: number, octets: number, separator: string): fc.Arbitrary<string> =>
  fc.array(hex(octets), { minLength: count, maxLength: count }).map((parts) => parts.join(separator));

/** Fields joined by blanks. */
const row = (...fields: readonly (fc.Arbitrary<unknown> | string)[]): fc.Arbitrary<string> =>
  fc
    .tuple(...fields.map((field) => (typeof field === 'string' ? fc.constant(field) : field)))
    .map((parts) => parts.map((part) => (Array.isArray(part) ? part.join(' ') : String(part))).join(' '));

const angle = (max: number, hemispheres: string): fc.Arbitrary<string> =>
  row(
    fc.integer({ min: 0, max: max - 1 }),
    fc.integer({ min: 0, max: 59 }),
    fc.integer({ min: 0, max: 59_999 }).map((thousandths) => (thousandths / 1000).toFixed(3)),
    fc.constantFrom(...hemispheres),
  );
const metres = (min: number, max: number): fc.Arbitrary<string> =>
  fc.integer({ min, max }).map((centimetres) => `${(centimetres / 100).toFixed(2)}m`);

const digest = fc.oneof(
  row('1', hex(20)),
  row('2', hex(32)),
  row('4', hex(48)),
  row(fc.integer({ min: 5, max: 255 }), hex(1, 40)),
);
const ds = row(u16, u8, digest);
const dnskey = row(u16, u8, u8, base64(1, 60));
/** KEY has no key when the two highest flags are set. */
const keyOrNone = fc.oneof(row(fc.integer({ min: 0, max: 0xbfff }), u8, u8, base64(1, 60)), row('49152', u8, u8));
/** Names here have at most 5 labels; a signer has no more than the owner. */
const signedBy = (signer: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  row(typeNames, u8, fc.integer({ min: 5, max: 255 }), u32, time, time, u16, signer, base64(1, 60));
const tlsa = row(u8, u8, u8, hex(1, 40));

const parameters = fc
  .record(
    {
      alpn: fc
        .array(fc.constantFrom('h2', 'h3', 'http/1.1', 'a\\\\,b'), { minLength: 1, maxLength: 3 })
        .map((ids) => `alpn="${ids.join(',')}"`),
      port: u16.map((port) => `port=${port}`),
      ipv4hint: fc.array(ipv4, { minLength: 1, maxLength: 3 }).map((list) => `ipv4hint=${list.join(',')}`),
      ech: base64(1, 20).map((text) => `ech=${text}`),
      ipv6hint: fc.array(ipv6, { minLength: 1, maxLength: 3 }).map((list) => `ipv6hint=${list.join(',')}`),
      dohpath: fc.constant('dohpath=/q{?dns}'),
      other: fc.tuple(fc.integer({ min: 8, max: 65535 }), quoted(20)).map(([key, value]) => `key${key}=${value}`),
    },
    { requiredKeys: [] },
  )
  .map((chosen) => Object.values(chosen).join(' '));
const svcb = row(u16, nameText, parameters);

const gateway = fc.oneof(row('0', u8, '.'), row('1', u8, ipv4), row('2', u8, ipv6), row('3', u8, nameText));
const relay = fc.oneof(row('0', '.'), row('1', ipv4), row('2', ipv6), row('3', nameText));
const prefix = fc.oneof(
  fc.tuple(fc.constantFrom('', '!'), ipv4, fc.integer({ min: 0, max: 32 })).map(([not, ip, n]) => `${not}1:${ip}/${n}`),
  fc
    .tuple(fc.constantFrom('', '!'), ipv6, fc.integer({ min: 0, max: 128 }))
    .map(([not, ip, n]) => `${not}2:${ip}/${n}`),
);
const digits = (min: number): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(...'0123456789'), { minLength: min, maxLength: 15 }).map((chars) => chars.join(''));

/** Valid rdata text by type; every type with a text form has a row. */
export const RDATA_TEXT: Readonly<Record<string, fc.Arbitrary<string>>> = {
  A: ipv4,
  NS: nameText,
  CNAME: nameText,
  SOA: row(nameText, nameText, u32, u32, u32, u32, u32),
  MB: nameText,
  MG: nameText,
  MR: nameText,
  WKS: row(
    ipv4,
    fc.constantFrom('tcp', 'udp', '6', '17', '250'),
    fc.array(fc.integer({ min: 0, max: 2000 }), { maxLength: 5 }),
  ),
  PTR: nameText,
  HINFO: row(quoted(), quoted()),
  MINFO: row(nameText, nameText),
  MX: row(u16, nameText),
  TXT: row(strings),
  RP: row(nameText, nameText),
  AFSDB: row(u16, nameText),
  X25: digits(4),
  ISDN: row(quoted(), fc.array(quoted(), { maxLength: 1 })),
  RT: row(u16, nameText),
  NSAP: hex(1, 20).map((text) => `0x${text}`),
  'NSAP-PTR': nameText,
  SIG: signedBy(nameText),
  KEY: keyOrNone,
  PX: row(u16, nameText, nameText),
  GPOS: row(quoted(), quoted(), quoted()),
  AAAA: ipv6,
  LOC: row(
    angle(90, 'NS'),
    angle(180, 'EW'),
    metres(-10_000_000, 4_284_967_295),
    fc.array(metres(0, 9_000_000_000), { maxLength: 3 }),
  ),
  NXT: row(nameText, fc.array(fc.constantFrom('A', 'NS', 'NXT', 'TYPE127'), { maxLength: 4 })),
  EID: hex(1, 20),
  NIMLOC: hex(1, 20),
  SRV: row(u16, u16, u16, nameText),
  ATMA: fc.oneof(
    hex(1, 20),
    digits(1).map((text) => `+${text}`),
  ),
  NAPTR: row(
    u16,
    u16,
    quoted(10),
    quoted(10),
    fc.constantFrom('""', '"!^.*$!sip:info@example.com!"', '"/(a)(b|c)/\\\\2\\\\1/i"', '"!^[^a-z]{2,3}$!x!"'),
    nameText,
  ),
  KX: row(u16, nameText),
  CERT: row(u16, u16, u8, base64(1, 60)),
  A6: fc.oneof(row('0', ipv6), row('128', nameText), row(fc.integer({ min: 1, max: 127 }), ipv6, nameText)),
  DNAME: nameText,
  SINK: row(u8, u8, u8, base64(0, 20)),
  APL: row(fc.array(prefix, { maxLength: 4 })),
  DS: ds,
  SSHFP: row(u8, fc.oneof(row('1', hex(20)), row('2', hex(32)), row(fc.integer({ min: 3, max: 255 }), hex(1, 40)))),
  IPSECKEY: row(u8, gateway, base64(1, 40)),
  RRSIG: signedBy(fc.constantFrom('@', 'test.', '.')), // no more labels than the owner, whatever that is
  NSEC: row(nameText, types(1)),
  DNSKEY: dnskey,
  DHCID: base64(1, 40),
  NSEC3: row('1', u8, u16, fc.oneof(fc.constant('-'), hex(1, 20)), base32, types(0)),
  NSEC3PARAM: row(u8, u8, u16, fc.oneof(fc.constant('-'), hex(1, 20))),
  TLSA: tlsa,
  SMIMEA: tlsa,
  HIP: row(u8, hex(1, 16), base64(1, 40), fc.array(nameText, { maxLength: 3 })),
  NINFO: row(strings),
  RKEY: row('0', u8, u8, base64(1, 60)),
  TALINK: row(nameText, nameText),
  CDS: ds,
  CDNSKEY: dnskey,
  OPENPGPKEY: base64(1, 60),
  CSYNC: row(u32, u16, types(0)),
  ZONEMD: row(
    u32,
    u8,
    fc.oneof(row('1', hex(48)), row('2', hex(64)), row(fc.integer({ min: 3, max: 255 }), hex(12, 40))),
  ),
  SVCB: svcb,
  HTTPS: svcb,
  DSYNC: row(
    fc.constantFrom('CDS', 'CSYNC', 'ANY', 'TYPE999', '59'),
    fc.constantFrom('NOTIFY', '1', '2', '255'),
    u16,
    nameText,
  ),
  HHIT: base64(1, 40),
  BRID: base64(1, 40),
  SPF: row(strings),
  NID: row(u16, groups(4, 2, ':')),
  L32: row(u16, ipv4),
  L64: row(u16, groups(4, 2, ':')),
  LP: row(u16, nameText),
  EUI48: groups(6, 1, '-'),
  EUI64: groups(8, 1, '-'),
  URI: row(u16, u16, quoted()),
  CAA: row(u8, fc.constantFrom('issue', 'issuewild', 'iodef', 'A1'), quoted()),
  AVC: row(strings),
  DOA: row(u32, u32, u8, quoted(), fc.oneof(fc.constant('-'), base64(1, 40))),
  AMTRELAY: row(u8, fc.constantFrom('0', '1'), relay),
  RESINFO: row(strings),
  WALLET: row(strings),
  TA: ds,
  DLV: ds,
  KEYDATA: row(time, time, time, keyOrNone),
};

/** A zone `example.` of `lines` records below names of its own, its SOA and NS first. No names that the servers reject together. */
export function zoneText(lines: readonly string[]): string {
  const head = '$TTL 300\n@ SOA ns.example.net. host.example.net. 1 2 3 4 5\n NS ns.example.net.\n';
  return head + lines.map((line, i) => `r${i} ${line}\n`).join('');
}

/** Lines `TYPE rdata` of the given types, one each. */
export function recordsOf(names: readonly string[]): fc.Arbitrary<string[]> {
  return fc.tuple(...names.map((name) => RDATA_TEXT[name].map((rdata) => `${name} ${rdata}`)));
}

/** A zone of about `records` records for measuring: hosts with A and AAAA, mail and text records. */
export function bigZone(records: number): string {
  const parts = ['$TTL 300\n@ SOA ns host 1 1 2 3 4\n NS ns\nns A 192.0.2.1\n'];
  for (let i = 0; i < records / 4; i++) {
    parts.push(
      `host${i} IN A 192.0.2.${i % 256}\n\t3600 IN AAAA 2001:db8::${(i % 65536).toString(16)}\n` +
        `mx${i} MX 10 mail${i}.example.com.\nt${i} TXT "text of record ${i}"\n`,
    );
  }
  return parts.join('');
}
