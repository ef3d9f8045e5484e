/** The keys of a target `email`: a mail to people, by way of a server that takes mail from this machine. */
import { z } from 'zod';
import type { Endpoint } from '../../system/address.ts';
import { parseEndpoint } from '../../system/address.ts';
import { isHostName } from '../../system/host-name.ts';
import { fault } from '../checks/keys.ts';
import { flag, oneOrMany, optional, parsed, section, text } from '../fields.ts';
import { key } from '../key-docs.ts';
import { type NoticeFaults, noticeKeys } from './keys.ts';
import { oneOf, secretFile, secretVariable } from './secrets.ts';

const RECIPIENTS_MAX = 50;

/** RFC 5321 section 4.1.2, without quoted local parts. */
const mailbox = parsed<string>('a mail address such as duty@example.net', (value) => {
  const match = /^([A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64})@([A-Za-z0-9.-]{1,253})$/.exec(value);
  return match !== null && isHostName(match[2]) ? value : null;
});

/** `mail.example.net:587`, `127.0.0.1`, `[::1]:25`. */
function server(value: string): Endpoint | null {
  const literal = parseEndpoint(value, 25);
  if (literal !== null) return literal;
  const match = /^([^:\s[\]]+?)(?::(\d{1,5}))?$/.exec(value);
  if (match === null || !isHostName(match[1])) return null;
  const port = Number(match[2] ?? 25);
  return port >= 1 && port <= 65_535 ? { address: match[1], port } : null;
}

const passwordKeys = {
  password_file: key(secretFile('the password'), 'The file with the password in its only line.', { otherwise: 'none' }),
  password_env: key(secretVariable('the password'), 'The variable of the environment that holds the password.', {
    otherwise: 'none',
  }),
};

export const email = section({
  to: key(z.literal('email'), 'Plain text by SMTP.'),
  ...noticeKeys,
  server: key(
    optional(parsed<Endpoint>('a mail server such as mail.example.net:587 or 127.0.0.1:25', server), {
      address: '127.0.0.1',
      port: 25,
    }),
    'The server that takes the mail, port 25 where none is given.',
    { default: '127.0.0.1:25' },
  ),
  from: key(mailbox, 'The address of the sender.', { example: 'edgewise@example.net' }),
  recipients: key(
    oneOrMany(mailbox, 'mail addresses')
      .refine((all) => all.length > 0, { error: 'expected at least one mail address' })
      .refine((all) => all.length <= RECIPIENTS_MAX, { error: `expected at most ${RECIPIENTS_MAX} mail addresses` }),
    'Who gets the mail.',
    { example: '[duty@example.net]' },
  ),
  /** `starttls`: encrypted or not at all; `offered`: where the server offers it; `tls`: from the first octet on. */
  encryption: key(
    optional(
      z.enum(['none', 'offered', 'starttls', 'tls'], { error: 'expected none, offered, starttls or tls' }),
      'offered' as const,
    ),
    '`none`; `offered`: where the server offers it; `starttls`: encrypted or not at all; `tls`: from the first octet on.',
  ),
  verify: key(optional(flag(), true), 'Whether the certificate of the server is checked, with `starttls` and `tls`.'),
  user: key(
    optional(text('the name to log in with'), null),
    'The name to log in with; needs `starttls` or `tls`, and a password.',
    { otherwise: 'no login', example: 'edgewise' },
  ),
  ...passwordKeys,
});

export const emailFaults: NoticeFaults = (get, at, head) => {
  const user = (get(...at, 'user') ?? null) !== null;
  const faults = [...oneOf(get, at, head, Object.keys(passwordKeys), user)];
  const password = Object.keys(passwordKeys).find((key) => (get(...at, key) ?? null) !== null);
  if (!user && password !== undefined) {
    faults.push(fault([...at, password], 'bad-value', `${head}.${password}: there is no user whose password this is`));
  }
  const encryption = get(...at, 'encryption') ?? 'offered';
  if (user && (encryption === 'none' || encryption === 'offered')) {
    const message = `${head}.user: expected encryption starttls or tls, or the password could be read on the way`;
    faults.push(fault([...at, 'user'], 'bad-value', message));
  }
  return faults;
};
