/** What the targets of `notices` have in common. A kind adds its own keys to these in a file of this folder. */
import { z } from 'zod';
import type { Found, Get } from '../checks/keys.ts';
import { list, number, optional, parsed, text } from '../fields.ts';
import { key } from '../key-docs.ts';
import type { Path } from '../yaml-source.ts';
import { type ChosenEvent, EVENT_NAMES, SEVERITIES, type Severity } from './events.ts';
import { secretFile, secretVariable } from './secrets.ts';
import { type Template, template } from './template.ts';

/** Keys that every kind has. `gather` and `timeout`: seconds. `events`, `networks` null: all. */
export const noticeKeys = {
  name: key(
    optional(
      parsed<string>('a name of up to 64 letters, digits and . _ -', (value) =>
        /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/.test(value) ? value : null,
      ),
      null,
    ),
    'What the target is called in the log, `/healthz`, metrics and `edgewise notice test`; unique.',
    { otherwise: 'the kind', example: 'ops' },
  ),
  events: key(
    optional(
      list(z.enum(EVENT_NAMES, { error: `expected an event: ${EVENT_NAMES.join(', ')}` }), 'a list of events').min(1, {
        error: 'expected at least one event',
      }),
      null,
    ),
    'Which events it is sent.',
    { otherwise: 'all', example: '[no_live_edge, below_min_up]' },
  ),
  networks: key(
    optional(list(text('a network'), 'a list of networks'), null),
    'Events of which networks it is sent; those of no network come all the same.',
    { otherwise: 'all', example: '[net-a]' },
  ),
  min_severity: key(
    optional(
      z.enum(SEVERITIES, { error: `expected ${SEVERITIES.slice(0, -1).join(', ')} or ${SEVERITIES.at(-1)}` }),
      'info' as const,
    ),
    'The least severe events that it is sent. An end comes whenever its beginning did.',
  ),
  gather: key(
    optional(number('seconds', { min: 0, max: 3600, integer: false }), 5),
    'Time from the first event to the message, which has all that came meanwhile. 0: at once.',
  ),
  per_minute: key(
    optional(number('messages a minute', { min: 1, max: 600 }), 12),
    'Messages a minute in the long run, retries included.',
  ),
  timeout: key(
    optional(number('seconds', { min: 0, max: 300, integer: false, above: true }), 10),
    'How long one attempt may take.',
  ),
  template: key(template, 'The texts of a message (`title`) and of each of its events (`line`), with placeholders.', {
    otherwise: 'the defaults of its keys',
  }),
};

/** One target, settled. `gather`: seconds. `networks`: events of no network are sent all the same. */
export type NoticeCommon = {
  readonly name: string;
  readonly events: readonly ChosenEvent[] | null;
  readonly networks: readonly string[] | null;
  readonly minSeverity: Severity;
  readonly gather: number;
  readonly perMinute: number;
  readonly timeoutMs: number;
  readonly template: Template;
};

/** What is wrong between the keys of the target at `at`, each of which is fine alone. `head`: as messages name it. */
export type NoticeFaults = (get: Get, at: Path, head: string) => readonly Found[];

const URL_EXPECTED = 'a URL such as https://hooks.example.net/edgewise';

export function isHttpUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, username, password } = new URL(value);
  return (protocol === 'https:' || protocol === 'http:') && username === '' && password === '';
}

/** Where an HTTP target is: the URL itself, or where it is kept, since many a URL is a secret. */
export const urlKeys = {
  url: key(
    optional(
      parsed<string>(URL_EXPECTED, (value) => (isHttpUrl(value) ? value : null)),
      null,
    ),
    'The URL that messages go to.',
    { otherwise: '`url_file` or `url_env` has it', isSecret: true },
  ),
  url_file: key(secretFile('the URL'), 'The file with the URL in its only line.', {
    otherwise: '`url` or `url_env` has it',
    example: 'slack.url',
  }),
  url_env: key(secretVariable('the URL'), 'The variable of the environment that holds the URL.', {
    otherwise: '`url` or `url_file` has it',
    example: 'SLACK_URL',
  }),
};
