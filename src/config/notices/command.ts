/** The keys of a target `command`: a program of the operator's. */
import { z } from 'zod';
import { list, optional, parsed, section } from '../fields.ts';
import { key } from '../key-docs.ts';
import { noticeKeys } from './keys.ts';

const ARGUMENTS_MAX = 64;

export const command = section({
  to: key(z.literal('command'), 'A program that reads JSON on standard input, run without a shell.'),
  ...noticeKeys,
  program: key(
    parsed<string>('the absolute path of a program, such as /usr/local/bin/page-duty', (value) =>
      value.startsWith('/') && !value.includes('\0') ? value : null,
    ),
    'The absolute path of the program.',
    { example: '/usr/local/bin/page-duty' },
  ),
  args: key(
    optional(
      list(
        z
          .string({ error: 'expected an argument as text (numbers in quotation marks)' })
          .refine((value) => Buffer.byteLength(value) <= 1024 && !value.includes('\0'), {
            error: 'expected an argument of at most 1024 octets, without NUL',
          }),
        'a list of arguments',
      ).max(ARGUMENTS_MAX, { error: `expected at most ${ARGUMENTS_MAX} arguments` }),
      [],
    ),
    'Its arguments.',
    { otherwise: 'none', example: '[--team, dns]' },
  ),
});
