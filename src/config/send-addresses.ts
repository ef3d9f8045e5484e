/** Addresses that something is to be sent to and from, `to` and `from` of one section, each of which is fine alone. */
import { isIP, isIPv6 } from 'node:net';
import { addressOctets, parseEndpoint } from '../system/address.ts';
import { type Found, fault, type Get } from './checks/keys.ts';
import type { Path } from './yaml-source.ts';

/** What cannot be sent to, or what the kernel would refuse to send from. `head`: the section as messages name it. */
export function sendFaults(get: Get, at: Path, head: string): Found[] {
  const bad = (key: 'to' | 'from', message: string): Found =>
    fault([...at, key], 'bad-value', `${head}.${key}: ${message}`);
  const [given, from] = [get(...at, 'to'), get(...at, 'from') ?? null];
  const to = typeof given === 'string' ? parseEndpoint(given.trim(), 53) : null;
  if (to === null) return [];
  const found: Found[] = [];
  const target = addressKind(to.address);
  if (target === 'wildcard') found.push(bad('to', `${to.address} is every address of this machine, not one`));
  if (target === 'many') found.push(bad('to', `${to.address} is not the address of one server`));
  if (to.port === 0) found.push(bad('to', 'nobody listens on port 0'));
  if (typeof from !== 'string' || isIP(from.trim()) === 0) return found;
  const source = addressKind(from.trim());
  if (source === 'many') found.push(bad('from', `${from} is not an address of this machine`));
  else if (isIPv6(from.trim()) !== isIPv6(to.address)) {
    found.push(bad('from', `${from} and ${to.address} are not of the same family`));
  } else if (source === 'loopback' && target !== 'loopback') {
    found.push(bad('from', `${from} reaches this machine only, and ${to.address} is elsewhere`));
  }
  return found;
}

/** `many`: multicast and broadcast. */
function addressKind(address: string): 'wildcard' | 'loopback' | 'many' | 'one' {
  const octets = addressOctets(address) ?? Uint8Array.of(1); // with a scope: link-local
  if (octets.every((octet) => octet === 0)) return 'wildcard';
  if (octets.length !== 4) {
    if (octets[0] === 0xff) return 'many';
    return octets.length === 16 && octets[15] === 1 && octets.every((octet, n) => n === 15 || octet === 0)
      ? 'loopback'
      : 'one';
  }
  if (octets[0] >= 224) return 'many';
  return octets[0] === 127 ? 'loopback' : 'one';
}
