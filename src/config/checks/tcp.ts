/** The keys of a check of kind `tcp`. */
import { z } from 'zod';
import { flag, optional, section } from '../fields.ts';
import { type CheckFaults, common, octets, port, tlsKeys, withoutEffect } from './keys.ts';

export const tcp = section({
  kind: z.literal('tcp'),
  ...common,
  port,
  tls: optional(flag(), false),
  ...tlsKeys,
  send: octets('what is sent once connected'),
  expect: octets('what must come'),
});

export const tcpFaults: CheckFaults = (get, at, head) =>
  get(...at, 'tls') === true ? [] : withoutEffect(get, at, head, ['host', 'verify'], 'tls is true');
