/**
 * Sets at a primary that takes dynamic updates (RFC 2136), such as BIND, Knot or PowerDNS: read by questions, changed by
 * UPDATE messages that demand what was read, over TCP, signed with TSIG.
 */
import { RCODE } from '../../dns/message.ts';
import { nameText, type WireName } from '../../dns/name.ts';
import { addressOctets } from '../../system/address.ts';
import type { Guard } from '../../system/guard.ts';
import { nameInZone } from './names-in-zone.ts';
import { type Correction, type Provider, ProviderError } from './provider.ts';
import { exchange } from './rfc2136-exchange.ts';
import { type Rfc2136Spec, updateFault } from './rfc2136-faults.ts';
import { type UpdateStep, updateMessage } from './rfc2136-message.ts';
import { ADDRESS_OCTETS, readSets, TYPE_CODES } from './rfc2136-read.ts';

export type { Rfc2136Spec } from './rfc2136-faults.ts';

export function rfc2136Provider(spec: Rfc2136Spec, { guard }: { readonly guard: Guard }): Provider<null> {
  return {
    kind: 'rfc2136',
    extra: [],
    read: (keys, signal) => readSets(spec, keys, signal, guard),
    apply: (corrections, signal) => update(spec, corrections, signal, guard),
    close: () => Promise.resolve(), // no connection is kept
  };
}

/** All in one message, unless there are thousands of addresses: the server takes it over as a whole or not at all. */
async function update(
  spec: Rfc2136Spec,
  corrections: readonly Correction<null>[],
  signal: AbortSignal,
  guard: Guard,
): Promise<readonly []> {
  const zone = nameInZone(spec.zone, spec.zone);
  const steps = corrections.map((correction) => stepOf(correction, spec));
  for (const message of messagesFor(zone, steps)) {
    const [answer] = await exchange(spec, [message], signal, guard);
    const rcode = answer[3] & 15;
    if (rcode !== RCODE.noError) throw updateFault(rcode, spec);
  }
  return [];
}

function messagesFor(zone: WireName, steps: readonly UpdateStep[]): readonly Uint8Array[] {
  if (steps.length === 0) return [];
  const message = updateMessage(zone, steps);
  if (message !== null) return [message];
  if (steps.length === 1) {
    const text = `the set of ${nameText(steps[0].name)} has more addresses than an update can hold: give it fewer`;
    throw new ProviderError('refused', text);
  }
  const half = Math.ceil(steps.length / 2);
  return [...messagesFor(zone, steps.slice(0, half)), ...messagesFor(zone, steps.slice(half))];
}

function stepOf({ name, type, was, to }: Correction<null>, spec: Rfc2136Spec): UpdateStep {
  const rdata = (addresses: readonly string[]): readonly Uint8Array[] =>
    addresses.map((address) => {
      const octets = addressOctets(address);
      if (octets?.length === ADDRESS_OCTETS[type]) return octets;
      throw new ProviderError('refused', `${address} is no address for a set of type ${type}`);
    });
  return {
    name: nameInZone(name, spec.zone),
    type: TYPE_CODES[type],
    was: was === null ? null : rdata(was.addresses),
    to: to === null ? null : { ttl: to.ttl, rdata: rdata(to.addresses) },
  };
}
