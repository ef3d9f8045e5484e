/** The check of kind `icmp`: echo requests, enough of which must be answered. */
import { CHECK_SCHEMAS } from '../../config/section-checks.ts';
import { openIcmpSocket } from '../../system/icmp-socket.ts';
import type { Attempt, Check, CheckHead, Failure, ProbeTools, Target } from './check.ts';
import { codeOf, failOfConnection, sentence } from './connect-fail.ts';
import { EchoSender, familyOf } from './icmp-echo.ts';
import { outcome } from './outcome.ts';

export type IcmpTest = CheckHead & {
  readonly kind: 'icmp';
  /** Requests of one try. */
  readonly count: number;
  /** Per cent of them that may stay without a reply, 0 to 99. */
  readonly maxLoss: number;
  /** Seconds between two of them. */
  readonly interval: number;
};

export const ICMP_REASONS = [
  'timeout', // no reply at all
  'loss', // some replies, but too few
  'unreachable', // the system sends nothing there
  'forbidden', // by this system, whatever the edge does: the check is unknown
  'other', // ours: no file descriptor, a bug; unknown, too
] as const;

export type IcmpReason = (typeof ICMP_REASONS)[number];

/** The sockets of this thread. */
const SENDERS: EchoSenders = { 4: new EchoSender(4, openIcmpSocket), 6: new EchoSender(6, openIcmpSocket) };

type EchoSenders = { readonly 4: EchoSender; readonly 6: EchoSender };

export const icmpCheck: Check<IcmpTest, IcmpReason> = {
  kind: 'icmp',
  schema: CHECK_SCHEMAS.icmp,
  reasons: ICMP_REASONS,
  probe: (target, deadline, tools) => probeIcmp(target, deadline, tools, SENDERS),
};

/** One try. It takes as long as a round trip does on average, which `seconds` is. */
export async function probeIcmp(
  { address, test }: Target<IcmpTest>,
  deadline: number,
  { signal, stalls }: Pick<ProbeTools, 'signal' | 'stalls'>,
  senders: EchoSenders,
): Promise<Attempt<IcmpReason>> {
  const started = performance.now();
  const sender = senders[familyOf(address)];
  const problem = await sender.ready();
  if (problem !== null) {
    return failed(ours(problem.kind === 'forbidden' ? 'forbidden' : 'other', problem.message), started, 0);
  }
  const run = new EchoRun(test, stalls);
  const end = await outcome<'passed' | Failure<IcmpReason>>(deadline, signal, (done) =>
    run.start(sender, address, done),
  );
  if (end === 'cancelled') return failed(failure('other', 'the check was cut short'), started, 0);
  if (end === 'expired') return failed(run.tooFew(), started, stalls.late());
  if (end !== 'passed') return failed(end, started, 0);
  const { trips, stalledMs } = run;
  return {
    fail: null,
    seconds: trips.reduce((sum, trip) => sum + trip, 0) / trips.length / 1000,
    phases: { connect: null, tls: null, firstByte: trips[0] / 1000 },
    hops: 0,
    stalledMs,
  };
}

/** The requests of one try. It passes as soon as enough replies are there. */
class EchoRun {
  /** Round trips in the order of the replies, milliseconds. */
  readonly trips: number[] = [];
  stalledMs = 0;
  private readonly test: IcmpTest;
  private readonly stalls: ProbeTools['stalls'];
  private readonly needed: number;
  private sent = 0;
  private unsent = 0;

  constructor(test: IcmpTest, stalls: ProbeTools['stalls']) {
    this.test = test;
    this.stalls = stalls;
    this.needed = Math.max(1, test.count - Math.floor((test.count * test.maxLoss) / 100));
  }

  /** Returns what forgets the requests that have no reply. */
  start(sender: EchoSender, address: string, done: (end: 'passed' | Failure<IcmpReason>) => void): () => void {
    const forgets: (() => void)[] = [];
    const { count, interval } = this.test;
    let timer: NodeJS.Timeout | undefined;
    const answered = (sentAt: number): void => {
      this.trips.push(performance.now() - sentAt);
      this.stalledMs = Math.max(this.stalledMs, this.stalls.late());
      if (this.trips.length >= this.needed) done('passed');
    };
    const unsent = (error: Error): void => {
      this.unsent += 1;
      if (count - this.unsent < this.needed) done(failOfSend(error));
    };
    const next = (): void => {
      const sentAt = performance.now();
      this.sent += 1;
      if (this.sent < count) timer = setTimeout(next, interval * 1000);
      const forget = sender.send(address, { answered: () => answered(sentAt), failed: unsent });
      if (forget === null) done(ours('other', 'too many echo requests wait for their replies'));
      else forgets.push(forget);
    };
    next();
    return () => {
      clearTimeout(timer);
      for (const forget of forgets) forget();
    };
  }

  tooFew(): Failure<IcmpReason> {
    const { trips, sent, needed } = this;
    const passed = `${this.test.timeout.toFixed(3)} s passed`;
    const requests = `${sent} echo ${sent === 1 ? 'request' : 'requests'}`;
    if (trips.length === 0) return failure('timeout', `${passed} without a reply to ${requests}`);
    return failure('loss', `${passed} with replies to ${trips.length} of ${requests}, ${needed} are needed`);
  }
}

function failOfSend(error: Error): Failure<IcmpReason> {
  if (failOfConnection(error, '')?.reason === 'unreachable') {
    return failure('unreachable', `${codeOf(error)} while sending an echo request`, true);
  }
  return ours('other', sentence(error), true);
}

function failure(reason: IcmpReason, detail: string, retry = false): Failure<IcmpReason> {
  return { reason, detail, retry };
}

/** Trouble of our own machine, which says nothing about the edge. */
function ours(reason: IcmpReason, detail: string, retry = false): Failure<IcmpReason> {
  return { reason, detail, retry, unknown: true };
}

function failed(fail: Failure<IcmpReason>, started: number, stalledMs: number): Attempt<IcmpReason> {
  const seconds = (performance.now() - started) / 1000;
  return { fail, seconds, phases: { connect: null, tls: null, firstByte: null }, hops: 0, stalledMs };
}
