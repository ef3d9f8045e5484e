import { describe, expect, test } from 'vitest';
import type { Answerer } from '../../../../src/server/answer/front-end.ts';
import { NOT_PLAIN_QUERY, PACKET_MAX } from '../../../../src/server/answer/front-end.ts';
import { EVENT, Stats } from '../../../../src/server/stats.ts';
import type { NonPlainHandler } from '../../../../src/server/transfer/handler-types.ts';
import { BATCH } from '../../../../src/server/transport/udp/batch-socket.ts';
import { serveNative } from '../../../../src/server/transport/udp/native.ts';
import { PacketAnswerer } from '../../../../src/server/transport/udp/packet-answerer.ts';
import { LINUX, type Syscalls } from '../../../../src/system/syscalls.ts';

/** A packet as the kernel would hand it over. `truncated`: it was longer than the room for it. */
type Incoming = {
  readonly octets: readonly number[];
  readonly from: string;
  readonly port: number;
  readonly truncated?: boolean;
};
type Sent = { readonly octets: number[]; readonly to: string; readonly port: number };
/** What `sendmmsg` does: take so many messages, or fail with this error. */
type SendStep = number | string;

const HEADER = 64;
const BASE = 0x7f12_3456_7000; // above 2^32, as real addresses are

/**
 * The kernel's side of `recvmmsg` and `sendmmsg`, reading and writing the structures by their layout on Linux (64 bits,
 * little-endian), so that the test does not share the code's idea of it.
 */
class FakeKernel {
  readonly sent: Sent[] = [];
  readonly calls: string[] = [];
  private memory = new DataView(new ArrayBuffer(0));
  private error = 'EAGAIN';
  private readonly batches: (readonly Incoming[] | string)[];
  private readonly steps: SendStep[];

  constructor(batches: readonly (readonly Incoming[] | string)[], steps: readonly SendStep[] = []) {
    this.batches = [...batches];
    this.steps = [...steps];
  }

  get isDone(): boolean {
    return this.batches.length === 0;
  }

  readonly sys: Syscalls = {
    ...unused(),
    addressOf: (buffer) => {
      this.memory = new DataView(buffer);
      return BASE;
    },
    errno: () => this.error,
    recvmmsg: (_fd, headers, count, flags) => {
      this.calls.push(`recvmmsg ${count} ${flags}`);
      const batch = this.batches.shift() ?? 'EAGAIN';
      if (typeof batch === 'string') return this.fail(batch);
      for (const [i, packet] of batch.entries()) this.deliver(headers - BASE + i * HEADER, packet);
      return batch.length;
    },
    sendmmsg: (_fd, headers, count) => {
      this.calls.push(`sendmmsg ${count}`);
      const step = this.steps.shift() ?? count;
      if (typeof step === 'string') return this.fail(step);
      for (let i = 0; i < step; i++) this.collect(headers - BASE + i * HEADER);
      return step;
    },
  };

  private fail(error: string): number {
    this.error = error;
    return -1;
  }

  private pointer(at: number): number {
    return Number(this.memory.getBigUint64(at, true)) - BASE;
  }

  /** `msghdr`: name, name length, iovecs, their number, control, its length, flags; then the message's length. */
  private deliver(header: number, { octets, from, port, truncated = false }: Incoming): void {
    const { memory } = this;
    expect(memory.getUint32(header + 8, true)).toBe(16);
    expect(memory.getBigUint64(header + 24, true)).toBe(1n);
    const name = this.pointer(header);
    memory.setUint16(name, LINUX.AF_INET, true);
    memory.setUint16(name + 2, port);
    for (const [i, part] of from.split('.').entries()) memory.setUint8(name + 4 + i, Number(part));
    const iov = this.pointer(header + 16);
    const room = Number(memory.getBigUint64(iov + 8, true));
    const at = this.pointer(iov);
    expect(room).toBe(PACKET_MAX);
    for (const [i, octet] of octets.entries()) memory.setUint8(at + i, octet);
    memory.setUint32(header + 48, truncated ? LINUX.MSG_TRUNC : 0, true);
    memory.setUint32(header + 56, octets.length, true);
  }

  private collect(header: number): void {
    const { memory } = this;
    const name = this.pointer(header);
    const iov = this.pointer(header + 16);
    const at = this.pointer(iov);
    const length = Number(memory.getBigUint64(iov + 8, true));
    expect(memory.getBigUint64(header + 40, true)).toBe(0n); // no control message on a specific address
    this.sent.push({
      octets: Array.from({ length }, (_, i) => memory.getUint8(at + i)),
      to: Array.from({ length: 4 }, (_, i) => memory.getUint8(name + 4 + i)).join('.'),
      port: memory.getUint16(name + 2),
    });
  }
}

function unused(): Omit<Syscalls, 'addressOf' | 'errno' | 'recvmmsg' | 'sendmmsg'> {
  const never = (): never => {
    throw new Error('not called here');
  };
  return {
    socket: never,
    setsockopt: never,
    bind: never,
    listen: never,
    getsockname: never,
    connect: never,
    send: never,
    accept4: never,
    recv: never,
    shutdown: never,
    epoll_create1: never,
    epoll_ctl: never,
    epoll_wait: never,
    epollWaitAsync: never,
    poll: never,
    close: never,
  };
}

/** Octet 0 says what happens: 0 no answer, 1 an echo, 2 nonPlain, 3 a bug. */
function answerer(stats: Stats, bugs: unknown[]): PacketAnswerer {
  const responder: Answerer = {
    respond: () => 0,
    respondIn: ({ queries, lengths, answers }, i, k, client) => {
      const [query, length, out] = [queries[i], lengths[i], answers[k]];
      if (query[0] === 2) return NOT_PLAIN_QUERY;
      if (query[0] === 3) throw new Error('planted');
      out.set(query.subarray(0, length));
      out.set(client.address.subarray(12), length);
      return query[0] === 0 ? 0 : length + 4;
    },
    lastKind: 0,
    lastHash: 0,
    lastHadGoodCookie: false,
  };
  const nonPlain: NonPlainHandler = {
    packet: (_query, _length, out) => {
      out[0] = 99;
      return 1;
    },
    stream: () => Promise.resolve(),
    configure() {},
  };
  return new PacketAnswerer({ responder, nonPlain, stats, limiter: null, report: (error) => bugs.push(error) });
}

function run(kernel: FakeKernel): { stats: Stats; bugs: unknown[] } {
  const stats = Stats.attach(Stats.create(1, 1), 1, 0);
  const bugs: unknown[] = [];
  const news = new Int32Array(new SharedArrayBuffer(4));
  const sockets = [{ endpoint: { address: '127.0.0.1', port: 53 }, fd: 5, tls: false }];
  // News after every call, so that the loop ends with the script.
  serveNative(
    kernel.sys,
    sockets,
    { answerer: answerer(stats, bugs), stats, tap: { sampler: null }, messageCount: news },
    () => {
      news[0]++;
      return !kernel.isDone;
    },
  );
  return { stats, bugs };
}

const packet = (kind: number, id: number): Incoming => ({ octets: [kind, id], from: `10.0.0.${id}`, port: 1000 + id });
const echo = (kind: number, id: number): Sent => ({
  octets: [kind, id, 10, 0, 0, id],
  to: `10.0.0.${id}`,
  port: 1000 + id,
});

describe('a batch', () => {
  test.each<{ name: string; batches: Incoming[][]; sent: Sent[] }>([
    { name: 'one packet', batches: [[packet(1, 7)]], sent: [echo(1, 7)] },
    {
      name: 'as many as there is room for',
      batches: [Array.from({ length: BATCH }, (_, i) => packet(1, i))],
      sent: Array.from({ length: BATCH }, (_, i) => echo(1, i)),
    },
    { name: 'no answer to any', batches: [[packet(0, 1), packet(0, 2)]], sent: [] },
    {
      name: 'answers close up over packets without one',
      batches: [[packet(0, 1), packet(1, 2), packet(0, 3), packet(1, 4)]],
      sent: [echo(1, 2), echo(1, 4)],
    },
    {
      name: 'and are in their own places again in the next batch',
      batches: [
        [packet(0, 1), packet(1, 2)],
        [packet(1, 3), packet(1, 4)],
        [packet(1, 5), packet(0, 6), packet(1, 7)],
      ],
      sent: [echo(1, 2), echo(1, 3), echo(1, 4), echo(1, 5), echo(1, 7)],
    },
    { name: 'special messages', batches: [[packet(2, 1)]], sent: [{ octets: [99], to: '10.0.0.1', port: 1001 }] },
    {
      name: 'a query that lost its end',
      batches: [[{ ...packet(1, 1), truncated: true }, packet(1, 2)]],
      sent: [echo(1, 2)],
    },
    {
      name: 'a sender with port 0',
      batches: [[{ ...packet(1, 1), port: 0 }, packet(1, 2)]],
      sent: [echo(1, 2)],
    },
    { name: 'a bug', batches: [[packet(3, 1), packet(1, 2)]], sent: [echo(1, 2)] },
  ])('$name', ({ batches, sent }) => {
    const kernel = new FakeKernel(batches);
    run(kernel);
    expect(kernel.sent).toEqual(sent);
  });

  test('what cannot be answered is counted, a bug is reported', () => {
    const { stats, bugs } = run(
      new FakeKernel([[{ ...packet(1, 1), truncated: true }, { ...packet(1, 1), port: 0 }, packet(3, 1)]]),
    );
    expect(stats.counters[EVENT.dropped]).toBe(2);
    expect(bugs).toHaveLength(1);
  });
});

describe('errors', () => {
  test.each([
    { name: 'a timeout', error: 'EAGAIN' },
    { name: 'a signal', error: 'EINTR' },
    { name: 'something else', error: 'ENOMEM' },
  ])('$name while receiving: the next packets are answered', ({ error }) => {
    const kernel = new FakeKernel([error, [packet(1, 1)], error, error, [packet(1, 2)]]);
    run(kernel);
    expect(kernel.sent).toEqual([echo(1, 1), echo(1, 2)]);
  });

  test.each<{ name: string; steps: SendStep[]; lost: number[] }>([
    { name: 'sent in two parts', steps: [2, 3], lost: [] },
    { name: 'one at a time', steps: [1, 1, 1, 1, 1], lost: [] },
    { name: 'interrupted, then sent', steps: ['EINTR', 'EINTR', 5], lost: [] },
    { name: 'the first has no route', steps: ['ENETUNREACH', 4], lost: [1] },
    { name: 'one in the middle is forbidden', steps: [2, 'EPERM', 2], lost: [3] },
    { name: 'no memory for the last', steps: [4, 'ENOBUFS'], lost: [5] },
    { name: 'nothing goes', steps: Array.from({ length: 5 }, () => 'ENOBUFS'), lost: [1, 2, 3, 4, 5] },
    { name: 'interrupted without end', steps: Array.from({ length: 13 }, () => 'EINTR'), lost: [1, 2, 3, 4, 5] },
  ])('sending: $name', ({ steps, lost }) => {
    const ids = [1, 2, 3, 4, 5];
    const kernel = new FakeKernel([ids.map((id) => packet(1, id)), [packet(1, 6)]], steps);
    const { stats } = run(kernel);
    expect(kernel.sent).toEqual([...ids.filter((id) => !lost.includes(id)), 6].map((id) => echo(1, id)));
    expect(stats.counters[EVENT.send_failed]).toBe(lost.length);
  });
});

test('one call takes a batch and one sends it', () => {
  const kernel = new FakeKernel([Array.from({ length: 10 }, (_, i) => packet(1, i))]);
  run(kernel);
  expect(kernel.calls).toEqual([`recvmmsg ${BATCH} ${LINUX.MSG_WAITFORONE}`, 'sendmmsg 10']);
});
