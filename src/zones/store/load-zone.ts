import { ZONE_LIMITS, type ZoneLimits } from '../../config/limits.ts';
import { type Fault, hasErrors } from '../../system/fault.ts';
import { checkZone } from '../check/check-zone.ts';
import type { CheckFaultCode, LineText } from '../check/fault.ts';
import { normalized } from '../check/normalize.ts';
import { compileZone } from '../compile/compile.ts';
import { HEAD } from '../image/layout.ts';
import { RecordStore } from '../records/record-store.ts';
import type { ZoneFaultCode } from '../scan/fault.ts';
import type { Included } from '../scan/include.ts';
import { readZone } from '../scan/read-zone.ts';
import { addNetworkHead, liveNames, MADE_TTL, type ZoneDns } from './network-zone.ts';

export type LoadFaultCode = ZoneFaultCode | CheckFaultCode | 'zone-unreadable';
export type LoadFault = Fault<LoadFaultCode>;

/**
 * What a zone file is: a complete zone of its own; the text that follows what the server makes for a zone of a network;
 * or such a text alone, when no configuration says what the server makes (`edgewise checkzone --include`).
 */
export type ZoneSource =
  | { readonly kind: 'static' }
  | { readonly kind: 'network'; readonly dns: ZoneDns }
  | { readonly kind: 'include'; readonly rotateZones: readonly string[] };

export type LoadRequest = {
  /** Wire form. */
  readonly origin: Uint8Array;
  /** Path of the zone's file, as faults name it and `readFile` gets it. */
  readonly file: string;
  readonly source: ZoneSource;
  /** Absolute path of the folder that `$INCLUDE` is confined to; null: refused. */
  readonly includeRoot: string | null;
  /** More such folders; none otherwise. */
  readonly includeDirs?: readonly string[];
  /** `ZONE_LIMITS` otherwise. */
  readonly limits?: ZoneLimits;
  /** TTL in seconds that a static zone's records get before any is written; null (usual): that is a fault. */
  readonly defaultTtl?: number;
  /** Reads a file; called for the zone's own file first, then for each `$INCLUDE`. */
  readonly readFile: (path: string) => Included;
  /** An empty store for the records, which the result then holds; a new one otherwise. */
  readonly into?: RecordStore;
};

export type LoadedZone = {
  /** False: the faults hold an error, and nothing of this may be served. */
  readonly ok: boolean;
  readonly faults: readonly LoadFault[];
  /** Files this depends on, its own first, unreadable ones too. */
  readonly files: readonly string[];
  readonly origin: Uint8Array;
  readonly store: RecordStore;
  readonly live: null | { readonly names: readonly Uint8Array[]; readonly ttl: number };
  /** Serial of the zone's own SOA; 0 for a network's zone, which gets one from outside. */
  readonly serial: number;
};

/**
 * Reads and checks one zone. A network's zone is SOA, NS, then the include file's text with 300 s as default TTL, `@`
 * as first owner, and the live names; its own address records at live names are left out. Pure but for `readFile`.
 */
export function loadZone(request: LoadRequest): LoadedZone {
  const { origin, file, source } = request;
  const files = [file];
  const texts = new Map<string, Uint8Array>();
  const read = (path: string): Included => {
    const found = request.readFile(path);
    if (found.ok) texts.set(path, found.text);
    return found;
  };
  const live = liveOf(origin, source);
  const own = read(file);
  const store = request.into ?? new RecordStore();
  if (source.kind === 'network') addNetworkHead(store, origin, source.dns);
  if (!own.ok) {
    const fault: LoadFault = {
      severity: 'error',
      code: 'zone-unreadable',
      at: { file, line: 1, col: 1, text: '' },
      message: own.message,
    };
    return { ok: false, faults: [fault], files, origin, store, live, serial: 0 };
  }

  const scanned = readZone({
    origin,
    file,
    text: own.text,
    defaultTtl: source.kind === 'static' ? (request.defaultTtl ?? null) : MADE_TTL,
    initialOwner: source.kind === 'static' ? null : origin,
    into: store,
    includeRoot: request.includeRoot,
    includeDirs: request.includeDirs ?? [],
    limits: request.limits ?? ZONE_LIMITS,
    include: read,
  });
  const checked = checkZone({
    origin,
    store: scanned.store,
    kind: source.kind === 'static' ? 'complete' : 'include',
    live: live?.names ?? [],
    lineText: lineTextOf(texts),
  });
  const served = normalized(scanned.store, checked.changes);
  const broken = hasErrors(scanned.faults);
  const found = checked.faults.filter(({ code }) => !(broken && FOLLOW_ONS.has(code)));
  const faults: LoadFault[] = [...scanned.faults, ...found];
  const serial = source.kind === 'static' ? soaSerial(served, origin) : 0;
  return {
    ok: !hasErrors(faults),
    faults,
    files: [...files, ...scanned.includes],
    origin,
    store: served,
    live,
    serial,
  };
}

/** Said of a file whose lines could not all be read, these would only repeat that. */
const FOLLOW_ONS: ReadonlySet<string> = new Set<CheckFaultCode>([
  'soa-missing',
  'ns-missing',
  'target-no-address',
  'glue-missing',
  'spf-without-txt',
]);

function liveOf(origin: Uint8Array, source: ZoneSource): LoadedZone['live'] {
  switch (source.kind) {
    case 'static':
      return null;
    case 'network':
      return { names: liveNames(origin, source.dns.rotateZones), ttl: source.dns.ttl };
    case 'include':
      return { names: liveNames(origin, source.rotateZones), ttl: 0 };
    default:
      return source satisfies never;
  }
}

/** The shared image that the answering threads read, with the given serial (null: the SOA's own). */
export function compileLoaded({ origin, store, live }: LoadedZone, serial: number | null): SharedArrayBuffer {
  return compileZone({ origin, store, serial, live });
}

/** The same version under another serial. An image is never written after it is made, so this is a copy. */
export function withSerial(image: SharedArrayBuffer, serial: number): SharedArrayBuffer {
  const copy = new SharedArrayBuffer(image.byteLength);
  new Uint8Array(copy).set(new Uint8Array(image));
  new Int32Array(copy, 0, HEAD.words)[HEAD.serial] = serial | 0;
  return copy;
}

/** Lines out of the texts that were read, counted from 1. */
function lineTextOf(texts: ReadonlyMap<string, Uint8Array>): LineText {
  return (file, line) => {
    const text = texts.get(file);
    if (text === undefined) return '';
    let start = 0;
    for (let left = line; left > 1; left--) {
      start = text.indexOf(0x0a, start) + 1;
      if (start === 0) return '';
    }
    const end = text.indexOf(0x0a, start);
    const octets = text.subarray(start, end < 0 ? text.length : end);
    return new TextDecoder().decode(octets).replace(/\r$/, '');
  };
}

const SOA = 6;

/** Serial of the SOA at the origin; 0 when there is none. */
function soaSerial(store: RecordStore, origin: Uint8Array): number {
  const apex = store.names.find(origin);
  for (let record = 0; record < store.size; record++) {
    if (store.typeOf(record) !== SOA || store.ownerOf(record) !== apex) continue;
    const at = store.rdataEnd(record) - 20; // serial, then four times of four octets
    return new DataView(store.rdata.buffer, store.rdata.byteOffset + at).getUint32(0);
  }
  return 0;
}
