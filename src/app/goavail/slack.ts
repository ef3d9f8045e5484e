/** goavail's messages to Slack. */
import { HttpPost } from '../../publish/notices/targets/http-post.ts';
import { Secret } from '../../system/secret.ts';
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
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

/** Sends messages to one webhook. `api`: what its address begins with, without final slash; the rest is a secret. */
export class SlackWebhook {
  private readonly http: HttpPost;

  constructor(api: string, path: Secret) {
    const url = `${api}/${path.reveal()}`;
    const secrets = [new Secret(new URL(url).pathname), path];
    this.http = new HttpPost({ url: new Secret(url), timeoutMs: TIMEOUT_MS, secrets });
  }

  /** A sentence: why the message was not sent; null: it was. Never rejects. */
  async send(text: string): Promise<string | null> {
    const sent = await this.http.post(slackForm(text), FORM, AbortSignal.timeout(TIMEOUT_MS));
    return sent.ok ? null : `the message was not sent to Slack: ${sent.reason}`;
  }

  close(): Promise<void> {
    return this.http.close();
  }
}
