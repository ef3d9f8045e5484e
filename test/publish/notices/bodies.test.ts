import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { DEFAULT_TEMPLATE } from '../../../src/config/notices/template.ts';
import type { Message } from '../../../src/publish/notices/event.ts';
import { alertmanagerBody } from '../../../src/publish/notices/targets/alertmanager.ts';
import { slackBody } from '../../../src/publish/notices/targets/slack.ts';
import { bodyOf, noticeBody, noticeSchema } from '../../../src/publish/notices/targets/webhook.ts';
import { linesOf, titleOf } from '../../../src/publish/notices/text.ts';
import { edgeDown, firing, message, once, resolved } from './messages.ts';

const SENDER = { host: 'dns1', vantage: null, target: 'ops' };
const VANTAGE = { ...SENDER, vantage: 'fra1' };

/** https://prometheus.io/docs/alerting/latest/configuration/#webhook_config, and template.Data of its source. */
const rfc3339 = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/);
const labels = z.record(z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/), z.string());
const alertmanagerForm = z.strictObject({
  version: z.literal('4'),
  groupKey: z.string().min(1),
  truncatedAlerts: z.int().min(0),
  status: z.enum(['firing', 'resolved']),
  receiver: z.string().min(1),
  groupLabels: labels,
  commonLabels: labels,
  commonAnnotations: labels,
  externalURL: z.url(),
  alerts: z
    .array(
      z.strictObject({
        status: z.enum(['firing', 'resolved']),
        labels: labels.refine((own) => 'alertname' in own),
        annotations: labels,
        startsAt: rfc3339,
        endsAt: rfc3339,
        generatorURL: z.url(),
        fingerprint: z.string().regex(/^[0-9a-f]{16}$/),
      }),
    )
    .min(1),
});

/** https://docs.slack.dev/reference/block-kit/blocks and /messaging/sending-messages-using-incoming-webhooks. */
const plainText = (max: number) =>
  z.strictObject({ type: z.literal('plain_text'), text: z.string().min(1).max(max), emoji: z.boolean().optional() });
const slackForm = z.strictObject({
  text: z.string().min(1).max(40_000),
  blocks: z
    .array(
      z.discriminatedUnion('type', [
        z.strictObject({ type: z.literal('header'), text: plainText(150) }),
        z.strictObject({ type: z.literal('section'), text: plainText(3000) }),
      ]),
    )
    .min(1)
    .max(50)
    // slackapi/bolt-js issue 2509: more than some 13,000 characters in all blocks are refused.
    .refine((blocks) => blocks.reduce((sum, { text }) => sum + text.text.length, 0) <= 13_000),
});

const MESSAGES: readonly (readonly [string, Message])[] = [
  ['one event', message([firing(edgeDown('edge1'))])],
  ['its end', message([resolved(edgeDown('edge1'))])],
  ['what happened once', message([once('the live set of mynet changed')])],
  ['all of them', message([once('a <b> & c'), resolved(edgeDown('edge1')), firing(edgeDown('edge2'), 3)], 5)],
  ['two hundred edges', message(Array.from({ length: 200 }, (_, i) => firing(edgeDown(`edge${i}`))))],
  ['long sentences', message(Array.from({ length: 30 }, (_, i) => firing(edgeDown(`edge${i}`, 'x'.repeat(5000)))))],
];

test.each(MESSAGES)('the body for Alertmanager has its form: %s', (_, one) => {
  expect(
    alertmanagerForm.safeParse(alertmanagerBody(one, DEFAULT_TEMPLATE, SENDER, 'http://dns1/')).error,
  ).toBeUndefined();
});

test.each(MESSAGES)('the body for Slack has its form: %s', (_, one) => {
  expect(slackForm.safeParse(slackBody(one, DEFAULT_TEMPLATE, SENDER)).error).toBeUndefined();
});

test.each(MESSAGES)('the plain body has its form: %s', (_, one) => {
  expect(noticeBody.safeParse(bodyOf(one, DEFAULT_TEMPLATE, SENDER)).error).toBeUndefined();
});

test('every form holds for whatever is in the sentences', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 4000 }),
    fc.constantFrom('', '\u0000', '<!channel>', '😀'.repeat(2000)),
  );
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 40 }), (whys) => {
      const one = message(whys.map((why, i) => firing(edgeDown(`edge${i}`, why))));
      const slack = slackBody(one, DEFAULT_TEMPLATE, SENDER);
      expect(slackForm.safeParse(slack).error).toBeUndefined();
      expect(slack.text).not.toContain('<!channel>');
      expect(alertmanagerForm.safeParse(alertmanagerBody(one, DEFAULT_TEMPLATE, SENDER, 'http://dns1/')).success).toBe(
        true,
      );
      expect(noticeBody.safeParse(bodyOf(one, DEFAULT_TEMPLATE, SENDER)).success).toBe(true);
    }),
    { numRuns: 50 },
  );
});

describe('Alertmanager', () => {
  const body = (one: Message) => alertmanagerBody(one, DEFAULT_TEMPLATE, SENDER, 'http://dns1/');

  test('an end has the fingerprint and the labels of the beginning', () => {
    const [began] = body(message([firing(edgeDown('edge1'))])).alerts;
    const [ended] = body(message([resolved(edgeDown('edge1', 'another reason'))])).alerts;
    expect(began).toMatchObject({
      status: 'firing',
      endsAt: '0001-01-01T00:00:00Z',
      startsAt: '2026-11-29T10:00:00.000Z',
    });
    expect(ended).toMatchObject({ status: 'resolved', endsAt: '2026-11-29T10:01:00.000Z', labels: began.labels });
    expect(ended.fingerprint).toBe(began.fingerprint);
    expect(began.labels).toEqual({
      alertname: 'EdgewiseEdgeDown',
      severity: 'warning',
      instance: 'dns1',
      network: 'mynet',
      edge: 'edge1',
    });
  });

  test('it fires as long as one alert does, and nothing that happened once stays open', () => {
    expect(body(message([resolved(edgeDown('a')), firing(edgeDown('b'))])).status).toBe('firing');
    expect(body(message([resolved(edgeDown('a'))])).status).toBe('resolved');
    expect(body(message([once('a change')])).alerts[0]).toMatchObject({
      status: 'resolved',
      startsAt: '2026-11-29T10:00:00.000Z',
      endsAt: '2026-11-29T10:00:00.000Z',
    });
  });

  test('what all have is common; what found no room is counted', () => {
    const one = body(message([firing(edgeDown('a')), firing(edgeDown('b'))], 8));
    expect(one.commonLabels).toEqual({
      alertname: 'EdgewiseEdgeDown',
      severity: 'warning',
      instance: 'dns1',
      network: 'mynet',
    });
    expect(one.truncatedAlerts).toBe(8);
    expect(one.receiver).toBe('ops');
  });
});

describe('texts', () => {
  test('a title says the one event, or how many there are', () => {
    const title = (one: Message) => titleOf(one, DEFAULT_TEMPLATE, SENDER);
    expect(title(message([firing(edgeDown('edge1'))]))).toBe(
      'Edgewise on dns1: edge1 of mynet is down: it answers 500',
    );
    expect(title(message([firing(edgeDown('a')), resolved(edgeDown('b')), once('c')]))).toBe(
      'Edgewise on dns1: 3 events (1 began, 1 ended, 1 happened)',
    );
  });

  test('lines have what is urgent first, and many of a kind share one', () => {
    const critical = { ...edgeDown('x'), name: 'no_live_edge', severity: 'critical', summary: 'no edge' } as const;
    const many = Array.from({ length: 25 }, (_, i) => firing(edgeDown(`edge${i}`)));
    const lines = linesOf(
      message([resolved(edgeDown('a')), once('a change'), ...many, firing(critical, 2)], 4),
      DEFAULT_TEMPLATE,
    );
    expect(lines[0]).toBe('firing: no edge (2 times)');
    expect(lines[1]).toBe('firing: edge0 of mynet is down: it answers 500');
    expect(lines.slice(21)).toEqual([
      'firing: 5 more of the kind edge_down of mynet',
      'event: a change',
      'resolved: it passes again',
      '4 more events found no room and are not listed',
    ]);
  });

  test('a template has every placeholder', () => {
    const template = {
      title: '{host}[{vantage}{as_vantage}] {target} {events} {firing} {resolved} {summary} {x',
      line: '{status}|{event}|{severity}|{network}|{subject}|{summary}|{count}|{repeats}|{since}|{until}',
    };
    expect(titleOf(message([firing(edgeDown('a'), 2)]), template, SENDER)).toBe(
      'dns1[] ops 1 1 0 a of mynet is down: it answers 500 {x',
    );
    expect(titleOf(message([firing(edgeDown('a'))]), template, VANTAGE)).toBe(
      'dns1[fra1 (vantage fra1)] ops 1 1 0 a of mynet is down: it answers 500 {x',
    );
    expect(linesOf(message([resolved(edgeDown('a'), 'it {status} again')]), template)).toEqual([
      'resolved|edge_down|warning|mynet|a|it {status} again|1||2026-11-29T10:00:00.000Z|2026-11-29T10:01:00.000Z',
    ]);
  });
});

test('each form names the vantage that sends, and none where there is none', () => {
  const one = message([firing(edgeDown('edge1'))]);
  const alert = (sender: typeof VANTAGE | typeof SENDER) =>
    alertmanagerBody(one, DEFAULT_TEMPLATE, sender, 'http://dns1/').alerts[0];
  expect(bodyOf(one, DEFAULT_TEMPLATE, VANTAGE)).toMatchObject({ host: 'dns1', vantage: 'fra1' });
  expect(noticeBody.safeParse(bodyOf(one, DEFAULT_TEMPLATE, VANTAGE)).error).toBeUndefined();
  expect(bodyOf(one, DEFAULT_TEMPLATE, SENDER)).not.toHaveProperty('vantage');
  expect(slackBody(one, DEFAULT_TEMPLATE, VANTAGE).text).toMatch(/^Edgewise on dns1 \(vantage fra1\): /);
  expect(slackBody(one, DEFAULT_TEMPLATE, SENDER).text).toMatch(/^Edgewise on dns1: /);
  expect(alert(VANTAGE).labels).toMatchObject({ instance: 'dns1', vantage: 'fra1' });
  expect(alert(SENDER).labels).not.toHaveProperty('vantage');
  // Whoever becomes a vantage closes the alerts that it opened before.
  expect(alert(VANTAGE).fingerprint).toBe(alert(SENDER).fingerprint);
});

test('the published schema is that of the code', () => {
  const file = join(import.meta.dirname, '../../../docs/notices.schema.json');
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(noticeSchema());
});
