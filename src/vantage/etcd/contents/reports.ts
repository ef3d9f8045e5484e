/** How a vantage's contents are written into few keys: `PREFIX/ready/VANTAGE/head` and `…/BUCKET`. */
import { nameKey, nameText, type WireName } from '../../../dns/name.ts';
import { serialCompare } from '../../../dns/serial.ts';
import type { ContentInForce, OwnContent } from '../../../zones/agreement/content.ts';

/** Keys of a vantage: of a hundred thousand zones some hundreds share one. */
export const BUCKETS = 256;
/** Says that the vantage is there, whatever it has to report. */
export const HEAD = 'head';
const ZONES_MAX = 100_000;
const SERIAL_MAX = 2 ** 32 - 1;
const TEXT_MAX = 512;

export function bucketOf(origin: WireName): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < origin.length; i++) hash = Math.imul(hash ^ origin.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % BUCKETS;
}

/** Whether the others need to know: what it has is not simply what is in force. */
export function isReported(own: OwnContent, inForce: ContentInForce | null): boolean {
  if (inForce === null || own.hash !== inForce.hash) return true;
  const { served } = own;
  if (served === null) return false;
  const order = serialCompare(served.serial, inForce.serial);
  return order > 0 || (order === 0 && served.hash !== inForce.hash);
}

/** `{"v":1,"zones":{"example.test.":["net","hash",serial,"hash served",serial served]}}`; the last two may be null. */
export function printReports(reports: ReadonlyMap<WireName, OwnContent>): string {
  const zones = Array.from(reports, ([origin, { network, hash, serial, served }]) => {
    const row = [network, hash, serial, served?.hash ?? null, served?.serial ?? null];
    return `${JSON.stringify(nameText(origin))}:${JSON.stringify(row)}`;
  });
  return `{"v":1,"zones":{${zones.join(',')}}}`;
}

/** Null: it does not make sense. By hand: a schema of a hundred thousand entries would be walked twice. */
export function parseReports(text: string): ReadonlyMap<WireName, OwnContent> | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof parsed !== 'object' || parsed === null || !('v' in parsed) || parsed.v !== 1 || !('zones' in parsed))
    return null;
  const { zones } = parsed;
  if (typeof zones !== 'object' || zones === null || Array.isArray(zones)) return null;
  const reports = new Map<WireName, OwnContent>();
  for (const [name, row] of Object.entries(zones)) {
    const origin = nameKey(name);
    const own = Array.isArray(row) ? ownOf(row) : null;
    if (origin === null || own === null || reports.size >= ZONES_MAX) return null;
    reports.set(origin, own);
  }
  return reports;
}

function ownOf([network, hash, serial, servedHash, servedSerial]: readonly unknown[]): OwnContent | null {
  if (network !== null && !isText(network)) return null;
  if (!isText(hash) || !isSerial(serial)) return null;
  if (servedHash === null && servedSerial === null) return { network, hash, serial, served: null };
  if (!isText(servedHash) || !isSerial(servedSerial)) return null;
  return { network, hash, serial, served: { hash: servedHash, serial: servedSerial } };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= TEXT_MAX;
}

function isSerial(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= SERIAL_MAX;
}
