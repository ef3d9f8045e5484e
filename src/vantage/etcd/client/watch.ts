/** Hears of changes as they happen: a hint, after which the caller looks for itself. So nothing is lost between streams. */
import { setTimeout as sleep } from 'node:timers/promises';
import { errorText } from '../../../system/error-text.ts';
import type { Guard } from '../../../system/guard.ts';
import { isObject, type JsonObject } from '../../../system/json-object.ts';
import { type RetryPauses, retryPauseMs } from '../../../system/retry-pause.ts';
import { type EtcdClient, isFault } from './client.ts';
import { faultIn, lost, open, parse } from './endpoint.ts';
import { encode, prefixEnd } from './wire.ts';

/** Longer lines (a change with its value is one) are not read: that they came is all we want to know. */
const LINE_MAX = 256 * 1024;
const PAUSES: RetryPauses = { firstMs: 250, maxMs: 15_000 };

export type WatchOptions = {
  readonly client: EtcdClient;
  /** Ends in ASCII. */
  readonly prefix: string;
  /** Until the stream is there. */
  readonly timeoutMs: number;
  readonly guard: Guard;
  /** Something below the prefix may have changed: a change was announced, or a stream began. */
  readonly onChange: () => void;
};

/**
 * One stream at a time, from the present on; where it ends (its member stops, has no leader, fell behind a compaction, or
 * talks nonsense) another member is asked, with growing pauses.
 */
export class Watch {
  private readonly options: WatchOptions;
  private readonly closing = new AbortController();
  private stream = new AbortController();
  private working: Promise<void> = Promise.resolve();
  private problem: string | null = null;
  private live = false;
  /** That of the stream, or of the one before. */
  private endpoint = '';

  constructor(options: WatchOptions) {
    this.options = options;
  }

  start(): void {
    this.working = this.work();
    this.options.guard.run('etcd watch', this.working);
  }

  /** A stream is there, as far as one can know: a way that swallows everything looks the same. */
  isLive(): boolean {
    return this.live;
  }

  /** Why there is no stream; null: there is one, or the first is on its way. */
  fault(): string | null {
    return this.problem;
  }

  /** For a stream that should have announced something and did not. */
  restart(why: string): void {
    this.stream.abort(new Error(why));
  }

  async stop(): Promise<void> {
    this.closing.abort(new Error('the watch is stopped'));
    this.stream.abort(this.closing.signal.reason);
    await this.working.catch(() => undefined);
  }

  private async work(): Promise<void> {
    let failures = 0;
    while (!this.closing.signal.aborted) {
      const before = performance.now();
      this.problem = await this.follow(failures);
      const hasLasted = this.live && performance.now() - before > PAUSES.maxMs;
      this.live = false;
      failures = hasLasted ? 1 : failures + 1;
      // Rejects when the watch is stopped.
      await sleep(retryPauseMs(failures, PAUSES), null, { signal: this.closing.signal }).catch(() => undefined);
    }
  }

  /** One stream from its begin to its end. Returns why it ended; never rejects. */
  private async follow(failures: number): Promise<string> {
    const { client, guard, timeoutMs } = this.options;
    const access = await client.access();
    if (isFault(access)) return access.text;
    const { order, token } = access;
    const others = [...order.filter((one) => one !== this.endpoint), ...order.filter((one) => one === this.endpoint)];
    const endpoint = (failures === 0 ? order[0] : others[(failures - 1) % order.length]) ?? '';
    this.endpoint = endpoint;
    const { host } = new URL(endpoint);
    if (this.closing.signal.aborted) return '';
    const stream = new AbortController();
    this.stream = stream;
    const late = guard.protect('etcd watch', () => stream.abort(new Error(`${host} does not answer a watch in time`)));
    const timer = setTimeout(late, timeoutMs);
    try {
      const post = { endpoint, path: 'watch', body: this.request(), token };
      const { statusCode, body } = await open(client.dispatcher, post, stream.signal, 0);
      if (statusCode !== 200) {
        body.destroy();
        return `${host} answers a watch with the status ${statusCode}`;
      }
      for await (const line of lines(body)) {
        const end = this.take(host, line);
        if (end !== null) return end;
        clearTimeout(timer);
      }
      return `${host} ended the watch`;
    } catch (error) {
      return stream.signal.aborted ? errorText(stream.signal.reason) : lost(host, error).text;
    } finally {
      clearTimeout(timer);
      stream.abort();
    }
  }

  private request(): string {
    const { prefix } = this.options;
    return JSON.stringify({
      create_request: { key: encode(prefix), range_end: encode(prefixEnd(prefix)), fragment: true },
    });
  }

  /** Why the stream is of no more use; null: go on. */
  private take(host: string, line: string | null): string | null {
    const message = line === null ? null : parse(line);
    if (line !== null) {
      const fault = message === null ? null : faultIn(host, message);
      if (fault !== null) return fault.text;
      const result = message?.['result'];
      if (!isObject(result)) return `${host} does not answer a watch as etcd does`;
      if (result['canceled'] === true) return `${host} cancelled the watch${reasonIn(result)}`;
    }
    this.live = true;
    this.problem = null;
    this.options.guard.run('etcd watch', this.options.onChange);
    return null;
  }
}

function reasonIn({ cancel_reason: reason, compact_revision: compacted }: JsonObject): string {
  if (typeof reason === 'string' && reason !== '') return `: ${reason.slice(0, 200)}`;
  return compacted === undefined ? '' : ', which fell behind a compaction';
}

/** Lines of a stream; null for one that is too long to be kept. */
async function* lines(body: AsyncIterable<Buffer>): AsyncGenerator<string | null> {
  let kept: Buffer[] = [];
  let octets = 0;
  for await (const chunk of body) {
    let from = 0;
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, from)) {
      octets += at - from;
      kept.push(chunk.subarray(from, at));
      yield octets > LINE_MAX ? null : Buffer.concat(kept).toString();
      from = at + 1;
      kept = [];
      octets = 0;
    }
    octets += chunk.length - from;
    if (octets <= LINE_MAX) kept.push(chunk.subarray(from));
    else kept = [];
  }
}
