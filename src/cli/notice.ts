/** `edgewise notice test TARGET`: whether a target of `notices` takes what it is sent. */
import { hostname } from 'node:os';
import type { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import type { NoticeConfig } from '../config/section-notices.ts';
import type { Message, NoticeEvent } from '../publish/notices/event.ts';
import { makeTarget } from '../publish/notices/targets/make.ts';
import { notSent } from '../publish/notices/targets/send.ts';
import { within } from '../system/deadline.ts';
import { configOption, endWith, newCommand, printFaults, refuse } from './command-line.ts';

/** Beyond the target's own timeout. */
const GRACE_MS = 1000;

export function noticeCommand(): Command {
  const test = configOption(newCommand('test', 'edgewise notice test'))
    .description('send one target of "notices" a sample, at once')
    .argument('<target>', 'the name of the target')
    .action(async (name: string, flags: { readonly config: string }) => {
      await endWith(() => sendSample(name, flags.config));
    });
  return newCommand('notice').description('notices: send people and programs word of what happens').addCommand(test);
}

async function sendSample(name: string, file: string): Promise<number> {
  const { config, faults } = loadConfig(file);
  printFaults(faults);
  if (config === null) return 1;
  const target = config.notices.find((one) => one.name === name);
  if (target !== undefined) return send(target, config.vantage?.name ?? null);
  const names = config.notices.map((one) => one.name);
  const known = names.length === 0 ? 'the configuration has none' : `there are ${names.join(', ')}`;
  return refuse(`there is no target of notices called "${name}"; ${known}`);
}

async function send(config: NoticeConfig, vantage: string | null): Promise<number> {
  const { name, timeoutMs } = config;
  const host = hostname();
  const target = await makeTarget(config, { host, vantage });
  const work = target.send(sample(host), AbortSignal.timeout(timeoutMs));
  const sent = await within(timeoutMs + GRACE_MS, work, () => notSent(`no end within ${timeoutMs / 1000} s`));
  await target.close();
  if (!sent.ok) return refuse(`${name}: not sent: ${sent.reason}`);
  process.stdout.write(`${name}: sent\n`);
  return 0;
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
