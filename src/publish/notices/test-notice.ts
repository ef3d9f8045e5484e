/** A sample for one target of `notices`, sent at once: `edgewise notice test`, and the same over HTTP. */
import { hostname } from 'node:os';
import type { NoticeConfig } from '../../config/section-notices.ts';
import { within } from '../../system/deadline.ts';
import type { Message, NoticeEvent } from './event.ts';
import { makeTarget } from './targets/make.ts';
import { notSent } from './targets/send.ts';

/** Beyond the target's own timeout. */
const GRACE_MS = 1000;

/** Null: the target took it; else why not. Never rejects. */
export async function sendTestNotice(config: NoticeConfig, vantage: string | null): Promise<string | null> {
  const { timeoutMs } = config;
  const host = hostname();
  const target = await makeTarget(config, { host, vantage });
  const work = target.send(sample(host), AbortSignal.timeout(timeoutMs));
  const sent = await within(timeoutMs + GRACE_MS, work, () => notSent(`no end within ${timeoutMs / 1000} s`));
  await target.close();
  return sent.ok ? null : sent.reason;
}

function sample(host: string): Message {
  const at = Date.now() / 1000;
  const summary = `this is a test of the notices of Edgewise on ${host}; nothing is wrong`;
  const event: NoticeEvent = { name: 'test', severity: 'info', labels: {}, summary };
  return {
    id: 'test',
    at,
    entries: [{ event, status: 'once', summary, startsAt: at, endsAt: null, count: 1 }],
    unlisted: 0,
  };
}
