import { createHmac } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CommandConfig, NoticeConfig } from '../../../src/config/section-notices.ts';
import { makeTarget } from '../../../src/publish/notices/targets/make.ts';
import type { Sent } from '../../../src/publish/notices/targets/send.ts';
import { Secret } from '../../../src/system/secret.ts';
import { eventually } from '../../support/edgewise.ts';
import { type Answer, NoticeServer } from '../../support/notice-server.ts';
import { COMMON, edgeDown, firing, message } from './messages.ts';

const ORIGIN = { host: 'dns1', vantage: 'fra1' };
const MESSAGE = message([firing(edgeDown('edge1', "it's “down” <b>"))]);

async function sendTo(config: NoticeConfig, signal = AbortSignal.timeout(60_000)): Promise<Sent> {
  const target = await makeTarget(config, ORIGIN);
  const sent = await target.send(MESSAGE, signal);
  await target.close();
  return sent;
}

describe('over HTTP', () => {
  let hook: NoticeServer;

  beforeEach(async () => {
    hook = await NoticeServer.start();
  });
  afterEach(() => hook.stop());

  const webhook = (more: Partial<NoticeConfig> = {}): NoticeConfig =>
    ({ ...COMMON, to: 'webhook', url: new Secret(hook.url), secret: null, ...more }) as NoticeConfig;

  test.each<{ answer: Answer; sent: Partial<Exclude<Sent, { ok: true }>> | 'ok' }>([
    { answer: { status: 200 }, sent: 'ok' },
    { answer: { status: 204 }, sent: 'ok' },
    { answer: { status: 200, body: 'x'.repeat(1_000_000) }, sent: 'ok' },
    {
      answer: { status: 503, headers: { 'retry-after': '7' }, body: 'later' },
      sent: { reason: 'it answers 503: later', isRefused: false, retryAfterMs: 7000 },
    },
    {
      answer: { status: 429, headers: { 'retry-after': 'nonsense' } },
      sent: { reason: 'it answers 429 (it is asked too often)', isRefused: false, retryAfterMs: null },
    },
    {
      answer: { status: 400, body: 'invalid_payload' },
      sent: { reason: 'it answers 400: invalid_payload', isRefused: true },
    },
    {
      answer: { status: 307, headers: { location: 'http://127.0.0.1:9/' } },
      sent: {
        reason: 'it answers 307 (it has moved; redirects are not followed, so give its new URL)',
        isRefused: false,
      },
    },
    {
      answer: { status: 404, body: 'no_service' },
      sent: { reason: 'it answers 404 (there is no such URL any more): no_service' },
    },
  ])('$answer', async ({ answer, sent }) => {
    hook.usual = answer;
    const got = await sendTo(webhook());
    expect(got).toMatchObject(sent === 'ok' ? { ok: true } : { ok: false, ...sent });
    expect(hook.received).toHaveLength(1);
    expect(hook.received[0].headers['content-type']).toBe('application/json');
  });

  test('a date of retry-after counts from now, and one in the past is now', async () => {
    hook.usual = { status: 503, headers: { 'retry-after': 'Thu, 01 Jan 1970 00:00:00 GMT' } };
    expect(await sendTo(webhook())).toMatchObject({ retryAfterMs: 0 });
    hook.usual = { status: 503, headers: { 'retry-after': new Date(Date.now() + 1e6).toUTCString() } };
    const sent = await sendTo(webhook());
    expect(sent.ok ? 0 : sent.retryAfterMs).toBeGreaterThan(100_000);
  });

  test('who never answers, resets, or is not there is a sentence without the URL', async () => {
    hook.usual = 'hang';
    const late = await sendTo(webhook({ timeoutMs: 200 }));
    hook.usual = 'reset';
    const reset = await sendTo(webhook());
    const config = webhook();
    await hook.stop();
    const gone = await sendTo(config);
    for (const sent of [late, reset, gone]) {
      expect(sent).toMatchObject({ ok: false, isRefused: false, retryAfterMs: null });
      expect(JSON.stringify(sent)).not.toContain('T0ken');
    }
    expect([late, reset, gone].map((sent) => !sent.ok && sent.isUnsent === true)).toEqual([false, false, true]);
    expect(late).toMatchObject({ reason: 'no answer within 0.2 s' });
    expect(gone).toMatchObject({ reason: expect.stringContaining('ECONNREFUSED') });
  });

  test('an answer that repeats a secret is not repeated', async () => {
    hook.usual = { status: 401, body: `${hook.url} and s3cret are wrong` };
    const sent = await sendTo(webhook({ secret: new Secret('s3cret') } as Partial<NoticeConfig>));
    expect(sent).toMatchObject({
      reason: 'it answers 401 (it does not accept the URL or the secret): [secret] and [secret] are wrong',
    });
  });

  test.each([
    ['/hook/T0ken-of-ours?key=s3cretkey', 'no /hook/T0ken-of-ours?key=s3cretkey here', 'no [secret] here'],
    ['/hook/T0ken-of-ours?key=s3cretkey', 'no "/hook/T0ken-of-ours" here', 'no "[secret]" here'],
    ['/hook/T0ken-of-ours?key=s3cretkey', '{"path":"\\/hook\\/T0ken-of-ours"}', '{"path":"[secret]"}'],
    ['/hook/T0ken-of-ours?key=s3cretkey', 'T0ken-of-ours and s3cretkey are wrong', '[secret] and [secret] are wrong'],
    ['/hook/T0ken%20of%20ours', 'not found: /hook/T0ken of ours', 'not found: [secret]'],
    ['/hook/T0ken of ours', 'not found: /hook/T0ken%20of%20ours', 'not found: [secret]'],
    ['/', 'a/b is not found', 'a/b is not found'],
    ['/hook/a', 'a hook is not found', 'a hook is not found'],
  ])('of %s an answer that repeats a part of it is not repeated: %s', async (path, body, said) => {
    hook.usual = { status: 500, body };
    const url = new Secret(new URL(hook.url).origin + path);
    expect(await sendTo(webhook({ url } as Partial<NoticeConfig>))).toMatchObject({
      reason: `it answers 500: ${said}`,
    });
  });

  test('a signal ends it at once', async () => {
    hook.usual = 'hang';
    const abort = new AbortController();
    const sent = sendTo(webhook(), abort.signal);
    await hook.count(1);
    abort.abort(new Error('stopped'));
    expect(await sent).toMatchObject({ ok: false, reason: 'stopped' });
  });

  test('the signature is over the time and the body', async () => {
    await sendTo(webhook({ secret: new Secret('s3cret') } as Partial<NoticeConfig>));
    const [{ headers, body }] = hook.received;
    const [, time, hex] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['edgewise-signature'])) ?? [];
    expect(hex).toBe(createHmac('sha256', 's3cret').update(`${time}.${body}`).digest('hex'));
    expect(Math.abs(Number(time) - Date.now() / 1000)).toBeLessThan(120);
  });

  test('Slack and Alertmanager get theirs at the path of the URL', async () => {
    await sendTo({ ...COMMON, to: 'slack', url: new Secret(`${hook.url}?a=b`) });
    await sendTo({ ...COMMON, to: 'alertmanager', url: new Secret(hook.url), externalUrl: null });
    expect(hook.received.map(({ path }) => path)).toEqual(['/hook/T0ken?a=b', '/hook/T0ken']);
    expect(hook.bodies()).toMatchObject([
      { text: expect.stringContaining('&lt;b&gt;'), blocks: [{ type: 'header' }, { type: 'section' }] },
      { version: '4', externalURL: 'http://dns1/', receiver: 'ops', alerts: [{ status: 'firing' }] },
    ]);
  });
});

describe('a command', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'edgewise-notice-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function program(script: string): Promise<CommandConfig> {
    const path = join(folder, 'program');
    await writeFile(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return { ...COMMON, to: 'command', program: path, args: ['--to', 'a b;$HOME'] };
  }

  test('reads JSON, has the gist in its environment, and no secret of ours', async () => {
    process.env['EDGEWISE_TEST_SECRET'] = 's3cret';
    const sent = await sendTo(await program(`cat > ${folder}/in; env > ${folder}/env; echo "$2" > ${folder}/args`));
    delete process.env['EDGEWISE_TEST_SECRET'];
    expect(sent).toEqual({ ok: true });
    expect(JSON.parse(await readFile(join(folder, 'in'), 'utf8'))).toMatchObject({
      version: '1',
      events: [{ event: 'edge_down' }],
    });
    expect(await readFile(join(folder, 'args'), 'utf8')).toBe('a b;$HOME\n');
    const env = await readFile(join(folder, 'env'), 'utf8');
    expect(env).toContain("EDGEWISE_TITLE=Edgewise on dns1 (vantage fra1): edge1 of mynet is down: it's “down” <b>\n");
    expect(env).toMatch(/^EDGEWISE_STATUS=firing$/m);
    expect(env).toMatch(/^EDGEWISE_VANTAGE=fra1$/m);
    expect(env).not.toContain('s3cret');
  });

  test.each([
    ['exit 3', /ended with exit status 3$/],
    ['echo "no  modem" >&2; exit 1', /ended with exit status 1: no modem$/],
    ['kill -9 $$', /ended by SIGKILL$/],
    ['exec 0<&-; exit 7', /exit status 7$/], // without a look at what it is given
  ])('%s', async (script, reason) => {
    expect(await sendTo(await program(script))).toMatchObject({
      ok: false,
      isRefused: false,
      reason: expect.stringMatching(reason),
    });
  });

  test('that is not there is a sentence', async () => {
    const config = { ...(await program('')), program: join(folder, 'nothing') };
    expect(await sendTo(config)).toMatchObject({ ok: false, reason: expect.stringContaining('ENOENT') });
  });

  test('that hangs ends with the signal, and so does what it started', async () => {
    const config = await program(`sleep 1000 & echo $! > ${folder}/pid; wait`);
    const abort = new AbortController();
    const sent = sendTo(config, abort.signal);
    const pid = await eventually(
      () => readFile(join(folder, 'pid'), 'utf8').catch(() => ''),
      (text) => text.endsWith('\n'),
    );
    abort.abort();
    expect(await sent).toMatchObject({ ok: false, reason: expect.stringContaining('did not end in time') });
    await eventually(
      async () => isAlive(Number(pid)),
      (alive) => !alive,
    );
  });

  test('that leaves something behind does not leave it for long', async () => {
    expect(await sendTo(await program(`sleep 1000 & echo $! > ${folder}/pid`))).toEqual({ ok: true });
    const pid = Number(await readFile(join(folder, 'pid'), 'utf8'));
    await eventually(
      async () => isAlive(pid),
      (alive) => !alive,
    );
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
