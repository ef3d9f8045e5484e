/** A thin client of etcd's JSON gateway (`/v3/…`). Nothing here throws or waits for longer than it was told to. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, type Dispatcher } from 'undici';
import type { z } from 'zod';
import { limitOf, within } from '../../../system/deadline.ts';
import type { JsonObject } from '../../../system/json-object.ts';
import { type RetryPauses, retryPauseMs } from '../../../system/retry-pause.ts';
import type { Secret } from '../../../system/secret.ts';
import { type Reply, send } from './endpoint.ts';
import type { Answer, EtcdFault, Range, RangeResult, Transaction, TransactionResult } from './wire.ts';
import * as wire from './wire.ts';

export type EtcdClientOptions = {
  /** `http(s)://host:port`, at least one; the one that answered last is asked first. */
  readonly endpoints: readonly string[];
  /** For a request, whichever endpoints it takes. */
  readonly timeoutMs: number;
  readonly user: { readonly name: string; readonly password: Secret } | null;
  /** PEM; `ca` null: the system's. */
  readonly tls: { readonly ca: string | null; readonly cert: string | null; readonly key: string | null };
};

/** UNAUTHENTICATED and INVALID_ARGUMENT, with which etcd says that a token is not, or no longer, valid. */
const TOKEN_FAULT = /invalid auth token|auth store is old|wants a user/;
const INVALID = [3, 16];
const PAUSES: RetryPauses = { firstMs: 100, maxMs: 1000 };
/** FAILED_PRECONDITION: "authentication is not enabled". */
const NOT_ENABLED = 9;

/**
 * Each request asks the endpoints in turn: the next one as soon as one fails, or is silent for its share of the time, and
 * the first answer counts. So a request can be carried out twice. A transaction that compares revisions is then refused
 * the second time: whoever sends one reads back, in its `failure`, whether what is stored is their own.
 */
export class EtcdClient {
  readonly dispatcher: Dispatcher;
  private readonly options: EtcdClientOptions;
  private readonly closing = new AbortController();
  private order: readonly string[];
  private token: Promise<string | null> | null = null;

  constructor(options: EtcdClientOptions) {
    this.options = options;
    this.order = options.endpoints;
    const { ca, cert, key } = options.tls;
    const own = {
      ...(ca === null ? {} : { ca }),
      ...(cert === null ? {} : { cert }),
      ...(key === null ? {} : { key }),
    };
    this.dispatcher = new Agent({
      connections: 8,
      pipelining: 1,
      headersTimeout: options.timeoutMs,
      bodyTimeout: options.timeoutMs,
      connect: { timeout: options.timeoutMs, ...own },
    });
  }

  /** Linearizable: as new as anything that was stored before. At most some megabytes: use a limit. */
  range(range: Range): Promise<Answer<RangeResult>> {
    return this.call('kv/range', wire.rangeJson(range), wire.rangeSchema);
  }

  put(key: string, value: string | Buffer, lease?: string): Promise<Answer<null>> {
    return this.call('kv/put', wire.putJson(key, value, lease), wire.nothingSchema);
  }

  delete(range: Range): Promise<Answer<null>> {
    return this.call('kv/deleterange', wire.deleteJson(range), wire.nothingSchema);
  }

  /** With ranges alone it is linearizable, too, and all are of one revision. */
  txn(transaction: Transaction): Promise<Answer<TransactionResult>> {
    return this.call('kv/txn', wire.transactionJson(transaction), wire.transactionSchema);
  }

  /** `ttl` in seconds, also as granted. */
  grant(ttl: number): Promise<Answer<{ readonly id: string; readonly ttl: number }>> {
    return this.call('lease/grant', { TTL: String(Math.ceil(ttl)) }, wire.grantSchema);
  }

  /** Seconds it has from now; 0: it has ended. */
  keepAlive(id: string): Promise<Answer<number>> {
    return this.call('lease/keepalive', { ID: id }, wire.keepAliveSchema);
  }

  /** Deletes the keys that hang on it. */
  revoke(id: string): Promise<Answer<null>> {
    return this.call('lease/revoke', { ID: id }, wire.nothingSchema);
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    this.closing.abort(new Error('the client is closed'));
    await this.dispatcher.destroy();
  }

  /** What a stream needs: the endpoint to try first, and the token; a fault where that cannot be had. */
  async access(): Promise<{ readonly order: readonly string[]; readonly token: string | null } | EtcdFault> {
    const token = await this.authenticate();
    return isFault(token) ? token : { order: this.order, token };
  }

  private async call<T>(path: string, body: object, schema: z.ZodType<T>): Promise<Answer<T>> {
    const token = await this.authenticate();
    if (isFault(token)) return { ok: false, fault: token };
    const used = this.token;
    const answer = await this.ask(path, body, schema, token);
    if (answer.ok || !isTokenFault(answer.fault) || this.options.user === null) return answer;
    if (this.token === used) this.token = null; // it has expired, or users have changed
    const renewed = await this.authenticate();
    return isFault(renewed) ? { ok: false, fault: renewed } : this.ask(path, body, schema, renewed);
  }

  /** The token of our user; null: none is needed. One request for all who wait for it. */
  private async authenticate(): Promise<string | null | EtcdFault> {
    const { user } = this.options;
    if (user === null) return null;
    if (this.token !== null) return this.token;
    let fault: EtcdFault | null = null;
    const body = { name: user.name, password: user.password.reveal() };
    const asking = this.ask('auth/authenticate', body, wire.tokenSchema, null).then((answer) => {
      if (answer.ok) return answer.value.token;
      if (answer.fault.code !== NOT_ENABLED) fault = answer.fault;
      return null;
    });
    this.token = asking;
    const token = await asking;
    if (fault === null) return token;
    if (this.token === asking) this.token = null;
    return fault;
  }

  /**
   * The first answer that counts from the endpoints. Where none gives one, but one of them is etcd that cannot serve at the
   * moment (while it elects a leader), they are asked again as long as there is time. Never rejects.
   */
  private async ask<T>(path: string, body: object, schema: z.ZodType<T>, token: string | null): Promise<Answer<T>> {
    const limit = limitOf(this.options.timeoutMs, this.closing.signal, () => new DOMException('late', 'TimeoutError'));
    const answered = new AbortController();
    const signal = AbortSignal.any([limit.signal, answered.signal]);
    const ask = (endpoint: string): Promise<Answer<T>> =>
      send(this.dispatcher, { endpoint, path, body: text, token }, signal).then((r) => understood(endpoint, r, schema));
    const text = JSON.stringify(body);
    try {
      for (let failures = 1; ; failures++) {
        const answer = await this.askEach(ask);
        if (answer.ok || answer.fault.kind === 'refused' || answer.fault.code === null || signal.aborted) return answer;
        await sleep(retryPauseMs(failures, PAUSES), null, { signal }).catch(() => undefined);
        if (signal.aborted) return answer;
      }
    } finally {
      limit.end();
      answered.abort();
    }
  }

  /** One after the other, each for its share of the time, while those before go on. */
  private async askEach<T>(ask: (endpoint: string) => Promise<Answer<T>>): Promise<Answer<T>> {
    const { order } = this;
    const { endpoints, timeoutMs } = this.options;
    const faults = new Map<string, EtcdFault>();
    const running = new Map<string, Promise<{ readonly endpoint: string; readonly answer: Answer<T> }>>();
    /** The next answer that counts; null: all that run have failed. */
    const next = async (): Promise<Answer<T> | null> => {
      while (running.size > 0) {
        const { endpoint, answer } = await Promise.race(running.values());
        running.delete(endpoint);
        if (answer.ok || answer.fault.kind === 'refused') {
          this.order = [endpoint, ...endpoints.filter((other) => other !== endpoint)];
          return answer;
        }
        faults.set(endpoint, answer.fault);
      }
      return null;
    };
    for (const [number, endpoint] of order.entries()) {
      running.set(
        endpoint,
        ask(endpoint).then((answer) => ({ endpoint, answer })),
      );
      const isLast = number === order.length - 1;
      const answer = await (isLast ? next() : within(timeoutMs / order.length, next(), () => null));
      if (answer !== null) return answer;
    }
    return { ok: false, fault: together([...faults.values()]) };
  }
}

export function isFault(value: unknown): value is EtcdFault {
  return typeof value === 'object' && value !== null && 'kind' in value;
}

function isTokenFault({ code, text }: EtcdFault): boolean {
  return code !== null && INVALID.includes(code) && TOKEN_FAULT.test(text);
}

function understood<T>(endpoint: string, reply: Reply, schema: z.ZodType<T>): Answer<T> {
  if (!reply.ok) return reply;
  const value = unwrapped(reply.value);
  const header = wire.headerSchema.safeParse(value);
  const read = schema.safeParse(value);
  if (!header.success || !read.success) {
    const text = `${new URL(endpoint).host} does not answer as etcd does: its JSON is of another form`;
    return { ok: false, fault: { kind: 'unreachable', code: null, text } };
  }
  const { cluster_id: clusterId, revision } = header.data.header;
  return { ok: true, header: { clusterId, revision }, value: read.data };
}

/** The first answer of a stream, such as that of keepalive, is within `result`. */
function unwrapped(value: JsonObject): unknown {
  return 'result' in value && !('header' in value) ? value['result'] : value;
}

function together(faults: readonly EtcdFault[]): EtcdFault {
  const code = faults.find((fault) => fault.code !== null)?.code ?? null;
  const isTooLarge = faults.some((fault) => fault.isTooLarge === true);
  return { kind: 'unreachable', code, text: faults.map(({ text }) => text).join('; '), isTooLarge };
}
