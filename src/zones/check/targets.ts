import { textFromWire } from '../../dns/name.ts';
import type { CheckReport } from './fault.ts';
import { HAS, OUTSIDE, TYPE, type ZoneIndex } from './index-zone.ts';

/** What an NS, MX or SRV target is. `hidden`: below a cut, so another server answers for it. */
type Target = 'fine' | 'outside' | 'cname' | 'dname' | 'no-address' | 'delegated';

const WORD: ReadonlyMap<number, string> = new Map([
  [TYPE.NS, 'NS'],
  [TYPE.MX, 'MX'],
  [TYPE.SRV, 'SRV'],
]);
const SKIP: ReadonlyMap<number, number> = new Map([
  [TYPE.NS, 0],
  [TYPE.MX, 2],
  [TYPE.SRV, 6],
]);

/**
 * Targets must have addresses of their own: NS (RFC 2181 §10.3, RFC 1912 §2.4), MX (RFC 2181 §10.3) and SRV
 * (RFC 2782). As BIND rates it, the apex's own NS make an error of it, anything else a warning; names below a cut or
 * a DNAME are not checked, and names outside the zone are not looked up.
 */
export function checkTargets(index: ZoneIndex, report: CheckReport): void {
  const { store, names } = index;
  for (let name = 0; name < index.first.length; name++) {
    const first = index.first[name];
    if (first < 0) continue;
    if (index.hiddenBy(names.octets, names.offsetOf(name), index.depth[name]) >= 0) continue;
    const cut = name !== index.apex && (index.has[name] & HAS.ns) !== 0;
    for (let record = first; record >= 0; record = index.next[record]) {
      const type = store.typeOf(record);
      const skip = SKIP.get(type);
      if (skip === undefined || (cut && type !== TYPE.NS)) continue;
      checkTarget(index, name, record, type, store.rdataStart(record) + skip, report);
    }
  }
}

function checkTarget(
  index: ZoneIndex,
  owner: number,
  record: number,
  type: number,
  at: number,
  report: CheckReport,
): void {
  const { rdata } = index.store;
  if (type !== TYPE.NS && rdata[at] === 0) return; // "." says: none (RFC 7505, RFC 2782)
  const kind = targetKind(index, rdata, at);
  if (kind === 'fine' || kind === 'outside') return;
  if (kind === 'delegated') {
    if (type === TYPE.NS && owner !== index.apex) checkGlue(index, owner, record, at, report);
    return;
  }
  const severity = type === TYPE.NS && owner === index.apex ? 'error' : 'warning';
  const text = `${WORD.get(type)} target ${textFromWire(rdata, at)}`;
  switch (kind) {
    case 'cname':
      report.add(severity, 'target-cname', record, () => `${text} is a CNAME (RFC 2181 §10.3)`);
      return;
    case 'dname':
      report.add(severity, 'target-dname', record, () => `${text} is below a DNAME, so an alias (RFC 2181 §10.3)`);
      return;
    case 'no-address':
      report.add(severity, 'target-no-address', record, () => `${text} has no A or AAAA record in this zone`);
      return;
    default:
      kind satisfies never;
  }
}

function targetKind(index: ZoneIndex, wire: Uint8Array, at: number): Target {
  const depth = index.depthOf(wire, at);
  if (depth === OUTSIDE) return 'outside';
  const hidden = index.hiddenBy(wire, at, depth);
  if (hidden >= 0) return (index.has[hidden] & HAS.ns) !== 0 && hidden !== index.apex ? 'delegated' : 'dname';
  const name = index.names.find(wire, at);
  if (name >= 0 && index.has[name] !== 0) return kindOf(index, name);
  return index.anyWildcard && depth > 0 && !index.exists(wire, at) ? wildcardKind(index, wire, at) : 'no-address';
}

function kindOf(index: ZoneIndex, name: number): Target {
  const has = index.has[name];
  if ((has & HAS.ns) !== 0 && name !== index.apex) return 'delegated';
  if ((has & HAS.cname) !== 0) return 'cname';
  return (has & (HAS.address | HAS.live)) !== 0 ? 'fine' : 'no-address';
}

/** The closest encloser's own `*` answers for a name that does not exist (RFC 4592 §3.3.1). */
function wildcardKind(index: ZoneIndex, wire: Uint8Array, at: number): Target {
  let encloser = at;
  do encloser += 1 + wire[encloser];
  while (!index.exists(wire, encloser) && index.depthOf(wire, encloser) > 0);
  const star = new Uint8Array(2 + 255);
  star.set([1, 0x2a]);
  star.set(wire.subarray(encloser, Math.min(wire.length, encloser + 255)), 2);
  const name = index.names.find(star, 0);
  return name >= 0 && index.has[name] !== 0 ? kindOf(index, name) : 'no-address';
}

/**
 * A server whose name lies below a cut of this zone is only found by the address records beside it (RFC 1034 §4.2.1).
 */
function checkGlue(index: ZoneIndex, owner: number, record: number, at: number, report: CheckReport): void {
  const { rdata } = index.store;
  const target = index.names.find(rdata, at);
  if (target >= 0 && (index.has[target] & HAS.address) !== 0) return;
  const required = isBelow(index, rdata, at, owner);
  report.add('warning', 'glue-missing', record, () => {
    const kind = required ? 'required' : 'sibling';
    return `NS target ${textFromWire(rdata, at)} has no ${kind} glue: no A or AAAA record in this zone (RFC 9471)`;
  });
}

function isBelow(index: ZoneIndex, wire: Uint8Array, offset: number, ancestor: number): boolean {
  for (let at = offset; wire[at] !== 0; at += 1 + wire[at]) if (index.names.find(wire, at) === ancestor) return true;
  return false;
}
