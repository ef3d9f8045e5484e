/** Bounded requests to a provider's HTTP API. */
import { Agent, errors, request } from 'undici';
import { errorText, systemCode } from '../../system/error-text.ts';
import { retryAfterMs } from '../../system/retry-after.ts';
import { ProviderError } from './provider.ts';

export type HttpRequest = {
  readonly method: 'GET' | 'POST' | 'PATCH';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON; null: none. */
  readonly body: string | null;
};

/** `retryAfterMs`: what the field `retry-after` says, at most an hour; null: nothing. */
export type HttpAnswer = { readonly status: number; readonly text: string; readonly retryAfterMs: number | null };

const MIB = 2 ** 20;
const BOUNDS = { connections: 4, connectMs: 10_000, answerMs: 60_000, octets: 4 * MIB };
const QUOTED_MAX = 200;

/** An answer has more octets than it may. */
export class TooLargeError extends ProviderError {}

/**
 * One server's. Redirects are not followed: they could lead credentials elsewhere. A connection serves one request, so that
 * a restart of the server meanwhile breaks none.
 */
export class HttpClient {
  private readonly agent = new Agent({
    connections: BOUNDS.connections,
    pipelining: 0,
    connect: { timeout: BOUNDS.connectMs },
    headersTimeout: BOUNDS.answerMs,
    bodyTimeout: BOUNDS.answerMs,
    maxResponseSize: BOUNDS.octets,
  });

  /** Rejects with a ProviderError where there is no whole answer, or with the signal's reason. */
  async send({ method, url, headers, body }: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    signal.throwIfAborted();
    try {
      const answer = await request(url, {
        method,
        dispatcher: this.agent,
        signal,
        headers: {
          ...headers,
          accept: 'application/json',
          ...(body === null ? {} : { 'content-type': 'application/json' }),
        },
        body,
      });
      const text = await answer.body.text();
      return { status: answer.statusCode, text, retryAfterMs: retryAfterMs(answer.headers['retry-after']) };
    } catch (error) {
      signal.throwIfAborted();
      throw lostAnswer(new URL(url).host, error);
    }
  }

  async close(): Promise<void> {
    await this.agent.destroy();
  }
}

/** What a request without a whole answer means, from what undici rejects with. `host`: as messages name the server. */
export function lostAnswer(host: string, error: unknown): ProviderError {
  const code = systemCode(error);
  if (/^UND_ERR_(?:CONNECT|HEADERS|BODY)_TIMEOUT$/.test(code)) {
    return new ProviderError('timeout', `${host} does not answer in time`);
  }
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') {
    return new TooLargeError('malformed', `${host} answers with more than ${BOUNDS.octets / MIB} MiB`);
  }
  // An end inside a chunk is one of these errors, too.
  if (error instanceof errors.HTTPParserError && !error.message.includes('EOF')) {
    return new ProviderError('malformed', `${host} does not speak HTTP`);
  }
  const why = code === '' || code.startsWith('UND_ERR_') ? errorText(error).slice(0, QUOTED_MAX) : code;
  return new ProviderError('unreachable', `${host} cannot be reached, or broke off: ${why}`);
}
