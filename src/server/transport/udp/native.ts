import type { Endpoint } from '../../../system/address.ts';
import { clientAddress, isWildcard } from '../../../system/client-address.ts';
import { LINUX, type Syscalls } from '../../../system/syscalls.ts';
import { type Client, TRANSPORT } from '../../answer/front-end.ts';
import type { DnstapSampler, Local, Tap } from '../../dnstap/sampler.ts';
import * as sampling from '../../dnstap/sampler.ts';
import { EVENT, type Stats } from '../../stats.ts';
import type { ThreadSocket } from '../threads/protocol.ts';
import { MessageBatch } from './batch-socket.ts';
import type { PacketAnswerer } from './packet-answerer.ts';
import { threadClock } from './rate-limit.ts';

/**
 * How long a thread without traffic stays in the kernel before it looks for messages: also the sockets' receive
 * timeout.
 */
export const IDLE_WAIT_MS = 50;

// Bindings of another module are looked up at each use in V8, constants of this module are not.
const { NONE } = sampling;

/** One socket, its packet memory and the one `Client` that is filled anew for each query. */
class BatchSocket {
  readonly fd: number;
  private readonly sys: Syscalls;
  private readonly batch: MessageBatch;
  private readonly client: Client;
  private readonly addressWords: Uint32Array;
  private readonly answerer: PacketAnswerer;
  private readonly stats: Stats;
  private readonly tap: Tap;
  /** Where queries are sent to; `localWords` are filled for each query that is reported, where the socket has many. */
  private readonly local: Local;
  private readonly localWords: Uint32Array | null;

  constructor(
    sys: Syscalls,
    socket: { readonly fd: number; readonly endpoint: Endpoint },
    { answerer, stats, tap }: NativeShared,
  ) {
    const { address: bound, port } = socket.endpoint;
    const family = bound.includes(':') ? 6 : 4;
    const isAny = isWildcard(bound);
    this.fd = socket.fd;
    this.sys = sys;
    this.batch = new MessageBatch(sys, socket.fd, family, isAny);
    this.addressWords = new Uint32Array(4);
    const address = new Uint8Array(this.addressWords.buffer);
    if (family === 4) address.fill(0xff, 10, 12); // ::ffff:a.b.c.d
    const local = clientAddress(bound);
    this.local = { address: local, port };
    this.localWords = isAny ? new Uint32Array(local.buffer) : null;
    this.tap = tap;
    this.client = { transport: family === 4 ? TRANSPORT.udp4 : TRANSPORT.udp6, address, port: 0 };
    this.answerer = answerer;
    this.stats = stats;
  }

  /** Takes what is there, answers it, and returns how many queries that were; at most 0 after a timeout or an error. */
  serve(flags: number): number {
    const { batch, client, addressWords, answerer, stats } = this;
    const received = batch.receive(flags);
    if (received <= 0) return received;
    const nowMs = answerer.limits ? threadClock() : 0;
    const { packets } = batch;
    const { lengths } = packets;
    for (let i = 0; i < received; i++) lengths[i] = batch.queryLength(i);
    packets.begin(received);
    const { sampler } = this.tap;
    let sampled = sampler === null ? NONE : sampler.begin(received);
    let answers = 0;
    let octets = 0;
    for (let i = 0; i < received; i++) {
      const length = lengths[i];
      client.port = batch.port(i);
      // Nothing can be sent to port 0, and what lost its end here is no query.
      if (length < 0 || client.port === 0) {
        stats.counters[EVENT.dropped] += 1;
        continue;
      }
      batch.readAddress(i, addressWords);
      const size = answerer.answer(packets, i, answers, client, nowMs);
      if (i >= sampled) sampled = this.report(sampler, i, answers, size);
      if (size > 0) {
        batch.answer(answers++, i, size);
        stats.countSize(client.transport, size);
        octets += size;
      }
    }
    if (answers > 0) {
      stats.addOctets(client.transport, octets);
      this.send(answers);
    }
    batch.reset(received);
    return received;
  }

  /** Reports query `i` and answer `k`, in which `size` octets are. Returns the next query to be reported. */
  private report(sampler: DnstapSampler | null, i: number, k: number, size: number): number {
    if (sampler === null) return NONE;
    const { batch, client, local, localWords } = this;
    const { queries, lengths, answers } = batch.packets;
    if (localWords !== null) batch.readLocalAddress(i, localWords);
    sampler.report(sampler.cameMs, queries[i], lengths[i], answers[k], size, client, local);
    return sampler.next(i);
  }

  /**
   * Sends the first `count` answers. `sendmmsg` stops at the first message the kernel does not take and reports why only
   * when asked to go on from there: an interrupted call is repeated, anything else (no route, no memory, a firewall)
   * costs that one answer.
   */
  private send(count: number): void {
    const { sys, batch } = this;
    let done = 0;
    let interruptions = 0;
    while (done < count) {
      const sent = done === 0 ? batch.send(count) : batch.sendRest(done, count);
      if (sent > 0) done += sent;
      else if (interruptions < 8 && sys.errno() === 'EINTR') interruptions++;
      else {
        this.stats.counters[EVENT.send_failed] += 1;
        done++;
      }
    }
  }
}

type NativeShared = { readonly answerer: PacketAnswerer; readonly stats: Stats; readonly tap: Tap };

/**
 * Answers on the given sockets until `readMessages` returns false; it is called between batches, when word 0 of
 * `messageCount` has changed. Blocks the thread: in `recvmmsg` with one socket, in `poll` with several.
 */
export function serveNative(
  sys: Syscalls,
  sockets: readonly ThreadSocket[],
  shared: NativeShared & { readonly messageCount: Int32Array },
  readMessages: () => boolean,
): void {
  const open = sockets.map(({ fd, endpoint }) => {
    if (fd === null) throw new Error('a batched socket is opened by the main thread');
    return new BatchSocket(sys, { fd, endpoint }, shared);
  });
  const serve = open.length === 1 ? blockingLoop(sys, open[0], shared.messageCount) : pollingLoop(sys, open);
  let known = -1;
  for (;;) {
    // Not by `Atomics.load`, which is a call: a system call lies between two looks, so nothing is overlooked for long.
    const count = shared.messageCount[0];
    if (count !== known) {
      known = count;
      if (!readMessages()) return;
    }
    serve();
  }
}

function blockingLoop(sys: Syscalls, socket: BatchSocket, messageCount: Int32Array): () => void {
  return () => {
    if (socket.serve(LINUX.MSG_WAITFORONE) >= 0) return;
    const error = sys.errno();
    // A timeout or a signal is no error. Whatever else it is must not make the thread spin.
    if (error !== 'EAGAIN' && error !== 'EINTR') Atomics.wait(messageCount, 0, Atomics.load(messageCount, 0), 5);
  };
}

/** `struct pollfd` is 8 octets: fd, events (16 bits), revents (16 bits). */
function pollingLoop(sys: Syscalls, sockets: readonly BatchSocket[]): () => void {
  const memory = new ArrayBuffer(8 * sockets.length);
  const words = new Int32Array(memory);
  const at = sys.addressOf(memory);
  for (const [i, { fd }] of sockets.entries()) {
    words[2 * i] = fd;
    words[2 * i + 1] = LINUX.POLLIN;
  }
  return () => {
    if (sys.poll(at, sockets.length, IDLE_WAIT_MS) <= 0) return;
    for (let i = 0; i < sockets.length; i++) {
      // Any event: an error on a socket is taken off it by a read. Non-blocking, since another thread may share it.
      if (words[2 * i + 1] >>> 16 !== 0) sockets[i].serve(LINUX.MSG_DONTWAIT);
    }
  };
}
