/** The keys of a check of kind `command`. */
import { z } from 'zod';
import { list, number, oneOrMany, optional, parsed, section } from '../fields.ts';
import { key } from '../key-docs.ts';
import { type CheckFaults, common, type Found, fault, OCTETS_MAX } from './keys.ts';

const ARGUMENTS_MAX = 64;
const argument = z
  .string({ error: 'expected an argument as text (numbers in quotation marks)' })
  .refine((value) => Buffer.byteLength(value) <= OCTETS_MAX && !value.includes('\0'), {
    error: `expected an argument of at most ${OCTETS_MAX} octets, without NUL`,
  });

const exitStatuses = oneOrMany(
  number('an exit status', { min: 0, max: 255 }),
  'an exit status (0 to 255), or a list of them',
);

/** `ok`, `unknown`: exit statuses that pass, and that say nothing about the edge. */
export const command = section({
  kind: key(z.literal('command'), 'A program, run without a shell; plugins of Nagios can be used.'),
  ...common,
  program: key(
    parsed<string>('the absolute path of a program, such as /usr/lib/nagios/plugins/check_smtp', (value) =>
      value.startsWith('/') && !value.includes('\0') ? value : null,
    ),
    'The absolute path of the program.',
    { example: '/usr/lib/nagios/plugins/check_ssh' },
  ),
  args: key(
    optional(
      list(argument, 'a list of arguments').max(ARGUMENTS_MAX, {
        error: `expected at most ${ARGUMENTS_MAX} arguments`,
      }),
      ['{edge}', '{address}'],
    ),
    'Its arguments; `{edge}` and `{address}` in them are replaced.',
    { default: '["{edge}", "{address}"]' },
  ),
  ok: key(
    optional(
      exitStatuses.refine((statuses) => statuses.length > 0, { error: 'expected at least one exit status' }),
      [0],
    ),
    'Exit statuses that pass.',
    { default: '0', example: '[0, 1]' },
  ),
  unknown: key(
    optional(exitStatuses, []),
    'Exit statuses that say nothing about the edge, whose last state then stands.',
    { otherwise: 'none', example: '3' },
  ),
});

export const commandFaults: CheckFaults = (get, at, head) => {
  const statuses = (key: 'ok' | 'unknown'): readonly unknown[] => {
    const given = get(...at, key) ?? (key === 'ok' ? 0 : []);
    return Array.isArray(given) ? given : [given];
  };
  const both = statuses('unknown').find((status) => statuses('ok').includes(status));
  const args = get(...at, 'args');
  const unknown = (Array.isArray(args) ? args : []).flatMap((arg: unknown, i): Found[] => {
    const slip = typeof arg === 'string' ? /^\{(?!edge\}|address\})[A-Za-z]+\}$/.exec(arg) : null;
    if (slip === null) return [];
    const message = `${head}.args[${i}]: ${slip[0]} is passed on as it is; only {edge} and {address} are replaced`;
    return [{ severity: 'warning', code: 'bad-value', path: [...at, 'args', i], message }];
  });
  if (both === undefined) return unknown;
  const message = `${head}.unknown: the exit status ${both} passes already (ok); each has one meaning`;
  return [...unknown, fault([...at, 'unknown'], 'bad-value', message)];
};
