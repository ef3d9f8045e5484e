/** The keys of a check of kind `dns`. */
import { z } from 'zod';
import { RCODE_NAMES } from '../../dns/rcode-name.ts';
import { rdataFromText } from '../../dns/rdata-text.ts';
import { isMetaType, scanTypeName, typeName } from '../../dns/type-name.ts';
import { domainName, oneOrMany, optional, parsed, section } from '../fields.ts';
import { key } from '../key-docs.ts';
import type { Path } from '../yaml-source.ts';
import { type CheckFaults, common, type Found, fault, type Get, port, withoutEffect } from './keys.ts';

/** Type of records that zones hold, by mnemonic or as `TYPE###`. */
const recordType = parsed<number>('a type of record, such as SOA, A or TYPE65280', typeCode);
const TYPE_SOA = 6;

function typeCode(text: string): number | null {
  const code = scanTypeName(Buffer.from(text), 0, Buffer.byteLength(text));
  return code < 0 || isMetaType(code) ? null : code;
}

const rcode = parsed<number>(`a response code (${[...RCODE_NAMES.values()].join(', ')})`, (value) => {
  const found = [...RCODE_NAMES].find(([, name]) => name === value.toUpperCase());
  return found === undefined ? null : found[0];
});

const DATA_MAX = 64;
const RDATA_TEXT_MAX = 4096;
const rdataError = `expected the data of a record as in a zone file, up to ${RDATA_TEXT_MAX} characters`;

export const dns = section({
  kind: key(z.literal('dns'), 'One query, for edges that are name servers.'),
  ...common,
  port: key(optional(port, 53), 'Where the server listens.'),
  transport: key(
    optional(z.enum(['udp', 'tcp'], { error: 'expected udp or tcp' }), 'udp' as const),
    'UDP (a truncated answer is asked for again over TCP), or TCP from the start.',
  ),
  query: key(domainName(), 'The domain name that is asked for.', { example: 'example.net' }),
  type: key(optional(recordType, TYPE_SOA), 'The type of its records.', { default: 'SOA' }),
  rcode: key(optional(rcode, 0), 'The response code that must come.', { default: 'NOERROR' }),
  data: key(
    optional(
      oneOrMany(
        z.string({ error: rdataError }).min(1, { error: rdataError }).max(RDATA_TEXT_MAX, { error: rdataError }),
        "a record's data, or a list",
      )
        .refine((data) => data.length > 0, { error: 'expected the data of at least one record' })
        .refine((data) => data.length <= DATA_MAX, { error: `expected the data of at most ${DATA_MAX} records` }),
      null,
    ),
    'Data of records as in a zone file; names without final dot are whole names, too.',
    { otherwise: 'whatever is answered is right', example: '[192.0.2.1, 192.0.2.2]' },
  ),
  match: key(
    optional(z.enum(['all', 'any', 'exact'], { error: 'expected all, any or exact' }), 'all' as const),
    'Whether all of `data` must be in the answer, any of them, or exactly they and no other record of the type.',
  ),
});

export const dnsFaults: CheckFaults = (get, at, head) => [
  ...dataFaults(get, at, head),
  ...((get(...at, 'data') ?? null) === null ? withoutEffect(get, at, head, ['match'], 'data is given') : []),
];

/** Data is read by the type that it is of. */
function dataFaults(get: Get, at: Path, head: string): readonly Found[] {
  const given = get(...at, 'type') ?? 'SOA';
  const type = typeof given === 'string' ? typeCode(given.trim()) : null;
  if (type === null) return [];
  const data = get(...at, 'data');
  const texts: readonly unknown[] = Array.isArray(data) ? data : [data];
  return texts.flatMap((text, i) => {
    const rdata = typeof text === 'string' && text !== '' ? rdataFromText(type, text) : null;
    if (typeof rdata !== 'string') return [];
    const [place, key] = Array.isArray(data) ? [[...at, 'data', i], `data[${i}]`] : [[...at, 'data'], 'data'];
    return [
      fault(place, 'bad-value', `${head}.${key}: expected the data of a record of type ${typeName(type)}: ${rdata}`),
    ];
  });
}
