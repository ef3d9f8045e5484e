import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { NoticeConfig } from '../../../src/config/section-notices.ts';
import { decisionScope } from '../../../src/publish/notices/conditions.ts';
import { Notices, type NoticesOptions } from '../../../src/publish/notices/notices.ts';
import type { AlertmanagerBody } from '../../../src/publish/notices/targets/alertmanager.ts';
import type { SlackBody } from '../../../src/publish/notices/targets/slack.ts';
import type { NoticeBody } from '../../../src/publish/notices/targets/webhook.ts';
import { Secret } from '../../../src/system/secret.ts';
import { eventually } from '../../support/edgewise.ts';
import { throwingGuard } from '../../support/guard.ts';
import { NoticeServer } from '../../support/notice-server.ts';
import { COMMON, edgeDown } from './messages.ts';

const SCOPE = decisionScope('mynet');
let folder: string;
let hook: NoticeServer;
let other: NoticeServer;
let notices: Notices;
let log: string[];

beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'edgewise-notices-')), 'notices');
  hook = await NoticeServer.start();
  other = await NoticeServer.start();
  log = [];
  notices = made();
});
afterEach(async () => {
  await notices.close(100);
  await hook.stop();
  await other.stop();
  await rm(join(folder, '..'), { recursive: true });
});

function options(): NoticesOptions {
  return {
    folder,
    host: 'dns1',
    guard: throwingGuard(),
    log: (level, text) => log.push(`${level} ${text}`),
    now: () => Date.now() / 1000,
  };
}

function made(): Notices {
  return new Notices(options());
}

function webhook(name: string, to: { readonly url: string } = hook, more: Partial<NoticeConfig> = {}): NoticeConfig {
  return { ...COMMON, to: 'webhook', name, url: new Secret(to.url), secret: null, ...more } as NoticeConfig;
}

function down(...edges: readonly string[]): void {
  notices.observe({ scope: SCOPE, standing: edges.map((edge) => edgeDown(edge)) });
}

const statuses = (server = hook): readonly string[] =>
  server
    .bodies<NoticeBody>()
    .flatMap(({ events }) => events.map(({ status, labels }) => `${labels['edge']} ${status}`));

test('two hundred edges that fail at once are one message for each target', async () => {
  const many = Array.from({ length: 200 }, (_, i) => `edge${i}`);
  const gather = { gather: 1 };
  await notices.open([
    webhook('plain', hook, gather),
    { ...COMMON, ...gather, to: 'slack', name: 'slack', url: new Secret(hook.url) },
    { ...COMMON, ...gather, to: 'alertmanager', name: 'am', url: new Secret(hook.url), externalUrl: null },
  ]);
  for (let i = 1; i <= many.length; i++) down(...many.slice(0, i)); // one after the other, in many decisions
  await hook.count(3);
  await eventually(
    async () => [...notices.counts().values()],
    (all) => all.every(({ sent }) => sent === 1),
  );
  const bodies = hook.bodies<Partial<Pick<NoticeBody, 'events'> & Pick<AlertmanagerBody, 'alerts'> & SlackBody>>();
  expect(bodies).toHaveLength(3);
  expect(bodies.find(({ events }) => events !== undefined)?.events).toHaveLength(200);
  expect(bodies.find(({ alerts }) => alerts !== undefined)?.alerts).toHaveLength(200);
  expect(bodies.find(({ blocks }) => blocks !== undefined)?.text).toContain('180 more of the kind edge_down of mynet');
  down(...many);
  expect([...notices.counts().values()].map(({ pending }) => pending)).toEqual([0, 0, 0]);
});

test('a target that hangs for ever delays no other, and is named', async () => {
  other.usual = 'hang';
  await notices.open([webhook('hangs', other, { timeoutMs: 300 }), webhook('good')]);
  down('a');
  await hook.count(1);
  down('a', 'b');
  await hook.count(2);
  expect(statuses()).toEqual(['a firing', 'b firing']);
  await other.count(2); // it is tried again
  await eventually(
    async () => notices.faults(),
    (faults) => faults.length > 0,
  );
  expect(notices.faults()).toEqual([
    expect.stringMatching(/^notices: hangs takes none since \S+Z \(2 events wait\): no (answer|end) within 0\.3 s$/),
  ]);
});

test('after 503 with retry-after it is tried again, once, and the log has two lines', async () => {
  hook.script.push({ status: 503, headers: { 'retry-after': '1' }, body: 'T0ken is busy' });
  await notices.open([webhook('ops')]);
  down('a');
  await hook.count(1);
  down('a', 'b');
  await hook.count(2);
  await eventually(
    async () => notices.faults(),
    (faults) => faults.length === 0,
  );
  expect(statuses()).toEqual(['a firing', 'a firing', 'b firing']);
  expect(notices.counts().get('ops')).toEqual({ sent: 1, failed: 1, pending: 0 });
  expect(log).toEqual([
    expect.stringMatching(/^error notices: ops: not sent, and tried again: it answers 503: /),
    'info notices: ops takes messages again',
  ]);
});

test('after an orderly end nothing is said twice, and what ended meanwhile is closed', async () => {
  const targets = [webhook('ops')];
  expect(await notices.open(targets)).toBe(false);
  down('a', 'b');
  await hook.count(1);
  await notices.close(2000);
  expect(await readdir(folder)).toEqual(['ops.json']);
  notices = made();
  expect(await notices.open(targets)).toBe(false);
  down('b');
  await hook.count(2);
  await eventually(
    async () => notices.counts().get('ops')?.sent,
    (sent) => sent === 1,
  );
  expect(statuses()).toEqual(['a firing', 'b firing', 'a resolved']);
});

test('what could not be sent before the end is sent after it', async () => {
  hook.usual = { status: 500 };
  await notices.open([webhook('ops')]);
  down('a');
  await hook.count(1);
  await notices.close(1000);
  hook.usual = { status: 200 };
  const tried = hook.received.length;
  notices = made();
  await notices.open([webhook('ops')]);
  await hook.count(tried + 1);
  expect(statuses().slice(tried)).toEqual(['a firing']);
});

test('what was under way at an orderly end is not sent again, and said to be in doubt', async () => {
  hook.usual = 'hang';
  await notices.open([webhook('ops')]);
  down('a');
  await hook.count(1);
  await notices.close(500);
  hook.usual = { status: 200 };
  notices = made();
  expect(await notices.open([webhook('ops')])).toBe(false);
  down('a');
  await hook.count(2);
  await eventually(
    async () => notices.counts().get('ops')?.sent,
    (sent) => sent === 1,
  );
  const [, { events }] = hook.bodies<NoticeBody>();
  expect(events.map(({ event, summary }) => [event, summary])).toEqual([
    ['delivery_in_doubt', expect.stringMatching(/^a message was being sent when Edgewise ended, so it may not/)],
  ]);
});

test('what never left at an orderly end is sent after it', async () => {
  const silent = createServer(); // never answers the TLS handshake
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as AddressInfo;
  await notices.open([webhook('ops', { url: `https://127.0.0.1:${port}/hook` })]);
  down('a');
  await eventually(
    () => readFile(join(folder, 'ops.json'), 'utf8').catch(() => ''),
    (text) => text.includes('"sending":[{'),
  );
  await notices.close(500);
  silent.close();
  notices = made();
  await notices.open([webhook('ops')]);
  await hook.count(1);
  expect(statuses()).toEqual(['a firing']);
});

test('a target that is removed sends nothing any more, and what waited for it is kept', async () => {
  await notices.open([webhook('ops', hook, { gather: 60 })]);
  down('a');
  await notices.configure([webhook('new', other)]);
  await other.count(1);
  await notices.configure([webhook('ops'), webhook('new', other)]);
  await hook.count(1);
  expect(statuses()).toEqual(['a firing']);
  await notices.configure([webhook('new', other)]);
  down('a', 'b');
  await other.count(2);
  await notices.close(2000);
  expect(statuses()).toEqual(['a firing']);
});

test('a message that is given up is no fault any more', async () => {
  hook.usual = { status: 400, body: 'invalid_payload' };
  await notices.open([webhook('ops')]);
  down('a');
  await eventually(
    async () => notices.faults(),
    (faults) => faults.length > 0,
  );
  await hook.count(3);
  await eventually(
    async () => notices.counts().get('ops')?.pending,
    (pending) => pending === 0,
  );
  expect(notices.faults()).toEqual([]);
});

test('with other settings what failed before is no fault any more', async () => {
  hook.usual = { status: 503, headers: { 'retry-after': '3600' } };
  await notices.open([webhook('ops')]);
  down('a');
  await eventually(
    async () => notices.faults(),
    (faults) => faults.length > 0,
  );
  await notices.configure([webhook('ops', other)]);
  expect(notices.faults()).toEqual([]);
  await other.count(1);
  expect(statuses(other)).toEqual(['a firing']);
});

test('a target that throws is tried again like one that fails', async () => {
  let calls = 0;
  const send = (): never => {
    calls += 1;
    throw new Error('a fault of ours');
  };
  notices = new Notices({ ...options(), make: async () => ({ send, close: async () => undefined }) });
  await notices.open([webhook('ops')]);
  down('a');
  await eventually(
    async () => calls,
    (count) => count === 2,
  );
  expect(notices.faults()).toEqual([expect.stringContaining('(1 event waits): a fault of ours')]);
});

test('a network that is gone ends; a target that is added learns what stands', async () => {
  await notices.open([webhook('ops')]);
  down('a');
  await hook.count(1);
  await notices.configure([webhook('ops'), webhook('new', other)]);
  await other.count(1);
  expect(statuses(other)).toEqual(['a firing']);
  notices.retireOthers(new Set(['mynet']));
  notices.retireOthers(new Set(['elsewhere']));
  await hook.count(2);
  await other.count(2);
  expect(statuses()).toEqual(['a firing', 'a resolved']);
});

test('targets that come and go while it runs leave no mark of an end that was not orderly', async () => {
  expect(await notices.open([])).toBe(false);
  expect(notices.isEmpty).toBe(true);
  await notices.configure([webhook('ops')]);
  down('a');
  await hook.count(1);
  await eventually(
    async () => readFile(join(folder, 'ops.json'), 'utf8'),
    (text) => text.includes('"open":[{'),
  );
  expect(notices.faults()).toEqual([]);
  await notices.configure([]);
  await notices.close(1000);
  notices = made();
  expect(await notices.open([webhook('ops')])).toBe(false);
});

test('a process that ends without closing is noticed by the next', async () => {
  await notices.open([webhook('ops')]);
  const next = made();
  expect(await next.open([webhook('ops')])).toBe(true);
  await next.close(1000);
});

test('a queue that is none is set aside, and said', async () => {
  await notices.open([webhook('ops')]);
  await notices.close(1000);
  await writeFile(join(folder, 'ops.json'), '{"version":1,"open":"nonsense"}');
  notices = made();
  await notices.open([webhook('ops')]);
  expect(log).toEqual([
    expect.stringMatching(/ops\.json is not a queue of notices, so they begin anew; it is kept as .*ops\.json\.bad-/),
  ]);
  down('a');
  await hook.count(1);
});

test.each([
  ['a time that no date can have', (file: string) => writeFile(file, queue({ startsAt: 1e300 }))],
  ['a time before all of them', (file: string) => writeFile(file, queue({ endsAt: -1e300 }))],
  ['a queue that is too large to be read', (file: string) => writeFile(file, 'x').then(() => truncate(file, 2 ** 33))],
  ['a folder', (file: string) => mkdir(file)],
])('%s in place of a queue is set aside, and notices go on', async (_, put) => {
  await mkdir(folder, { recursive: true });
  await put(join(folder, 'ops.json'));
  await notices.open([webhook('ops')]);
  expect(log).toEqual([expect.stringMatching(/ops\.json.*; it is kept as .*ops\.json\.bad-/)]);
  down('b');
  await hook.count(1);
  expect(statuses()).toEqual(['b firing']);
  await notices.close(1000);
  const files = await readdir(folder);
  expect(files.map((name) => name.replace(/\d+$/, '')).sort()).toEqual(['ops.json', 'ops.json.bad-']);
});

function queue(times: { startsAt?: number; endsAt?: number }): string {
  const event = edgeDown('a');
  const entry = { event, status: 'firing', summary: event.summary, startsAt: 0, endsAt: null, count: 1, ...times };
  return JSON.stringify({ version: 1, sequence: 0, open: [], pending: [entry], sending: [], unlisted: 0 });
}

test('without a folder it is told all the same, and the log says what that means', async () => {
  await rm(folder, { recursive: true, force: true });
  await writeFile(folder, 'a file');
  await notices.open([webhook('ops')]);
  down('a');
  await hook.count(1);
  expect(log[0]).toMatch(/cannot be used, so nothing is kept across a restart/);
  await eventually(
    async () => notices.faults(),
    (faults) => faults.some((fault) => fault.includes('cannot be kept across a restart')),
  );
});

test('no secret is on disk', async () => {
  await notices.open([webhook('ops')]);
  down('a');
  await hook.count(1);
  await notices.close(1000);
  expect(await readFile(join(folder, 'ops.json'), 'utf8')).not.toContain('T0ken');
});

test('a thousand changes in a moment are few messages, and end with what is so', async () => {
  await notices.open([webhook('ops', hook, { gather: 1, perMinute: 60 })]);
  for (let i = 0; i < 1000; i++) down(...(i % 2 === 0 ? ['a'] : ['b']));
  await hook.count(1);
  await eventually(
    async () => notices.counts().get('ops')?.sent,
    (sent) => sent === 1,
  );
  expect(
    hook
      .bodies<NoticeBody>()
      .flatMap(({ events }) => events.map(({ status, labels, count }) => [labels['edge'], status, count])),
  ).toEqual([
    ['a', 'resolved', 500],
    ['b', 'firing', 500],
  ]);
});

test('a target whose secret cannot be read is named before there is anything to send', async () => {
  await notices.open([{ ...COMMON, to: 'unusable', name: 'ops', reason: 'slack.url: no such file' }, webhook('good')]);
  expect(notices.faults()).toEqual(['notices: ops can be sent none: slack.url: no such file']);
});
