/** Asks one peer for its views, over and over; what one peer does delays no other. */
import type { KeyObject } from 'node:crypto';
import { type Dispatcher, Pool } from 'undici';
import { limitOf } from '../../system/deadline.ts';
import { errorText, systemCode } from '../../system/error-text.ts';
import type { Guard } from '../../system/guard.ts';
import { PEERS_PATH } from './listener.ts';
import {
  ANSWER_MAX,
  answerContext,
  type KnownView,
  type PeerAnswer,
  type PeerRequest,
  REQUEST_CONTEXT,
  readAnswer,
} from './messages.ts';
import { open, seal } from './sealing.ts';
import { randomText } from './sessions.ts';

export type AskerOptions = {
  /** Our name, the peer's, and where it is asked: `http(s)://host:port`. */
  readonly from: string;
  readonly peer: { readonly name: string; readonly url: string };
  readonly key: KeyObject;
  /** PEM of the authorities that sign the peers' certificates; null: the system's. */
  readonly ca: string | null;
  /** How long a request waits for something new, and how long the peer may take besides. */
  readonly waitMs: number;
  readonly timeoutMs: number;
  readonly known: () => Readonly<Record<string, KnownView>>;
  /** `transitMs`: how long the answer was on its way at most, the time for the request included. */
  /** Whether the answer had anything new for us. */
  readonly onAnswer: (answer: PeerAnswer, transitMs: number) => boolean;
  /** An answer that was not sealed for our request. */
  readonly onForged: () => void;
  /** What is wrong with the peer, a sentence without its name; null: nothing any more. Called when it changes. */
  readonly onProblem: (problem: string | null) => void;
  readonly guard: Guard;
  readonly now: () => number;
  readonly monotonicMs: () => number;
};

/** Between the starts of two requests, however fast the peer answers. */
const GAP_MS = 50;
const PAUSE_MIN_MS = 250;
const PAUSE_MAX_MS = 10_000;
/** Failures in a row before a problem is one: a connection that ended just when it was used again is none. */
const FAILURES = 2;

/** `isIdle`: the answer had nothing for us, so that asking again at once would be no use. */
type Outcome = { readonly problem: string | null; readonly isIdle?: boolean };

export class Asker {
  private readonly options: AskerOptions;
  private readonly pool: Pool;
  private readonly stopping = new AbortController();
  private timer: NodeJS.Timeout | null = null;
  private session: string | null = null;
  /** The counter begins anew with each asker, so that its name has to as well, or the peer takes its requests for replays. */
  private readonly boot = randomText();
  private counter = 0;
  private failures = 0;
  private problem: string | null = null;

  constructor(options: AskerOptions) {
    const { peer, ca, timeoutMs } = options;
    this.options = options;
    // The time that a request may take is limited by its signal, as a whole.
    this.pool = new Pool(peer.url, {
      connections: 1,
      pipelining: 1,
      headersTimeout: 0,
      bodyTimeout: 0,
      maxResponseSize: ANSWER_MAX,
      connect: { timeout: timeoutMs, ...(ca === null ? {} : { ca }) },
    });
  }

  start(): void {
    this.schedule(0);
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    if (this.timer !== null) clearTimeout(this.timer);
    await this.pool.destroy();
  }

  private schedule(pauseMs: number): void {
    if (this.stopping.signal.aborted) return;
    const { guard } = this.options;
    this.timer = setTimeout(
      guard.protect('peers', () => this.turn()),
      pauseMs,
    );
  }

  private async turn(): Promise<void> {
    const { monotonicMs, waitMs } = this.options;
    const started = monotonicMs();
    let outcome: Outcome = { problem: 'it could not be asked' }; // unless a bug ends it
    try {
      outcome = await this.ask();
    } finally {
      if (!this.stopping.signal.aborted) this.note(outcome);
      const taken = monotonicMs() - started;
      // A peer that is back is noticed within an interval.
      const most = Math.min(PAUSE_MAX_MS, Math.max(PAUSE_MIN_MS, waitMs));
      const pause = Math.min(most, PAUSE_MIN_MS * 2 ** Math.min(16, this.failures - 1));
      // One that answers at once with nothing to take (views of another version) is asked as often as one that waits.
      const gap = outcome.isIdle === true ? Math.max(GAP_MS, waitMs) : GAP_MS;
      this.schedule(this.failures === 0 ? Math.max(0, gap - taken) : pause);
    }
  }

  private note({ problem }: Outcome): void {
    this.failures = problem === null ? 0 : this.failures + 1;
    if (this.failures > 0 && this.failures < FAILURES) return;
    if (problem === this.problem) return;
    this.problem = problem;
    this.options.onProblem(problem);
  }

  /** One request, and its answer. Never rejects for what a peer does. */
  private async ask(): Promise<Outcome> {
    const { from, peer, key, waitMs, timeoutMs, now, monotonicMs, known } = this.options;
    const request: PeerRequest = {
      v: 1,
      from,
      to: peer.name,
      boot: this.boot,
      counter: this.counter,
      session: this.session,
      challenge: randomText(),
      clock: now(),
      waitMs,
      known: known(),
    };
    this.counter += 1;
    const started = monotonicMs();
    const limitMs = waitMs + timeoutMs;
    const late = (): Error => new Error(`no answer within ${limitMs / 1000} s`);
    const limit = limitOf(limitMs, this.stopping.signal, late);
    let status: number;
    let body: Buffer;
    try {
      const sealed = seal(key, 'request', REQUEST_CONTEXT, JSON.stringify(request));
      const response = await this.post(sealed, limit.signal);
      status = response.statusCode;
      body = Buffer.from(await response.body.arrayBuffer());
    } catch (error) {
      return { problem: failureText(error) };
    } finally {
      limit.end();
    }
    if (status !== 200) {
      // A peer that lost our session says so in an answer; whatever else it is, a new session does no harm.
      this.session = null;
      return { problem: statusText(status, from, peer.name) };
    }
    const text = open(key, 'answer', answerContext(request), body);
    if (text === null) {
      this.options.onForged();
      return {
        problem: 'it answers with what was not sealed for our request: its key is another one, or it is forged',
      };
    }
    const answer = readAnswer(text);
    if (answer === null) return { problem: 'it answers with what this version does not know' };
    return this.take(answer, monotonicMs() - started);
  }

  private take(answer: PeerAnswer, takenMs: number): Outcome {
    const isRepeated = answer.isNewSession && this.session === answer.session;
    this.session = answer.session;
    if (isRepeated) return { problem: 'it does not take the session that it gave' };
    // The first answer of a session has no views; the next request follows at once.
    const isNews = this.options.onAnswer(answer, Math.max(0, takenMs - answer.waitedMs));
    return { problem: null, isIdle: !isNews && !answer.isNewSession };
  }

  private post(body: Buffer, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    return this.pool.request({
      path: PEERS_PATH,
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream' },
      body,
      signal,
    });
  }
}

/** Statuses that say why a request was refused. They are not authenticated, so that nothing but a sentence rests on them. */
function statusText(status: number, from: string, peer: string): string {
  switch (status) {
    case 401:
      return 'it cannot read our requests: its key is another one';
    case 403:
      return `it has no peer "${from}" in its configuration`;
    case 409:
      return 'it has seen our request before';
    case 421:
      return `its own name is another one than "${peer}"`;
    default:
      return `it answers ${status}, so something else or another version answers there`;
  }
}

function failureText(error: unknown): string {
  const code = systemCode(error);
  if (code === 'UND_ERR_CONNECT_TIMEOUT') return 'no connection in time';
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') return `it answers with more than ${ANSWER_MAX} octets`;
  const text = errorText(error);
  return text === '' ? `no connection (${code})` : text; // of several addresses that all failed there is no text
}
