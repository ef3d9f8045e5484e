import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import type { Answerer } from '../../../../src/server/answer/front-end.ts';
import { NOT_PLAIN_QUERY } from '../../../../src/server/answer/front-end.ts';
import { EVENT, Stats } from '../../../../src/server/stats.ts';
import type { NonPlainHandler } from '../../../../src/server/transfer/handler-types.ts';
import { Connections } from '../../../../src/server/transport/tcp/connections.ts';
import { MessageTurns } from '../../../../src/server/transport/tcp/message-turns.ts';
import { NativeServer } from '../../../../src/server/transport/tcp/native-server.ts';
import { OpenDescriptors } from '../../../../src/server/transport/tcp/open-descriptors.ts';
import { type StreamParts, streamOutput } from '../../../../src/server/transport/tcp/stream.ts';
import {
  closeSockets,
  type EndpointSockets,
  openSockets,
} from '../../../../src/server/transport/threads/bind-sockets.ts';
import { loadSyscalls } from '../../../../src/system/syscalls.ts';

const LIMITS = { tcpIdleSeconds: 10, tcpMessageSeconds: 10, tcpConnections: 100, tcpConnectionsPerClient: 100 };

type Query = 'echo' | 'big' | 'drop' | 'nonPlain' | 'throw';
const ASK: { readonly [kind in Query]: number } = { echo: 0, big: 1, drop: 2, nonPlain: 3, throw: 4 };

/** A message of 12 octets or more; octet 2 tells the stub below what to do, octets 0 and 1 are the ID. */
function message(id: number, kind: Query = 'echo', length = 12): Buffer {
  const octets = Buffer.alloc(length);
  octets.writeUInt16BE(id, 0);
  octets[2] = ASK[kind];
  return octets;
}

function framed(...messages: readonly Buffer[]): Buffer {
  return Buffer.concat(messages.flatMap((octets) => [Buffer.from([octets.length >> 8, octets.length & 255]), octets]));
}

const sys = await loadSyscalls();

/** Who accepts and reads: sockets of Node (portable, TLS), or system calls of our own. */
type FrontEnd = 'sockets' | 'native';

/** A server in this thread, with a stub for the responder and a clock that the test moves. */
class Bench {
  readonly connections: Connections;
  readonly stats = Stats.attach(Stats.create(1, 1), 1, 0);
  readonly bugs: unknown[] = [];
  readonly warnings: string[] = [];
  readonly accepted: Socket[] = [];
  nowMs = 0;
  responses = 0;
  nonPlain: NonPlainHandler['stream'] = async (query, _, send) => {
    await send(query);
  };
  private readonly server: Server;
  private native: NativeServer | null = null;
  private listening: EndpointSockets | null = null;
  readonly descriptors = new OpenDescriptors(OpenDescriptors.create(65_536));
  private readonly parts: StreamParts;
  private readonly frontEnd: FrontEnd;
  private readonly clients: Socket[] = [];

  constructor(limits: Partial<typeof LIMITS> = {}, frontEnd: FrontEnd = 'sockets') {
    this.frontEnd = frontEnd;
    const responder: Answerer = {
      respond: (query, length, out) => {
        this.responses++;
        if (query[2] === ASK.drop) return 0;
        if (query[2] === ASK.nonPlain) return NOT_PLAIN_QUERY;
        if (query[2] === ASK.throw) throw new Error('planted');
        out.set(query.subarray(0, length));
        return query[2] === ASK.big ? 60_000 : length;
      },
      respondIn: () => 0,
      lastKind: 0,
      lastHash: 0,
      lastHadGoodCookie: false,
    };
    const nonPlain: NonPlainHandler = {
      packet: () => 0,
      stream: (query, client, send) => this.nonPlain(query, client, send),
      configure() {},
    };
    const parts: StreamParts = {
      responder,
      nonPlain,
      stats: this.stats,
      reportBug: (error) => this.bugs.push(error),
      now: () => this.nowMs,
      out: streamOutput(),
      turns: new MessageTurns(),
      tap: { sampler: null },
    };
    this.parts = parts;
    this.connections = new Connections(parts, this.stats, { ...LIMITS, ...limits });
    this.server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.accepted.push(socket);
      this.connections.accept(socket, null);
    });
  }

  async listen(): Promise<this> {
    if (this.frontEnd === 'native') {
      if (typeof sys === 'string') throw new Error(sys);
      const opened = openSockets(sys, [{ address: '127.0.0.1', port: 0 }], 0);
      if ('code' in opened) throw new Error(opened.message);
      const [listening] = opened;
      this.listening = listening;
      const sockets = [{ endpoint: listening.endpoint, fd: listening.tcp, tls: false }];
      const { connections, descriptors, parts: stream } = this;
      this.native = NativeServer.start(sys, sockets, {
        connections,
        descriptors,
        stream,
        tls: null,
        warn: (message) => this.warnings.push(message),
      });
      return this;
    }
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return this;
  }

  async connect(localAddress = '127.0.0.1'): Promise<Peer> {
    const { port } = this.listening?.endpoint ?? (this.server.address() as AddressInfo);
    const count = this.accepted.length;
    const socket = connect({ port, host: '127.0.0.1', localAddress, allowHalfOpen: true, noDelay: true });
    socket.on('error', () => {});
    this.clients.push(socket);
    await once(socket, 'connect');
    if (this.native === null && this.accepted.length === count) await once(this.server, 'connection');
    return new Peer(socket);
  }

  close(): void {
    for (const socket of [...this.clients, ...this.accepted]) socket.destroy();
    this.server.close();
    this.native?.close();
    if (this.listening !== null && typeof sys !== 'string') closeSockets(sys, this.listening);
  }
}

/** The other end: collects answers. */
class Peer {
  readonly socket: Socket;
  private received: Buffer = Buffer.alloc(0);
  readonly closed: Promise<void>;
  private readonly ended: Promise<void>;

  constructor(socket: Socket) {
    this.socket = socket;
    this.closed = closing(socket);
    this.ended = new Promise((resolve) => {
      socket.once('end', () => {
        socket.end();
        resolve();
      });
    });
    socket.on('data', (chunk) => {
      this.received = Buffer.concat([this.received, chunk]);
    });
  }

  /** The next `count` messages; fewer when the connection ends before, be it by a reset (Node 24 reports what 20 leaves out). */
  async answers(count: number): Promise<Buffer[]> {
    const found: Buffer[] = [];
    while (found.length < count) {
      const length = this.received.length < 2 ? Number.POSITIVE_INFINITY : 2 + this.received.readUInt16BE(0);
      if (this.received.length >= length) {
        found.push(this.received.subarray(2, length));
        this.received = this.received.subarray(length);
      } else if (this.socket.readableEnded || this.socket.destroyed) return found;
      else await Promise.race([once(this.socket, 'data').catch(() => this.closed), this.closed, this.ended]);
    }
    return found;
  }

  async ids(count: number): Promise<number[]> {
    return (await this.answers(count)).map((octets) => octets.readUInt16BE(0));
  }
}

let bench: Bench;
afterEach(() => bench.close());

async function start(limits: Partial<typeof LIMITS> = {}, frontEnd: FrontEnd = 'sockets'): Promise<Bench> {
  bench = await new Bench(limits, frontEnd).listen();
  return bench;
}

const FRONT_ENDS = ['sockets', 'native'] as const;

/** Writes the pieces as segments of their own. */
async function writePieces(peer: Peer, pieces: readonly Buffer[]): Promise<void> {
  for (const piece of pieces) {
    await new Promise<void>((resolve) => {
      peer.socket.write(piece, () => setImmediate(resolve));
    });
  }
}

describe.each(FRONT_ENDS)('framing (RFC 1035 §4.2.2, RFC 7766 §8), %s', (frontEnd) => {
  const three = framed(message(1), message(2, 'echo', 300), message(3));
  test.each<{ name: string; pieces: Buffer[] }>([
    { name: 'one segment', pieces: [three] },
    { name: 'octet by octet', pieces: Array.from(three, (octet) => Buffer.of(octet)) },
    { name: 'the prefix cut in two', pieces: [three.subarray(0, 1), three.subarray(1, 15), three.subarray(15)] },
    { name: 'the prefix alone', pieces: [three.subarray(0, 2), three.subarray(2)] },
    { name: 'a message and a half', pieces: [three.subarray(0, 100), three.subarray(100)] },
  ])('$name', async ({ pieces }) => {
    const peer = await (await start({}, frontEnd)).connect();
    await writePieces(peer, pieces);
    const answers = await peer.answers(3);
    expect(answers.map((octets) => [octets.readUInt16BE(0), octets.length])).toEqual([
      [1, 12],
      [2, 300],
      [3, 12],
    ]);
  });

  test('any messages in any segmentation', async () => {
    await start({}, frontEnd);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 12, max: 3000 }), { minLength: 1, maxLength: 12 }),
        fc.array(fc.integer({ min: 1, max: 4000 }), { maxLength: 12 }),
        async (lengths, cuts) => {
          const all = framed(...lengths.map((length, id) => message(id, 'echo', length)));
          const pieces: Buffer[] = [];
          let at = 0;
          for (const cut of cuts) {
            if (at < all.length) pieces.push(all.subarray(at, at + cut));
            at += cut;
          }
          if (at < all.length) pieces.push(all.subarray(at));
          const peer = await bench.connect();
          await writePieces(peer, pieces);
          const answers = await peer.answers(lengths.length);
          expect(framed(...answers).equals(all)).toBe(true);
          peer.socket.destroy();
        },
      ),
      { numRuns: 40 },
    );
  });

  test('the largest message', async () => {
    const peer = await (await start({}, frontEnd)).connect();
    peer.socket.write(framed(message(9, 'echo', 65_535)));
    const [answer] = await peer.answers(1);
    expect(answer).toHaveLength(65_535);
  });

  test.each<{ name: string; octets: Buffer }>([
    { name: 'length 0', octets: Buffer.of(0, 0) },
    { name: 'a message shorter than a header', octets: framed(Buffer.alloc(11)) },
    { name: 'a response, which is never answered', octets: framed(message(5, 'drop')) },
    { name: 'length 0 in two segments after a query', octets: Buffer.concat([framed(message(1)), Buffer.of(0, 0)]) },
  ])('garbage ends the connection: $name', async ({ octets }) => {
    const peer = await (await start({}, frontEnd)).connect();
    peer.socket.write(octets);
    await peer.closed;
    const other = await bench.connect();
    other.socket.write(framed(message(6)));
    expect(await other.ids(1)).toEqual([6]);
  });

  test('answers that are ready go out before garbage ends the connection', async () => {
    const peer = await (await start({}, frontEnd)).connect();
    peer.socket.write(Buffer.concat([framed(message(1), message(2)), Buffer.of(0, 0), framed(message(3))]));
    expect(await peer.ids(3)).toEqual([1, 2]);
    await peer.closed;
  });

  test('a promise of 65,535 octets, ten of them, and gone', async () => {
    const peer = await (await start({}, frontEnd)).connect();
    peer.socket.end(Buffer.concat([Buffer.of(255, 255), Buffer.alloc(10)]));
    await peer.closed;
    await until(() => bench.connections.size === 0);
  });

  test('a bug in the responder costs this connection only', async () => {
    const peer = await (await start({}, frontEnd)).connect();
    peer.socket.write(framed(message(1, 'throw')));
    await peer.closed;
    expect(bench.bugs).toHaveLength(1);
    const other = await bench.connect();
    other.socket.write(framed(message(6)));
    expect(await other.ids(1)).toEqual([6]);
  });
});

describe.each(FRONT_ENDS)('ending, %s', (frontEnd) => {
  test('a half-closed peer gets every answer, then the end (RFC 7766 §6.2.4)', async () => {
    const peer = await (await start({}, frontEnd)).connect();
    peer.socket.end(framed(message(1, 'big'), message(2, 'nonPlain'), message(3)));
    expect((await peer.ids(4)).sort()).toEqual([1, 2, 3]);
    await peer.closed;
  });

  test('nothing asked for the idle time, and a message begun and not finished', async () => {
    await start({ tcpIdleSeconds: 3, tcpMessageSeconds: 2 }, frontEnd);
    const [idle, partial] = [await bench.connect(), await bench.connect()];
    idle.socket.write(framed(message(1)));
    await idle.ids(1);
    // The whole message tells that its successor's first octet was read, too.
    partial.socket.write(Buffer.concat([framed(message(2)), Buffer.of(0)]));
    await partial.ids(1);
    bench.nowMs = 2001;
    bench.connections.sweep();
    await partial.closed;
    expect(idle.socket.destroyed).toBe(false);
    bench.nowMs = 3001;
    bench.connections.sweep();
    await idle.closed;
  });

  test('a peer that reads nothing is ended, one that reads late gets all in order', async () => {
    await start({ tcpMessageSeconds: 2 }, frontEnd);
    const count = 400;
    const queries = framed(...Array.from({ length: count }, (_, i) => message(i, 'big')));
    const [late, never] = [await bench.connect(), await bench.connect()];
    for (const { socket } of [late, never]) {
      socket.pause();
      socket.write(queries);
    }
    // Nobody else waits for them, and they do not make us answer without end.
    const other = await bench.connect();
    for (let responses = -1; responses !== bench.responses; ) {
      responses = bench.responses;
      for (let i = 0; i < 5; i++) {
        other.socket.write(framed(message(7)));
        expect(await other.ids(1)).toEqual([7]);
        responses++;
      }
    }
    expect(bench.responses).toBeLessThan(count);
    late.socket.resume();
    expect(await late.ids(count)).toEqual(Array.from({ length: count }, (_, i) => i));
    bench.nowMs = 2001;
    other.socket.write(framed(message(8)));
    await other.ids(1);
    bench.connections.sweep();
    never.socket.resume();
    expect((await never.answers(count)).length).toBeLessThan(count);
    expect(other.socket.destroyed).toBe(false);
  });
});

describe('ending', () => {
  test('a reset in the middle of the answers is quiet', async () => {
    const peer = await (await start()).connect();
    peer.socket.pause();
    peer.socket.write(framed(...Array.from({ length: 100 }, (_, i) => message(i, 'big'))));
    await until(() => bench.responses > 3);
    const closed = closing(bench.accepted[0]);
    peer.socket.resetAndDestroy();
    await closed;
    expect(bench.connections.size).toBe(0);
    expect(bench.bugs).toEqual([]);
  });

  test('nothing asked for the idle time', async () => {
    const peer = await (await start({ tcpIdleSeconds: 3 })).connect();
    peer.socket.write(framed(message(1)));
    await peer.ids(1);
    bench.nowMs = 3000;
    bench.connections.sweep();
    peer.socket.write(framed(message(2)));
    expect(await peer.ids(1)).toEqual([2]); // still there, and active again
    bench.nowMs = 6001;
    bench.connections.sweep();
    await peer.closed;
  });

  test('a message begun and not finished, however often a piece of it comes', async () => {
    const peer = await (await start({ tcpMessageSeconds: 2 })).connect();
    const octets = framed(message(1, 'echo', 100));
    for (let i = 0; i < 5; i++) {
      const came = once(bench.accepted[0], 'data');
      peer.socket.write(octets.subarray(i, i + 1));
      await came;
      bench.nowMs += 500;
    }
    bench.connections.sweep();
    await peer.closed;
  });

  test('a peer that does not read its answers', async () => {
    const peer = await (await start({ tcpMessageSeconds: 2 })).connect();
    peer.socket.pause();
    peer.socket.write(framed(...Array.from({ length: 2000 }, (_, i) => message(i, 'big'))));
    await until(() => bench.accepted[0].writableLength > 0 && bench.accepted[0].isPaused());
    const closed = closing(bench.accepted[0]);
    bench.nowMs = 2001;
    bench.connections.sweep();
    await closed;
  });

  test('a peer that never closes after it was told to go', async () => {
    const peer = await (await start({ tcpMessageSeconds: 2 })).connect();
    peer.socket.removeAllListeners('end');
    peer.socket.write(Buffer.of(0, 0));
    await once(peer.socket, 'end');
    bench.nowMs = 2001;
    bench.connections.sweep();
    await closing(bench.accepted[0]);
    expect(bench.connections.size).toBe(0);
  });
});

describe('back-pressure', () => {
  test('queries wait while answers are not read, and are answered in order afterwards', async () => {
    const peer = await (await start()).connect();
    peer.socket.pause();
    const count = 400;
    peer.socket.write(framed(...Array.from({ length: count }, (_, i) => message(i, 'big'))));
    await until(() => bench.accepted[0].isPaused());
    const waiting = bench.accepted[0].writableLength;
    expect(waiting).toBeLessThan(300_000);
    expect(bench.responses).toBeLessThan(count);

    // Meanwhile nobody else waits.
    const other = await bench.connect();
    other.socket.write(framed(message(77)));
    expect(await other.ids(1)).toEqual([77]);

    peer.socket.resume();
    expect(await peer.ids(count)).toEqual(Array.from({ length: count }, (_, i) => i));
  });

  test('a transfer is told to wait, and to stop when its peer is gone', async () => {
    await start();
    const outcome: boolean[] = [];
    let sent = 0;
    const ended = new Promise<void>((resolve) => {
      bench.nonPlain = async (_, __, send) => {
        while (await send(message(1, 'echo', 60_000))) sent++;
        outcome.push(false);
        resolve();
      };
    });
    const peer = await bench.connect();
    peer.socket.pause();
    peer.socket.write(framed(message(1, 'nonPlain')));
    await until(() => bench.accepted[0].writableLength > 100_000);
    expect(bench.accepted[0].writableLength).toBeLessThan(300_000);
    expect(sent).toBeLessThan(500);
    peer.socket.destroy();
    await ended;
    expect(outcome).toEqual([false]);
  });

  test('queries go on beside a few transfers; more transfers wait', async () => {
    await start();
    const finish: (() => void)[] = [];
    bench.nonPlain = async (query, _, send) => {
      await new Promise<void>((resolve) => {
        finish.push(resolve);
      });
      await send(query);
    };
    const peer = await bench.connect();
    peer.socket.write(framed(message(1, 'nonPlain'), message(2), message(3, 'nonPlain')));
    expect(await peer.ids(1)).toEqual([2]);
    peer.socket.write(framed(...[4, 5, 6, 7].map((id) => message(id, 'nonPlain')), message(8)));
    await until(() => finish.length === 4);
    for (const done of finish.splice(0)) done();
    expect((await peer.ids(4)).sort()).toEqual([1, 3, 4, 5]);
    await until(() => finish.length === 2);
    expect(await peer.ids(1)).toEqual([8]);
    for (const done of finish.splice(0)) done();
    expect((await peer.ids(2)).sort()).toEqual([6, 7]);
  });

  test('a transfer that fails cuts the connection, so that nobody takes it for whole', async () => {
    await start();
    bench.nonPlain = async (query, _, send) => {
      await send(query);
      throw new Error('planted');
    };
    const peer = await bench.connect();
    peer.socket.write(framed(message(1, 'nonPlain')));
    await peer.closed;
    expect(bench.bugs).toHaveLength(1);
  });
});

describe('limits', () => {
  test('per client: the third of one address is refused, another address is served', async () => {
    await start({ tcpConnectionsPerClient: 2 });
    const held = [await bench.connect('127.0.0.2'), await bench.connect('127.0.0.2')];
    const refused = await bench.connect('127.0.0.2');
    await refused.closed;
    const other = await bench.connect('127.0.0.3');
    other.socket.write(framed(message(1)));
    expect(await other.ids(1)).toEqual([1]);

    // One goes, and there is room again.
    const gone = closing(bench.accepted[0]);
    held[0].socket.destroy();
    await gone;
    const next = await bench.connect('127.0.0.2');
    next.socket.write(framed(message(2)));
    expect(await next.ids(1)).toEqual([2]);
  });

  test('a thousand idle connections, and one that asks', async () => {
    await start({ tcpConnections: 1001, tcpConnectionsPerClient: 1001 });
    for (let i = 0; i < 20; i++) await Promise.all(Array.from({ length: 50 }, () => bench.connect()));
    await until(() => bench.connections.size === 1000);
    const peer = await bench.connect();
    peer.socket.write(framed(message(1)));
    expect(await peer.ids(1)).toEqual([1]);
    expect(bench.connections.size).toBe(1001);
  });
});

describe.each(FRONT_ENDS)('the limit in all, %s', (frontEnd) => {
  test('the longest quiet one gives way and is counted', async () => {
    await start({ tcpConnections: 3 }, frontEnd);
    const [a, b, c] = [await bench.connect(), await bench.connect(), await bench.connect()];
    a.socket.write(framed(message(1)));
    await a.ids(1); // now b has been quiet longest
    await until(() => bench.connections.size === 3);
    bench.nowMs = 1000; // nobody is young any more
    const d = await bench.connect();
    await b.closed;
    for (const [id, peer] of [a, c, d].entries()) {
      peer.socket.write(framed(message(id)));
      expect(await peer.ids(1)).toEqual([id]);
    }
    expect(bench.connections.size).toBe(3);
    expect(bench.stats.counters[EVENT.tcp_evicted]).toBe(1);
  });

  test('who is at work stays, the new one waits for it', async () => {
    await start({ tcpConnections: 1 }, frontEnd);
    let done = (): void => {};
    bench.nonPlain = (query, _, send) =>
      new Promise<void>((resolve) => {
        done = () => void send(query).then(() => resolve());
      });
    const busy = await bench.connect();
    busy.socket.write(framed(message(1, 'nonPlain')));
    await until(() => bench.responses === 1);
    const waiting = await bench.connect();
    waiting.socket.write(framed(message(2)));
    done();
    expect(await busy.ids(1)).toEqual([1]);
    expect(await waiting.ids(1)).toEqual([2]);
    await busy.closed;
  });

  test('80 clients with one query each at a limit of 16 are all answered', async () => {
    await start({ tcpConnections: 16 }, frontEnd);
    const answers = Array.from({ length: 80 }, async (_, id) => {
      const peer = await bench.connect();
      peer.socket.write(framed(message(id)));
      return peer.ids(1);
    });
    expect((await Promise.all(answers)).flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 80 }, (_, i) => i));
    expect(bench.connections.size).toBeLessThanOrEqual(16);
  });

  test('half a message, the prefix of one, or nothing keeps nobody out', async () => {
    await start({ tcpConnections: 16, tcpConnectionsPerClient: 400 }, frontEnd);
    const clock = setInterval(() => {
      bench.nowMs += 20; // so that the young grow old
    }, 1);
    const parts = [Buffer.alloc(0), Buffer.of(0), Buffer.of(0, 30), framed(message(1, 'echo', 30)).subarray(0, 20)];
    const answers = Array.from({ length: 300 }, async (_, id) => {
      const peer = await bench.connect();
      peer.socket.write(id % 2 === 0 ? framed(message(id)) : parts[(id >> 1) % parts.length]);
      return id % 2 === 0 ? peer.ids(1) : [];
    });
    const ids = (await Promise.all(answers)).flat();
    clearInterval(clock);
    expect(ids.sort((a, b) => a - b)).toEqual(Array.from({ length: 150 }, (_, i) => 2 * i));
  });

  test('a new connection is not closed before its query had the time to come', async () => {
    await start({ tcpConnections: 2 }, frontEnd);
    const young = [await bench.connect(), await bench.connect()];
    await until(() => bench.connections.size === 2);
    const third = await bench.connect();
    third.socket.write(framed(message(3)));
    for (const [id, peer] of young.entries()) {
      peer.socket.write(framed(message(id)));
      expect(await peer.ids(1)).toEqual([id]);
    }
    expect(await third.ids(1)).toEqual([3]);
  });
});

test('where the process has no descriptors left, connections give some back', async () => {
  await start({}, 'native');
  const peers: Peer[] = [];
  for (let i = 0; i < 40; i++) peers.push(await bench.connect());
  await until(() => bench.connections.size === 40);
  expect(bench.connections.release(32)).toBe(8);
  expect(bench.connections.size).toBe(40); // all of them are young
  bench.nowMs = 1000;
  bench.connections.sweep();
  expect(bench.connections.size).toBe(8);
  peers[39].socket.write(framed(message(1)));
  expect(await peers[39].ids(1)).toEqual([1]);
  const next = await bench.connect();
  next.socket.write(framed(message(2)));
  expect(await next.ids(1)).toEqual([2]);
  expect(bench.connections.size).toBe(8);
  bench.connections.configure(LIMITS);
  await bench.connect();
  await until(() => bench.connections.size === 9);
});

test.each(FRONT_ENDS)('clients that send thousands of queries and read nothing, %s', async (frontEnd) => {
  await start({}, frontEnd);
  const EACH = 3000;
  for (let i = 0; i < 4; i++) {
    const greedy = await bench.connect();
    greedy.socket.pause();
    greedy.socket.write(framed(...Array.from({ length: EACH }, (_, id) => message(id, 'big'))));
  }
  const honest = await bench.connect();
  // Until nothing more is answered than what the honest one asks, time after time.
  let before: number;
  let id = 0;
  do {
    before = bench.responses;
    for (let i = 0; i < 20; i++) {
      honest.socket.write(framed(message(id)));
      expect(await honest.ids(1)).toEqual([id++]);
    }
  } while (bench.responses > before + 20);
  // What the system's buffers take (some 10 MB) and what is kept, of 180 MB that each has asked for.
  const MOST = Math.ceil((16 << 20) / 60_000);
  expect((bench.responses - id) / 4).toBeLessThan(MOST);
  expect(MOST).toBeLessThan(EACH / 8);
});

test.each(FRONT_ENDS)('clients that send without end have their turn and no more, %s', async (frontEnd) => {
  await start({}, frontEnd);
  const count = 20_000;
  const flood = framed(...Array.from({ length: count }, (_, i) => message(i & 0xffff)));
  const floods = [await bench.connect(), await bench.connect(), await bench.connect()];
  for (const { socket } of floods) socket.write(flood);
  await until(() => bench.responses > 0);
  const other = await bench.connect();
  for (let i = 0; i < 5; i++) {
    other.socket.write(framed(message(i)));
    expect(await other.ids(1)).toEqual([i]);
  }
  // All of what the floods sent may lie in the kernel by now: most of it is not answered yet.
  expect(bench.responses).toBeLessThan((floods.length * count) / 2);
  for (const peer of floods) expect(await peer.answers(count)).toHaveLength(count);
});

test('descriptors of native connections are remembered until they are closed or handed over', async () => {
  await start({}, 'native');
  const epoll = bench.descriptors.closeAll(() => {});
  expect(epoll).toBe(1);
  const [plain, nonPlain] = [await bench.connect(), await bench.connect()];
  for (const { socket } of [plain, nonPlain]) socket.write(framed(message(1)));
  await Promise.all([plain.ids(1), nonPlain.ids(1)]);
  nonPlain.socket.write(framed(message(2, 'nonPlain')));
  expect(await nonPlain.ids(1)).toEqual([2]);
  const left: number[] = [];
  expect(bench.descriptors.closeAll((fd) => left.push(fd))).toBe(1);
  plain.socket.destroy();
  await until(() => bench.connections.size === 1);
  expect(bench.descriptors.closeAll(() => {})).toBe(0);
});

/** Resolves when the socket has closed, also after an error. */
function closing(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('close', () => resolve());
  });
}

/** Lets the event loop run until something in this process has come about. */
async function until(reached: () => boolean): Promise<void> {
  while (!reached()) await new Promise((resolve) => setImmediate(resolve));
}
