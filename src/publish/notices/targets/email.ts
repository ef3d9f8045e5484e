/** Mail by way of a server that takes it from this machine. Loaded only where it is configured. */
import { createTransport } from 'nodemailer';
import type { EmailConfig } from '../../../config/section-notices.ts';
import { errorText } from '../../../system/error-text.ts';
import { type Secret, withoutSecrets } from '../../../system/secret.ts';
import type { Message } from '../event.ts';
import { asVantage, cut, linesOf, type Origin, type Sender, timeText, titleOf } from '../text.ts';
import { type NoticeTarget, notSent } from './send.ts';

/** Characters; RFC 5322 section 2.1.1 has 998 a line, and people read less. */
const SUBJECT_MAX = 200;
const SHOWN_MAX = 300;

export function emailTarget(config: EmailConfig, origin: Origin): NoticeTarget {
  const { server, encryption, verify, login, timeoutMs, from, recipients, template } = config;
  const transport = createTransport({
    host: server.address,
    port: server.port,
    secure: encryption === 'tls',
    ignoreTLS: encryption === 'none',
    requireTLS: encryption === 'starttls',
    // RFC 7435: opportunistic encryption takes any certificate; who could forge one could hide STARTTLS as well.
    tls: { rejectUnauthorized: verify && encryption !== 'offered' },
    ...(login === null ? {} : { auth: { user: login.user, pass: login.password.reveal() } }),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const hidden: readonly Secret[] = login === null ? [] : [login.password];
  const sender = { ...origin, target: config.name };
  return {
    send: async (message, signal) => {
      try {
        await transport.sendMail({
          from,
          to: [...recipients],
          subject: cut(titleOf(message, template, sender).replace(/\s+/g, ' '), SUBJECT_MAX),
          text: mailText(message, config, sender),
          // RFC 3834: no out-of-office answers.
          headers: { 'Auto-Submitted': 'auto-generated', 'X-Edgewise-Message': message.id },
          signal,
        });
        return { ok: true };
      } catch (error) {
        // The library says only that it was aborted.
        if (isTimeout(signal.reason)) return notSent(`no answer within ${timeoutMs / 1000} s`);
        const text = withoutSecrets(errorText(error), hidden).replace(/\s+/g, ' ');
        return notSent(cut(text, SHOWN_MAX));
      }
    },
    close: async () => transport.close(),
  };
}

function isTimeout(reason: unknown): boolean {
  return reason instanceof Error && reason.name === 'TimeoutError';
}

function mailText(message: Message, { template }: EmailConfig, { host, vantage, target }: Sender): string {
  const lines = linesOf(message, template);
  return `${lines.join('\n')}\n\n-- \nEdgewise on ${host}${asVantage(vantage)}, target ${target}, message ${message.id}, ${timeText(message.at)}\n`;
}
