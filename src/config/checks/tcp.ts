/** The keys of a check of kind `tcp`. */
import { z } from 'zod';
import { flag, optional, section } from '../fields.ts';
import { key } from '../key-docs.ts';
import { type CheckFaults, common, octets, port, tlsKeys, withoutEffect } from './keys.ts';

export const tcp = section({
  kind: key(z.literal('tcp'), 'A connection, and with `expect` what comes over it.'),
  ...common,
  port: key(port, 'Where to connect.', { example: '443' }),
  tls: key(optional(flag(), false), 'Whether TLS is spoken.'),
  ...tlsKeys,
  send: key(octets('what is sent once connected'), 'A text that is sent once connected.', {
    otherwise: 'nothing',
    value: '1 to 1024 octets of text',
    example: '"PING\\r\\n"',
  }),
  expect: key(octets('what must come'), 'A text that must be somewhere in the first 16384 octets that come.', {
    otherwise: 'nothing',
    value: '1 to 1024 octets of text',
    example: 'PONG',
  }),
});

export const tcpFaults: CheckFaults = (get, at, head) =>
  get(...at, 'tls') === true ? [] : withoutEffect(get, at, head, ['host', 'verify'], 'tls is true');
