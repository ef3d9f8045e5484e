import { readFileSync } from 'node:fs';
import { nameFromText } from '../../src/dns/name.ts';
import { type ReadRequest, type ReadResult, readZone } from '../../src/zones/scan/read-zone.ts';
import { printStored } from '../../src/zones/write/print-record.ts';

/** Absolute text to wire; throws on what is no name, so that a test's typing error shows. */
export function wireName(text: string): Uint8Array {
  const wire = nameFromText(text, Uint8Array.of(0));
  if (typeof wire === 'string') throw new Error(`${text}: ${wire}`);
  return wire;
}

/** Reads master-file text (a string's characters are octets) with origin `example.` unless told. */
export function readText(text: string | Uint8Array, request: Partial<ReadRequest> = {}): ReadResult {
  return readZone({
    origin: wireName('example.'),
    file: 'test.zone',
    text: typeof text === 'string' ? Buffer.from(text, 'latin1') : text,
    defaultTtl: null,
    initialOwner: null,
    includeRoot: null,
    include: (path) => {
      try {
        return { ok: true, text: readFileSync(path) };
      } catch {
        return { ok: false, message: 'no such file' };
      }
    },
    ...request,
  });
}

/** The store's records as `owner TTL type data`, in the order read. */
export function recordLines({ store }: ReadResult): string[] {
  return Array.from({ length: store.size }, (_, i) => printStored(store, i).replace(/\t(\d+)\tIN\t(\S+)\t/, ' $1 $2 '));
}

/** The store's records as `owner TTL type data` in hexadecimal, owner with case, sorted: what other readers are compared by. */
export function recordKeys({ store }: ReadResult): string[] {
  const hex = (octets: Uint8Array): string => Buffer.from(octets).toString('hex');
  return Array.from({ length: store.size }, (_, i) => {
    const owner = hex(store.names.wireOf(store.ownerOf(i)));
    const rdata = hex(store.rdata.subarray(store.rdataStart(i), store.rdataEnd(i)));
    return `${owner} ${store.ttlOf(i)} ${store.typeOf(i)} ${rdata}`;
  }).sort();
}
