/** The keys of a provider of kind `rfc2136`. */
import { z } from 'zod';
import { type CheckFaults, type Found, fault } from '../checks/keys.ts';
import { address, domainName, endpoint, flag, optional, section } from '../fields.ts';
import { key } from '../key-docs.ts';
import { sendFaults } from '../send-addresses.ts';
import { publishKeys, setTtl } from './keys.ts';

export const rfc2136 = section({
  provider: key(z.literal('rfc2136'), 'Dynamic updates (RFC 2136), such as BIND, Knot and PowerDNS take.'),
  ...publishKeys,
  ttl: key(setTtl(), 'How long resolvers may keep the set.'),
  to: key(endpoint(53), 'The primary that takes updates, port 53 where none is given.', { example: '192.0.2.53' }),
  from: key(optional(address(), null), 'The address that updates come from.', {
    otherwise: 'the choice of the kernel',
  }),
  /** One of `transfer.keys` or of `transfer.key_files`; null: nothing is signed. */
  key: key(
    optional(domainName(), null),
    'The TSIG key that signs them, one of `transfer.keys` or `transfer.key_files`.',
    { otherwise: '`unsigned` must be said', example: 'upd.example.net.' },
  ),
  /** Says that there is no key on purpose. */
  unsigned: key(
    optional(flag(), false),
    'Says that there is no key, so that whoever can send from this address can write as well.',
  ),
});

export const rfc2136Faults: CheckFaults = (get, at, head) => {
  const [isSigned, isUnsigned] = [(get(...at, 'key') ?? null) !== null, get(...at, 'unsigned') === true];
  const found: Found[] = [...sendFaults(get, at, head)];
  if (!isSigned && !isUnsigned) {
    const message = `${head}: needs key, the name of one of transfer.keys; "unsigned: true" sends updates that anybody could forge`;
    found.push(fault(at, 'missing-key', message));
  }
  if (isSigned && isUnsigned) {
    found.push(
      fault([...at, 'unsigned'], 'bad-value', `${head}.unsigned: contradicts key, which signs; leave one of them out`),
    );
  }
  return found;
};
