/** The keys of a provider of kind `rfc2136`. */
import { z } from 'zod';
import { type CheckFaults, type Found, fault } from '../checks/keys.ts';
import { address, domainName, endpoint, flag, optional, section } from '../fields.ts';
import { sendFaults } from '../send-addresses.ts';
import { publishKeys, setTtl } from './keys.ts';

export const rfc2136 = section({
  provider: z.literal('rfc2136'),
  ...publishKeys,
  ttl: setTtl(),
  to: endpoint(53),
  from: optional(address(), null),
  /** One of `transfer.keys` or of `transfer.key_files`; null: nothing is signed. */
  key: optional(domainName(), null),
  /** Says that there is no key on purpose. */
  unsigned: optional(flag(), false),
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
