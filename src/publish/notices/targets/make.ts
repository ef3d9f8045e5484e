import type { NoticeConfig } from '../../../config/section-notices.ts';
import { alertmanagerTarget } from './alertmanager.ts';
import { type NoticeTarget, notSent } from './send.ts';
import { slackTarget } from './slack.ts';
import { webhookTarget } from './webhook.ts';

/** The target that a configuration describes. `host`: this machine's name. */
export async function makeTarget(config: NoticeConfig, host: string): Promise<NoticeTarget> {
  switch (config.to) {
    case 'slack':
      return slackTarget(config, host);
    case 'webhook':
      return webhookTarget(config, host);
    case 'alertmanager':
      return alertmanagerTarget(config, host);
    case 'command':
      return (await import('./command.ts')).commandTarget(config, host);
    case 'email':
      return (await import('./email.ts')).emailTarget(config, host);
    case 'unusable':
      return { send: async () => notSent(config.reason), close: async () => undefined };
  }
}
