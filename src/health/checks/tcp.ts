/** The check of kind `tcp`: connects, with TLS where that is wanted, and may send and expect a few octets. */
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { CHECK_SCHEMAS } from '../../config/section-checks.ts';
import type { Attempt, Check, CheckHead, Failure, ProbeTools, Target } from './check.ts';
import { CLOSED, CONNECTING, codeOf, failOfConnection, RESET, sentence, tlsOptions } from './connect-fail.ts';

/** Without `expect` a connection (with TLS: the handshake) is enough, whatever is sent. */
export type TcpTest = CheckHead & {
  readonly kind: 'tcp';
  readonly port: number;
  /** `name`: SNI and of the certificate. `ca`: authorities to believe, PEM; null: the usual ones. */
  readonly tls: null | { readonly name: string; readonly verify: boolean; readonly ca: string | null };
  readonly send: Uint8Array | null;
  /** Octets that must be somewhere in what comes. */
  readonly expect: Uint8Array | null;
};

export const TCP_REASONS = [
  'refused',
  'unreachable',
  'timeout', // the deadline passed; `detail` says in which phase
  'tls', // the handshake
  'certificate',
  'unexpected', // something else came than `expect`
  'closed', // by the edge, before what was expected
  'other', // ours: no file descriptor, which is unknown; no local port, a bug
] as const;

export type TcpReason = (typeof TCP_REASONS)[number];

export const tcpCheck: Check<TcpTest, TcpReason> = {
  kind: 'tcp',
  schema: CHECK_SCHEMAS.tcp,
  reasons: TCP_REASONS,
  probe: (target, deadline, tools) => new TcpRun(target, deadline, tools).done,
};

/** Octets of an answer that are searched for `expect`; a listener that sends more without it has something else. */
const ANSWER_MAX = 16_384;

type Phase = 'connect' | 'tls' | 'answer';
const DOING: { readonly [phase in Phase]: string } = {
  ...CONNECTING,
  answer: 'while waiting for what is expected',
};

/** One connection. `done` is resolved exactly once, and by then the socket is destroyed. */
class TcpRun {
  readonly done: Promise<Attempt<TcpReason>>;
  private readonly test: TcpTest;
  private readonly tools: ProbeTools;
  private readonly socket: Socket;
  private readonly timer: NodeJS.Timeout;
  private readonly started = performance.now();
  private readonly stallsBefore: number;
  private readonly cancel = (): void => this.fail('other', 'the check was cut short');
  private settle: (attempt: Attempt<TcpReason>) => void = () => undefined;
  private phase: Phase = 'connect';
  /** Of `performance.now()`; 0: not reached. */
  private connected = 0;
  private secured = 0;
  private firstByte = 0;
  private answer = Buffer.alloc(0);
  private stalledMs = 0;
  private ended = false;

  constructor({ address, test }: Target<TcpTest>, deadline: number, tools: ProbeTools) {
    this.test = test;
    this.tools = tools;
    this.stallsBefore = tools.stalls.total();
    this.done = new Promise((resolve) => {
      this.settle = resolve;
    });
    const where = { host: address, port: test.port, family: isIP(address), autoSelectFamily: false, noDelay: true };
    const { tls } = test;
    this.socket =
      tls === null
        ? connectTcp(where)
        : connectTls({ ...where, ...tlsOptions({ ...tls, context: tools.trust(tls.ca) }, []) });
    this.timer = setTimeout(() => this.expire(), Math.max(0, deadline - performance.now()));
    this.listen();
    tools.signal.addEventListener('abort', this.cancel);
    if (tools.signal.aborted) this.cancel();
  }

  private listen(): void {
    const { socket } = this;
    socket.once('connect', () => {
      this.connected = performance.now();
      if (this.test.tls === null) this.ready(this.tools.stalls.late());
      else this.phase = 'tls';
    });
    socket.once('secureConnect', () => {
      this.secured = performance.now();
      // Each step of the handshake may have waited for us, and nothing of it is reported before its end.
      this.ready(this.tools.stalls.total() - this.stallsBefore);
    });
    socket.on('data', (piece: Buffer) => this.take(piece));
    socket.once('end', () => this.lost(null));
    socket.on('error', (error) => this.lost(error));
    socket.once('close', () => this.lost(null));
  }

  private ready(stalledMs: number): void {
    if (this.ended) return;
    const { send, expect } = this.test;
    this.stalledMs = stalledMs;
    this.phase = 'answer';
    if (send !== null) this.socket.write(send);
    if (expect !== null) return;
    // What is sent without expecting anything still has to leave.
    if (send === null) this.finish(null);
    else this.socket.write('', () => this.finish(null));
  }

  private take(piece: Buffer): void {
    const { expect } = this.test;
    if (this.ended || expect === null) return;
    if (this.firstByte === 0) this.firstByte = performance.now();
    this.answer = Buffer.concat([this.answer, piece.subarray(0, ANSWER_MAX - this.answer.length)]);
    if (this.answer.includes(Buffer.from(expect))) this.finish(null);
    else if (this.answer.length >= ANSWER_MAX) {
      this.fail('unexpected', `not in the first ${ANSWER_MAX} octets, which begin with ${beginning(this.answer)}`);
    }
  }

  private expire(): void {
    const passed = `${this.test.timeout.toFixed(3)} s passed`;
    if (this.phase === 'tls') this.stalledMs += this.tools.stalls.total() - this.stallsBefore;
    if (this.answer.length === 0) this.fail('timeout', `${passed} ${DOING[this.phase]}`);
    else this.fail('timeout', `${passed}, and only ${beginning(this.answer)} came`);
  }

  /** The connection ended by itself; without an error, the edge ended it. */
  private lost(error: Error | null): void {
    if (this.ended) return;
    const doing = DOING[this.phase];
    const common = error === null ? null : failOfConnection(error, doing);
    const code = error === null ? CLOSED : codeOf(error);
    if (common !== null) this.finish(common);
    else if (code === CLOSED || RESET.has(code)) {
      if (this.answer.length > 0) this.fail('unexpected', `only ${beginning(this.answer)} came`);
      else this.fail('closed', `connection ${code === 'ECONNRESET' ? 'reset' : 'closed'} ${doing}`, true);
    } else if (this.phase === 'tls') this.fail('tls', `${code} ${doing}`, true);
    else this.fail('other', `${code}: ${error === null ? '' : sentence(error)} ${doing}`, true);
  }

  private fail(reason: TcpReason, detail: string, retry = false): void {
    this.finish({ reason, detail, retry });
  }

  private finish(fail: Failure<TcpReason> | null): void {
    if (this.ended) return;
    this.ended = true;
    const { connected, secured, firstByte, test } = this;
    const ready = test.tls === null ? connected : secured;
    const seconds = (performance.now() - this.started) / 1000;
    clearTimeout(this.timer);
    this.tools.signal.removeEventListener('abort', this.cancel);
    this.socket.destroy();
    this.settle({
      fail,
      seconds,
      phases: {
        connect: connected === 0 ? null : (connected - this.started) / 1000,
        tls: secured === 0 ? null : (secured - connected) / 1000,
        firstByte: firstByte === 0 ? null : (firstByte - ready) / 1000,
      },
      hops: 0,
      stalledMs: this.stalledMs + this.tools.stalls.late(),
    });
  }
}

/** The first octets of what a stranger sent, for people. */
function beginning(answer: Buffer): string {
  return JSON.stringify(answer.toString('latin1', 0, 60));
}
