import type { NoticeConfig } from '../../../config/section-notices.ts';
import type { Origin } from '../text.ts';
import { alertmanagerTarget } from './alertmanager.ts';
import { type NoticeTarget, notSent } from './send.ts';
import { slackTarget } from './slack.ts';
import { webhookTarget } from './webhook.ts';

/** The target that a configuration describes, for what `origin` sends. */
export async function makeTarget(config: NoticeConfig, origin: Origin): Promise<NoticeTarget> {
  switch (config.to) {
    case 'slack':
      return slackTarget(config, origin);
    case 'webhook':
      return webhookTarget(config, origin);
    case 'alertmanager':
      return alertmanagerTarget(config, origin);
    case 'command':
      return (await import('./command.ts')).commandTarget(config, origin);
    case 'email':
      return (await import('./email.ts')).emailTarget(config, origin);
    case 'unusable':
      return { send: async () => notSent(config.reason), close: async () => undefined };
  }
}
