/**
 * The section `notices`: who is notified of what. The keys of a kind are in a file of `notices/` and have a line in
 * `NOTICE_SCHEMAS` and, where they can contradict each other, in `NOTICE_FAULTS`; sending is in `src/publish/notices`.
 */
import { z } from 'zod';
import type { Endpoint } from '../system/address.ts';
import { Secret } from '../system/secret.ts';
import { type Found, fault, type Get } from './checks/keys.ts';
import { list, optional } from './fields.ts';
import { key } from './key-docs.ts';
import { alertmanager } from './notices/alertmanager.ts';
import { command } from './notices/command.ts';
import { email, emailFaults } from './notices/email.ts';
import { isHttpUrl, type NoticeCommon, type NoticeFaults } from './notices/keys.ts';
import { settleSecret } from './notices/secrets.ts';
import { slack, urlFaults } from './notices/slack.ts';
import { webhook, webhookFaults } from './notices/webhook.ts';
import type { Path } from './yaml-source.ts';

const TARGETS_MAX = 32;

/** By kind: every key of such a target, with the words for what is expected. */
export const NOTICE_SCHEMAS = { slack, webhook, alertmanager, command, email } as const;

const NOTICE_FAULTS: { readonly [kind in keyof Schemas]?: NoticeFaults } = {
  slack: urlFaults,
  webhook: webhookFaults,
  alertmanager: urlFaults,
  email: emailFaults,
};

type Schemas = typeof NOTICE_SCHEMAS;
type Schema = Schemas[keyof Schemas];
type Given = { [K in keyof Schemas]: z.output<Schemas[K]> }[keyof Schemas];

export type SlackConfig = NoticeCommon & { readonly to: 'slack'; readonly url: Secret };
export type WebhookConfig = NoticeCommon & {
  readonly to: 'webhook';
  readonly url: Secret;
  /** Signs messages; null: they are not signed. */
  readonly secret: Secret | null;
};
export type AlertmanagerConfig = NoticeCommon & {
  readonly to: 'alertmanager';
  readonly url: Secret;
  readonly externalUrl: string | null;
};
export type CommandConfig = NoticeCommon & {
  readonly to: 'command';
  readonly program: string;
  readonly args: readonly string[];
};
export type EmailConfig = NoticeCommon & {
  readonly to: 'email';
  readonly server: Endpoint;
  readonly from: string;
  readonly recipients: readonly string[];
  readonly encryption: 'none' | 'offered' | 'starttls' | 'tls';
  readonly verify: boolean;
  readonly login: { readonly user: string; readonly password: Secret } | null;
};
/** A target of which a secret cannot be read: what it should be sent waits until it can. */
export type UnusableConfig = NoticeCommon & { readonly to: 'unusable'; readonly reason: string };
/** One target of notices; its name is unique. */
export type NoticeConfig =
  | SlackConfig
  | WebhookConfig
  | AlertmanagerConfig
  | CommandConfig
  | EmailConfig
  | UnusableConfig;

const KINDS = Object.keys(NOTICE_SCHEMAS).join(', ');
const target = z.discriminatedUnion('to', Object.values(NOTICE_SCHEMAS) as [Schema, ...Schema[]], {
  error: ({ code }) =>
    code === 'invalid_union'
      ? `expected a kind of target (${KINDS})`
      : 'expected a target, such as {to: slack, url_file: slack.url}',
});

export const notices = key(
  optional(
    list(target, 'a list of targets').max(TARGETS_MAX, { error: `expected at most ${TARGETS_MAX} targets` }),
    [],
  ),
  'Who is notified of what.',
  { otherwise: 'nobody' },
);

/** What is wrong between targets, and between their keys, that are each fine alone. Reads the plain values. */
export function noticeFaults(get: Get): readonly Found[] {
  const of = get('notices');
  if (!Array.isArray(of)) return [];
  const nameAt = (i: number): unknown => get('notices', i, 'name') ?? get('notices', i, 'to');
  const names = of.map((_, i) => nameAt(i));
  return of.flatMap((_, i): Found[] => {
    const at: Path = ['notices', i];
    const head = `notices[${i}]`;
    const kind = get(...at, 'to');
    const own = Object.entries(NOTICE_FAULTS).find(([name]) => name === kind)?.[1];
    const faults = [...(own?.(get, at, head) ?? [])];
    if (typeof names[i] === 'string' && names.indexOf(names[i]) < i) {
      const message = `${head}.name: another target is called "${names[i]}" already; each needs its own name`;
      faults.push(fault(at, 'bad-value', message));
    }
    return faults;
  });
}

export type NoticesSettled = { readonly targets: readonly NoticeConfig[]; readonly faults: readonly Found[] };

/**
 * The targets with their secrets, which are read here. One that cannot be read is a warning: it keeps no server from
 * starting, nor a command from being used by somebody who may not read it. `at`: the absolute path of one in the file.
 */
export function settleNotices(given: z.output<typeof notices>, at: (path: string) => string): NoticesSettled {
  const faults: Found[] = [];
  const targets = given.map((one, i): NoticeConfig => {
    const place: Path = ['notices', i];
    const head = `notices[${i}]`;
    let reason: string | null = null;
    const unusable = (wrong: Found): void => {
      reason ??= wrong.message;
      faults.push({
        ...wrong,
        severity: 'warning',
        message: `${wrong.message}; its notices wait for a reload with it`,
      });
    };
    const read = (name: string, file: string | null, variable: string | null): Secret | null => {
      const settled = settleSecret(name, { file: file === null ? null : at(file), variable }, place, head);
      for (const found of settled.faults) {
        if (found.severity === 'error') unusable(found);
        else faults.push(found);
      }
      if (name !== 'url' || settled.secret === null || isHttpUrl(settled.secret.reveal())) return settled.secret;
      const key = file === null ? 'url_env' : 'url_file';
      unusable(fault([...place, key], 'bad-value', `${head}.${key}: what is there is not an http or https URL`));
      return null;
    };
    return settle(one, read) ?? { ...commonOf(one), to: 'unusable', reason: reason ?? 'a secret cannot be read' };
  });
  return { targets, faults };
}

type Read = (name: string, file: string | null, variable: string | null) => Secret | null;

function commonOf(one: Given): NoticeCommon {
  return {
    name: one.name ?? one.to,
    events: one.events,
    networks: one.networks,
    minSeverity: one.min_severity,
    gather: one.gather,
    perMinute: one.per_minute,
    // Whole: 16.1 * 1000 is 16100.000000000002, which neither undici nor AbortSignal.timeout takes.
    timeoutMs: Math.max(1, Math.round(one.timeout * 1000)),
    template: one.template,
  };
}

/** Null: a secret could not be read. */
function settle(one: Given, read: Read): NoticeConfig | null {
  const common = commonOf(one);
  if (one.to === 'command') return { ...common, to: 'command', program: one.program, args: one.args };
  if (one.to === 'email') {
    const { server, from, recipients, encryption, verify, user } = one;
    const password = read('password', one.password_file, one.password_env);
    if (user !== null && password === null) return null;
    const login = user === null || password === null ? null : { user, password };
    return { ...common, to: 'email', server, from, recipients, encryption, verify, login };
  }
  const url = one.url === null ? read('url', one.url_file, one.url_env) : new Secret(one.url);
  if (url === null) return null;
  if (one.to === 'slack') return { ...common, to: 'slack', url };
  if (one.to === 'alertmanager') return { ...common, to: 'alertmanager', url, externalUrl: one.external_url };
  const secret = read('secret', one.secret_file, one.secret_env);
  if (secret === null && (one.secret_file !== null || one.secret_env !== null)) return null;
  return { ...common, to: 'webhook', url, secret };
}
