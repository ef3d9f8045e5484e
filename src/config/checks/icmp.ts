/** The keys of a check of kind `icmp`. */
import { z } from 'zod';
import { number, optional, section } from '../fields.ts';
import { key } from '../key-docs.ts';
import { type CheckFaults, common, type Found, fault } from './keys.ts';

/** `max_loss`: per cent of the `count` requests. `interval`: seconds between two of them. */
export const icmp = section({
  kind: key(
    z.literal('icmp'),
    'Echo requests (ping). The system must allow them to the group of the server (`net.ipv4.ping_group_range`).',
  ),
  ...common,
  count: key(optional(number('a number of echo requests', { min: 1, max: 20 }), 3), 'How many are sent.'),
  max_loss: key(
    optional(number('per cent of the requests', { min: 0, max: 99, integer: false }), 50),
    'How many of them may stay without a reply; at least one reply must come.',
  ),
  interval: key(
    optional(number('seconds', { min: 0.01, max: 60, integer: false }), 0.2),
    'Time between two of them; all must fit into the timeout.',
  ),
});

export const icmpFaults: CheckFaults = (get, at, head, whole) => {
  const given = (key: string, otherwise: number): number | null => {
    const value = get(...at, key) ?? otherwise;
    return typeof value === 'number' ? value : null;
  };
  const [count, interval, timeout] = [given('count', 3), given('interval', 0.2), given('timeout', whole)];
  if (count === null || interval === null || timeout === null) return [];
  const loss = get(...at, 'max_loss');
  const idle = [
    ...(typeof loss === 'number' && loss > 0 && Math.floor((count * loss) / 100) < 1
      ? [['max_loss', `is less than one of ${count} requests`] as const]
      : []),
    ...(count === 1 && typeof get(...at, 'interval') === 'number'
      ? [['interval', 'is the time between requests, and there is one'] as const]
      : []),
  ];
  return [
    ...idle.map(([key, why]): Found => {
      const message = `${head}.${key}: has no effect: it ${why}`;
      return { severity: 'warning', code: 'ignored', path: [...at, key], what: 'key', message };
    }),
    ...((count - 1) * interval < timeout
      ? []
      : [
          fault(
            [...at, get(...at, 'interval') === undefined ? 'count' : 'interval'],
            'out-of-range',
            `${head}: ${count} requests with ${interval} s between them take longer than the timeout of ${timeout} s`,
          ),
        ]),
  ];
};
