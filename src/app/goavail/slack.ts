/** goavail's messages to Slack. */
import { Agent, request } from 'undici';
import { errorText } from '../../system/error-text.ts';
import { Secret, withoutSecrets } from '../../system/secret.ts';
import type { AddressStep } from './own-addresses.ts';

const DONE = { add: 'Added', remove: 'Removed' } as const;

/** As the original says it, its spaces included: people look for it. */
export function slackText(action: AddressStep['action'], domain: string, dryRun: boolean): string {
  const done = `${DONE[action]} IP and configured entries from/to domain ${domain} `;
  return dryRun ? `Dry Run set to True.  Agent would have ${done}` : `Dry Run set to False. Agent ${done}`;
}

/** The body of a message, in the form that the original sends. */
export function slackForm(text: string): string {
  return new URLSearchParams({ payload: JSON.stringify({ text }) }).toString();
}

const TIMEOUT_MS = 10_000;
const ANSWER_MAX = 65_536; // octets

/** Sends messages to one webhook. `api`: what its address begins with, without final slash; the rest is a secret. */
export class SlackWebhook {
  private readonly url: Secret;
  private readonly agent = new Agent({
    connections: 1,
    connect: { timeout: TIMEOUT_MS },
    maxResponseSize: ANSWER_MAX,
  });

  constructor(api: string, path: Secret) {
    this.url = new Secret(`${api}/${path.reveal()}`);
  }

  /** A sentence: why the message was not sent; null: it was. Never rejects. */
  async send(text: string): Promise<string | null> {
    try {
      const { statusCode, body } = await request(this.url.reveal(), {
        method: 'POST',
        dispatcher: this.agent,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: slackForm(text),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const answer = await body.text();
      if (statusCode >= 200 && statusCode < 300) return null;
      return `Slack does not take the message (status ${statusCode}): ${this.shown(answer)}`;
    } catch (error) {
      return `the message was not sent to Slack: ${this.shown(errorText(error))}`;
    }
  }

  async close(): Promise<void> {
    await this.agent.destroy();
  }

  private shown(text: string): string {
    const { pathname } = new URL(this.url.reveal());
    return withoutSecrets(text, [this.url, new Secret(pathname)])
      .replace(/\p{Cc}+/gu, ' ')
      .slice(0, 200);
  }
}
