/** Our own JSON form, by POST; also what a command reads. Its schema is published (`docs/notices.schema.json`). */
import { createHmac } from 'node:crypto';
import { z } from 'zod';
import { SEVERITIES } from '../../../config/notices/events.ts';
import type { Template } from '../../../config/notices/template.ts';
import type { WebhookConfig } from '../../../config/section-notices.ts';
import type { Secret } from '../../../system/secret.ts';
import { type Entry, keyOf, type Message } from '../event.ts';
import { fingerprint, linesOf, type Origin, type Sender, timeText, titleOf } from '../text.ts';
import { HttpPost } from './http-post.ts';
import type { NoticeTarget } from './send.ts';

const time = z.iso.datetime();

const noticeEvent = z.strictObject({
  event: z.string().describe('The kind of event, such as edge_down; further kinds may be added'),
  status: z.enum(['firing', 'resolved', 'once']).describe('firing: it began and goes on; once: it has no end'),
  severity: z.enum(SEVERITIES),
  labels: z.record(z.string(), z.string()).describe('What it is about: network, edge, zone, secondary, provider'),
  summary: z.string().describe('One sentence'),
  fingerprint: z
    .string()
    .regex(/^[0-9a-f]{16}$/)
    .describe('Equal for the beginning and the end of one condition on one machine'),
  starts_at: time,
  ends_at: time.nullable().describe('null unless it is resolved'),
  count: z.int().min(0).describe('How often it began since the message before'),
});

/** The form of a message. */
export const noticeBody = z
  .strictObject({
    version: z.literal('1'),
    id: z
      .string()
      .describe("The message's number, unique for this target; a message that is tried again has a new one"),
    target: z.string(),
    host: z.string(),
    vantage: z.string().optional().describe('The name of the sending vantage; absent from a server that decides alone'),
    sent_at: time,
    title: z.string(),
    text: z.string().describe('The events as lines, as the template has them'),
    unlisted: z.int().min(0).describe('Further events for which there was no room'),
    events: z.array(noticeEvent).min(1),
  })
  .meta({ title: 'Edgewise notice' });
export type NoticeBody = z.output<typeof noticeBody>;

export function bodyOf(message: Message, template: Template, sender: Sender): NoticeBody {
  const { host, vantage, target } = sender;
  return {
    version: '1',
    id: message.id,
    target,
    host,
    ...(vantage === null ? {} : { vantage }),
    sent_at: timeText(message.at),
    title: titleOf(message, template, sender),
    text: linesOf(message, template).join('\n'),
    unlisted: message.unlisted,
    events: message.entries.map((entry) => eventOf(entry, host)),
  };
}

/** `t=1764410000,v1=…`: HMAC-SHA256 over the time (epoch seconds), a full stop and the body. */
export function signature(body: string, secret: Secret, at: number): string {
  const seconds = Math.floor(at);
  return `t=${seconds},v1=${createHmac('sha256', secret.reveal()).update(`${seconds}.${body}`).digest('hex')}`;
}

export function webhookTarget(config: WebhookConfig, origin: Origin): NoticeTarget {
  const { secret, template } = config;
  const http = new HttpPost({ ...config, secrets: secret === null ? [] : [secret] });
  const sender = { ...origin, target: config.name };
  return {
    send: (message, signal) => {
      const body = JSON.stringify(bodyOf(message, template, sender));
      const headers = secret === null ? {} : { 'edgewise-signature': signature(body, secret, Date.now() / 1000) };
      return http.post(body, headers, signal);
    },
    close: () => http.close(),
  };
}

function eventOf(
  { event, status, summary, startsAt, endsAt, count }: Entry,
  host: string,
): NoticeBody['events'][number] {
  return {
    event: event.name,
    status,
    severity: event.severity,
    labels: { ...event.labels },
    summary,
    fingerprint: fingerprint(host, keyOf(event)),
    starts_at: timeText(startsAt),
    ends_at: endsAt === null ? null : timeText(endsAt),
    count,
  };
}

/** JSON Schema (draft 2020-12) of the form. */
export function noticeSchema(): unknown {
  return z.toJSONSchema(noticeBody);
}
