/** One POST of a JSON body to a URL that may be a secret: bounded in time and size, no redirect followed. */
import { Agent, type Dispatcher } from 'undici';
import { errorText, systemCode } from '../../../system/error-text.ts';
import { retryAfterMs } from '../../../system/retry-after.ts';
import { Secret, withoutSecrets } from '../../../system/secret.ts';
import { version } from '../../../system/version.ts';
import { cut } from '../text.ts';
import { notSent, type Sent } from './send.ts';

/** Octets of an answer that are read; more ends the connection. */
const ANSWER_MAX = 64 * 1024;
/** Characters of an answer that a reason repeats. */
const SHOWN_MAX = 200;
/** Characters of a segment or a value of a URL from which on it may be a secret by itself, and not a plain word. */
const PIECE_MIN = 9;
/** RFC 9110: the message itself is what is wrong, so that it never will be taken. */
const REFUSALS: ReadonlySet<number> = new Set([400, 413, 415, 422]);

export type HttpPostOptions = {
  readonly url: Secret;
  readonly timeoutMs: number;
  /** Further secrets that an answer could repeat. */
  readonly secrets?: readonly Secret[];
};

export class HttpPost {
  private readonly options: HttpPostOptions;
  private readonly agent: Agent;
  /** Since the start, and now. */
  private connected = 0;
  private connections = 0;

  constructor(options: HttpPostOptions) {
    const { timeoutMs } = options;
    this.options = options;
    this.agent = new Agent({
      connections: 2,
      pipelining: 1,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      keepAliveTimeout: 10_000,
      keepAliveMaxTimeout: 60_000,
      maxResponseSize: ANSWER_MAX,
      connect: { timeout: timeoutMs },
    });
    this.agent.on('connect', () => {
      this.connected += 1;
      this.connections += 1;
    });
    this.agent.on('disconnect', () => {
      this.connections -= 1;
    });
  }

  async post(body: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Sent> {
    const { url, secrets = [], timeoutMs } = this.options;
    const { origin, pathname, search } = new URL(url.reveal());
    // The longest first, since one may be a part of another.
    const hidden = [...secrets, ...secretParts(url)].sort((a, b) => b.reveal().length - a.reveal().length);
    const before = this.connected;
    const isIdle = this.connections === 0;
    let response: Dispatcher.ResponseData;
    try {
      response = await this.agent.request({
        origin,
        path: `${pathname}${search}`,
        method: 'POST',
        headers: { 'content-type': 'application/json', 'user-agent': `edgewise/${version()}`, ...headers },
        body,
        signal,
      });
    } catch (error) {
      const reason = withoutSecrets(failureText(error, timeoutMs), hidden);
      return { ...notSent(reason), isUnsent: isIdle && this.connected === before };
    }
    const { statusCode } = response;
    let answer = '';
    try {
      answer = await response.body.text();
    } catch {
      // Too long, or cut off: the status says what counts.
    }
    if (statusCode >= 200 && statusCode < 300) return { ok: true };
    const said = cut(withoutSecrets(answer, hidden).replace(/\s+/g, ' ').trim(), SHOWN_MAX);
    const reason = `it answers ${statusCode}${meaning(statusCode)}${said === '' ? '' : `: ${said}`}`;
    const wait = retryAfterMs(response.headers['retry-after']);
    return notSent(reason, { isRefused: REFUSALS.has(statusCode), retryAfterMs: wait });
  }

  close(): Promise<void> {
    return this.agent.destroy();
  }
}

/** All that a receiver may repeat of a URL: as it is written, as it is sent, and as a JSON or a log has it. */
function secretParts(url: Secret): readonly Secret[] {
  const { href, pathname, search, searchParams } = new URL(url.reveal());
  const whole = [url.reveal(), href, `${pathname}${search}`, pathname, search].filter((part) => part.length > 1);
  const pieces = [...pathname.split('/'), ...searchParams.values()].filter((part) => part.length >= PIECE_MIN);
  const parts = [...whole, ...pieces].flatMap((part) => [part, decoded(part)]);
  const forms = new Set(parts.flatMap((part) => [part, part.replaceAll('/', '\\/')]));
  return [...forms].map((part) => new Secret(part));
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a percent sign of its own
  }
}

function meaning(status: number): string {
  if (status >= 300 && status < 400) return ' (it has moved; redirects are not followed, so give its new URL)';
  if (status === 401 || status === 403) return ' (it does not accept the URL or the secret)';
  if (status === 404 || status === 410) return ' (there is no such URL any more)';
  if (status === 429) return ' (it is asked too often)';
  return '';
}

function failureText(error: unknown, timeoutMs: number): string {
  const code = systemCode(error);
  const isLate =
    code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT' || code === 'UND_ERR_CONNECT_TIMEOUT';
  if (isLate || (error instanceof Error && error.name === 'TimeoutError')) {
    return `no answer within ${timeoutMs / 1000} s`;
  }
  const text = errorText(error);
  return text === '' ? `no connection (${code})` : text; // of several addresses that all failed there is no text
}
