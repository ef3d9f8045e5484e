/** `edgewise notice test TARGET`: whether a target of `notices` takes what it is sent. */
import type { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import type { NoticeConfig } from '../config/section-notices.ts';
import { sendTestNotice } from '../publish/notices/test-notice.ts';
import { configOption, endWith, newCommand, printFaults, refuse } from './command-line.ts';

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
  const reason = await sendTestNotice(config, vantage);
  if (reason !== null) return refuse(`${config.name}: not sent: ${reason}`);
  process.stdout.write(`${config.name}: sent\n`);
  return 0;
}
