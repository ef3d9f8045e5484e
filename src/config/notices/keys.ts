/** What the targets of `notices` have in common. A kind adds its own keys to these in a file of this folder. */
import { z } from 'zod';
import type { Found, Get } from '../checks/keys.ts';
import { list, number, optional, parsed, text } from '../fields.ts';
import type { Path } from '../yaml-source.ts';
import { type ChosenEvent, EVENT_NAMES, SEVERITIES, type Severity } from './events.ts';
import { secretFile, secretVariable } from './secrets.ts';
import { type Template, template } from './template.ts';

/** Keys that every kind has. `gather` and `timeout`: seconds. `events`, `networks` null: all. */
export const noticeKeys = {
  name: optional(
    parsed<string>('a name of up to 64 letters, digits and . _ -', (value) =>
      /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/.test(value) ? value : null,
    ),
    null,
  ),
  events: optional(
    list(z.enum(EVENT_NAMES, { error: `expected an event: ${EVENT_NAMES.join(', ')}` }), 'a list of events').min(1, {
      error: 'expected at least one event',
    }),
    null,
  ),
  networks: optional(list(text('a network'), 'a list of networks'), null),
  min_severity: optional(
    z.enum(SEVERITIES, { error: `expected ${SEVERITIES.slice(0, -1).join(', ')} or ${SEVERITIES.at(-1)}` }),
    'info' as const,
  ),
  gather: optional(number('seconds', { min: 0, max: 3600, integer: false }), 5),
  per_minute: optional(number('messages a minute', { min: 1, max: 600 }), 12),
  timeout: optional(number('seconds', { min: 0, max: 300, integer: false, above: true }), 10),
  template,
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
  url: optional(
    parsed<string>(URL_EXPECTED, (value) => (isHttpUrl(value) ? value : null)),
    null,
  ),
  url_file: secretFile('the URL'),
  url_env: secretVariable('the URL'),
};
