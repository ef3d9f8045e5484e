import { isIP } from 'node:net';
import { textFromWire, wireNameLength } from '../../dns/name.ts';
import type { CheckReport } from './fault.ts';
import { isHostName, isMailbox, isNsec3Owner, isReverse } from './host-name.ts';
import { HAS, TYPE, type ZoneIndex } from './index-zone.ts';

/** Offsets of the names that must be host names or mailboxes (`named`'s check-names), by type. */
type NameRule = { readonly skip: number; readonly count: number; readonly kinds: readonly ('host' | 'mailbox')[] };
const rule = (skip: number, ...kinds: NameRule['kinds']): NameRule => ({ skip, count: kinds.length, kinds });
const RULES: ReadonlyMap<number, NameRule> = new Map([
  [TYPE.NS, rule(0, 'host')],
  [TYPE.SOA, rule(0, 'host', 'mailbox')],
  [TYPE.PTR, rule(0, 'host')],
  [TYPE.MINFO, rule(0, 'mailbox', 'mailbox')],
  [TYPE.MX, rule(2, 'host')],
  [TYPE.RP, rule(0, 'mailbox')],
  [TYPE.AFSDB, rule(2, 'host')],
  [TYPE.RT, rule(2, 'host')],
  [TYPE.SRV, rule(6, 'host')],
  [TYPE.SVCB, rule(2, 'host')],
  [TYPE.HTTPS, rule(2, 'host')],
]);

/** Names that are legal in the DNS but not as what they are used for. */
export function checkNames(index: ZoneIndex, report: CheckReport): void {
  for (let name = 0; name < index.first.length; name++) {
    const first = index.first[name];
    if (first < 0) continue;
    const at = index.names.offsetOf(name);
    checkWildcard(index, first, at, report);
    if ((index.has[name] & HAS.host) !== 0) checkOwner(index, first, at, report);
    for (let record = first; record >= 0; record = index.next[record]) {
      const rules = RULES.get(index.store.typeOf(record));
      if (rules !== undefined) checkTargets(index, record, rules, at, report);
    }
  }
}

/**
 * RFC 4592 §2.1.1: only a leftmost `*` is a wildcard; §4.2: NS at a wildcard means nothing sensible, BIND refuses it.
 */
function checkWildcard(index: ZoneIndex, first: number, at: number, report: CheckReport): void {
  const { octets } = index.names;
  if (octets[at] === 0) return;
  const leftmost = octets[at] === 1 && octets[at + 1] === 0x2a;
  for (let label = at + 1 + octets[at]; octets[label] !== 0; label += 1 + octets[label]) {
    if (octets[label] !== 1 || octets[label + 1] !== 0x2a) continue;
    report.add('warning', 'wildcard-inside', first, () => {
      return `${report.owner(first)} has a "*" that is not its first label: no wildcard (RFC 4592 §2.1.1)`;
    });
    break;
  }
  if (!leftmost) return;
  for (let record = first; record >= 0; record = index.next[record]) {
    if (index.store.typeOf(record) !== TYPE.NS) continue;
    report.add(
      'error',
      'wildcard-ns',
      record,
      () => `${report.owner(record)} is a wildcard and cannot have NS records`,
    );
    return;
  }
}

function checkOwner(index: ZoneIndex, first: number, at: number, report: CheckReport): void {
  const { octets } = index.names;
  const host = isHostName(octets, at, true);
  for (let record = first; record >= 0; record = index.next[record]) {
    const type = index.store.typeOf(record);
    if (type === TYPE.NSEC3) {
      if (isNsec3Owner(octets, at)) continue;
      report.add('error', 'nsec3-owner', record, () => `${report.owner(record)} is no NSEC3 owner (RFC 5155 §3)`);
      return;
    }
    const expects = type === TYPE.A || type === TYPE.AAAA || type === TYPE.MX || type === TYPE.WKS || type === TYPE.A6;
    if (host || !expects || isHostPrefixed(index, at, type)) continue;
    report.add('warning', 'owner-name', record, () => {
      return `${report.owner(record)} is not a host name: letters, digits and inner hyphens only (RFC 1123 §2.1)`;
    });
    return;
  }
}

/** Active Directory keeps its global catalog's addresses at `gc._msdcs.` and a host name; BIND accepts it. */
function isHostPrefixed(index: ZoneIndex, at: number, type: number): boolean {
  if (type !== TYPE.A && type !== TYPE.AAAA) return false;
  const { octets } = index.names;
  const prefix = '\x02gc\x06_msdcs';
  for (let i = 0; i < prefix.length; i++) {
    if (octets[at + i] !== prefix.charCodeAt(i) && octets[at + i] + 0x20 !== prefix.charCodeAt(i)) return false;
  }
  return isHostName(octets, at + prefix.length, false);
}

function checkTargets(index: ZoneIndex, record: number, rules: NameRule, owner: number, report: CheckReport): void {
  const { store } = index;
  const { rdata } = store;
  const type = store.typeOf(record);
  if (type === TYPE.PTR && !isReverse(index.names.octets, owner)) return;
  const start = store.rdataStart(record);
  // Alias mode (RFC 9460 §2.4.2) points anywhere.
  if ((type === TYPE.SVCB || type === TYPE.HTTPS) && rdata[start] === 0 && rdata[start + 1] === 0) return;
  let at = start + rules.skip;
  if (type === TYPE.NS || type === TYPE.MX) checkAddress(index, record, at, type, report);
  for (const kind of rules.kinds) {
    const ok = kind === 'host' ? isHostName(rdata, at, false) : isMailbox(rdata, at);
    if (!ok) {
      const text = textFromWire(rdata, at);
      report.add('warning', 'target-name', record, () => {
        return `${text} is not a ${kind === 'host' ? 'host name' : 'mailbox name'} (RFC 1123 §2.1)`;
      });
    }
    at += wireNameLength(rdata, at);
  }
}

/** `NS 192.0.2.1` names a host of that name, which is never meant. */
function checkAddress(index: ZoneIndex, record: number, at: number, type: number, report: CheckReport): void {
  const { rdata } = index.store;
  const first = rdata[at + 1];
  const digit = rdata[at] > 0 && first >= 0x30 && first <= 0x39;
  let colon = false;
  for (let i = at + 1; i <= at + rdata[at]; i++) if (rdata[i] === 0x3a) colon = true;
  if (!digit && !colon) return;
  const text = bareText(rdata, at);
  const origin = bareText(index.origin, 0);
  const relative = origin !== '' && text.endsWith(`.${origin}`) ? text.slice(0, -origin.length - 1) : text;
  if (isIP(text) === 0 && isIP(relative) === 0) return;
  const word = type === TYPE.NS ? 'NS' : 'MX';
  report.add(
    'warning',
    'target-is-address',
    record,
    () => `${word} wants a host name, and "${relative}" is an address`,
  );
}

/** The labels as they are, dots between: an address has no octet that a name's text would escape, but for the colon. */
function bareText(wire: Uint8Array, offset: number): string {
  const labels: string[] = [];
  for (let at = offset; wire[at] !== 0; at += 1 + wire[at]) {
    labels.push(String.fromCharCode(...wire.subarray(at + 1, at + 1 + wire[at])));
  }
  return labels.join('.');
}
