import { Socket } from 'node:net';
import { EPOLL_EVENT, LINUX, type Syscalls } from '../../../system/syscalls.ts';
import { type Client, NOT_PLAIN_QUERY } from '../../answer/front-end.ts';
import type { Local } from '../../dnstap/sampler.ts';
import type { ThreadSocket } from '../threads/protocol.ts';
import { Acceptor } from './acceptor.ts';
import type { Connections } from './connections.ts';
import { NativeConnection } from './native-connection.ts';
import type { OpenDescriptors } from './open-descriptors.ts';
import { readSocketName, SOCKET_NAME_OCTETS } from './socket-name.ts';
import { HEADER_OCTETS, type StreamParts } from './stream.ts';
import type { TlsAcceptor } from './tls-acceptor.ts';

/** Events taken from the kernel at once; who is ready and not among them comes first the next time. */
const EVENTS = 64;
/** Octets read of one connection in one turn: some twenty queries. A longer message is read as a whole. */
const TURN_OCTETS = 1024;
const MESSAGE_MAX = 65_535;
/** While queries come, the thread waits in the kernel so long for the next one before it lets the event loop wait. */
const BUSY_WAIT_MS = 1;
/** A thread that is to end must not wait longer than this for its last wait. */
const IDLE_WAIT_MS = 100;

// One memory for all calls: events, what was read, what is to be sent.
const EVENTS_AT = 0;
const CONTROL_AT = EVENTS_AT + EVENTS * 16; // one struct epoll_event
const INPUT_AT = CONTROL_AT + 24;
const OUTPUT_AT = INPUT_AT + MESSAGE_MAX + 1;
const OUTPUT_OCTETS = 4 * (MESSAGE_MAX + 3);
const NAME_AT = (OUTPUT_AT + OUTPUT_OCTETS + 3) & ~3; // of a socket, and its length
const NAME_LENGTH_AT = NAME_AT + 32;
const MEMORY = NAME_LENGTH_AT + 4;

type NativeParts = {
  readonly connections: Connections;
  readonly stream: StreamParts;
  readonly tls: TlsAcceptor | null;
  readonly descriptors: OpenDescriptors;
  readonly warn: (message: string) => void;
};

/**
 * Serves plain TCP by system calls: reads, answers and sends without a socket object for each connection, all
 * connections in turn, a thousand octets each. What plain answers cannot serve (transfers, signed messages) goes on as
 * a socket of Node with the octets read so far, and so does TLS from its first packet.
 *
 * `epoll` knows every descriptor. While there is work, a turn is a call that waits a millisecond at most; without work
 * the wait goes to a thread of libuv's pool, and the event loop is free. Errors of a connection are not looked at:
 * whatever `recv` or `send` cannot do, `epoll` reports as an end (EPOLLERR, EPOLLHUP) or as ready another time.
 */
export class NativeServer {
  private readonly sys: Syscalls;
  private readonly parts: NativeParts;
  private readonly memory = new ArrayBuffer(MEMORY);
  private readonly view = new DataView(this.memory);
  private readonly octets = new Uint8Array(this.memory);
  private readonly input = this.octets.subarray(INPUT_AT, INPUT_AT + MESSAGE_MAX + 1);
  private readonly base: number;
  private readonly epoll: number;
  private readonly acceptor: Acceptor;
  private readonly connections = new Map<number, NativeConnection>();
  /** Octets of answers of the connection at hand in the output memory. */
  private outputUsed = 0;
  private nowMs = 0;
  private closed = false;

  private constructor(sys: Syscalls, epoll: number, parts: NativeParts) {
    this.sys = sys;
    this.epoll = epoll;
    this.parts = parts;
    this.base = sys.addressOf(this.memory);
    this.acceptor = new Acceptor(sys, {
      connections: parts.connections,
      warn: parts.warn,
      watch: (operation, fd, events) => this.control(operation, fd, events),
      onAccepted: (fd, client, { tls }) => this.accepted(fd, client, tls ? parts.tls : null),
    });
  }

  /** Listens on sockets that are bound and not blocking. Throws where the system refuses. */
  static start(sys: Syscalls, sockets: readonly ThreadSocket[], parts: NativeParts): NativeServer {
    const epoll = sys.epoll_create1(LINUX.EPOLL_CLOEXEC);
    if (epoll < 0 || !parts.descriptors.add(epoll)) throw new Error(`epoll_create1: ${sys.errno()}`);
    const server = new NativeServer(sys, epoll, parts);
    for (const socket of sockets) server.acceptor.listen(socket);
    server.turn();
    return server;
  }

  /** Accepts no more; open connections are served until they end. */
  stopAccepting(): void {
    this.acceptor.stop();
  }

  /** Closes every connection. */
  close(): void {
    this.closed = true;
    this.stopAccepting();
    for (const connection of this.connections.values()) this.forget(connection);
    this.parts.descriptors.delete(this.epoll);
    this.sys.close(this.epoll);
  }

  private readonly turn = (): void => {
    if (this.closed) return;
    const { sys, epoll, base } = this;
    // Sockets of Node need the event loop more than we need to wait here.
    const waitMs = this.parts.connections.nodeStreams > 0 ? 0 : BUSY_WAIT_MS;
    const ready = sys.epoll_wait(epoll, base + EVENTS_AT, EVENTS, waitMs);
    if (ready > 0) {
      this.serve(ready);
      setImmediate(this.turn);
      return;
    }
    sys.epollWaitAsync(epoll, base + EVENTS_AT, EVENTS, IDLE_WAIT_MS, (count) => {
      if (this.closed) return;
      if (count > 0) this.serve(count);
      setImmediate(this.turn);
    });
  };

  private serve(count: number): void {
    const { view } = this;
    this.nowMs = this.parts.stream.now();
    for (let i = 0; i < count; i++) {
      const at = EVENTS_AT + i * EPOLL_EVENT.size;
      const events = view.getUint32(at, true);
      const fd = view.getInt32(at + EPOLL_EVENT.dataAt, true);
      try {
        const connection = this.connections.get(fd);
        if (connection !== undefined) this.served(connection, events);
        else this.acceptor.accept(fd);
      } catch (error) {
        this.parts.stream.reportBug(error);
        this.connections.get(fd)?.close();
      }
    }
  }

  private served(connection: NativeConnection, events: number): void {
    if (connection.unsent === null) this.read(connection);
    else if ((events & (LINUX.EPOLLERR | LINUX.EPOLLHUP)) !== 0) this.forget(connection);
    else if ((events & LINUX.EPOLLOUT) !== 0) this.drain(connection);
  }

  private accepted(fd: number, client: Client, tls: TlsAcceptor | null): void {
    const { connections, descriptors } = this.parts;
    const key = connections.enter(client.address);
    if (key === null) {
      this.sys.close(fd);
      return;
    }
    if (tls !== null) {
      connections.serve(this.socketOn(fd), client, key, tls);
      return;
    }
    const known = descriptors.add(fd);
    if (!known || this.control(LINUX.EPOLL_CTL_ADD, fd, LINUX.EPOLLIN) < 0) {
      if (known) descriptors.delete(fd);
      this.sys.close(fd);
      return;
    }
    const connection = new NativeConnection(fd, client, this.calls, this.nowMs);
    this.connections.set(fd, connection);
    connections.add(connection, key, false);
  }

  private read(connection: NativeConnection): void {
    const wanted = Math.min(Math.max(TURN_OCTETS, connection.frames.missing), MESSAGE_MAX);
    const count = this.sys.recv(connection.fd, this.base + INPUT_AT, wanted, LINUX.MSG_DONTWAIT);
    if (count > 0) {
      if (!connection.finishing) this.consume(connection, this.input, count);
    } else if (count === 0) {
      this.forget(connection); // with the end of what the peer sends, all of it is answered
    } else {
      const code = this.sys.errno();
      if (code !== 'EAGAIN' && code !== 'EINTR') this.forget(connection);
    }
  }

  /** Answers the messages in the first `end` octets of a chunk, and keeps what is not whole. */
  private consume(connection: NativeConnection, chunk: Uint8Array, end: number): void {
    const { frames } = connection;
    this.outputUsed = 0;
    for (let at = 0; at < end; at = frames.next) {
      if (connection.unsent !== null) {
        connection.held = chunk.slice(at, end);
        return;
      }
      const query = frames.take(chunk, at, end, this.nowMs);
      if (query === null) break;
      connection.activeAt = this.nowMs;
      this.parts.connections.asked(connection);
      const size = this.answer(query, connection);
      if (size === NOT_PLAIN_QUERY) {
        this.flush(connection);
        this.handOver(connection, query, chunk.subarray(frames.next, end));
        return;
      }
      if (size === 0) {
        this.finish(connection);
        return;
      }
      if (this.outputUsed > OUTPUT_OCTETS - MESSAGE_MAX - 2) this.flush(connection);
    }
    this.flush(connection);
  }

  /**
   * Puts the answer behind those that are ready to be sent. 0: the query deserves none; NOT_PLAIN_QUERY: another must
   * answer.
   */
  private answer(query: Uint8Array, { client, fd }: NativeConnection): number {
    const { responder, out, stats, reportBug, tap } = this.parts.stream;
    if (query.length < HEADER_OCTETS) return 0;
    let size: number;
    try {
      size = responder.respond(query, query.length, out, client);
    } catch (error) {
      reportBug(error);
      return 0;
    }
    // What is handed over is reported by whoever answers it.
    if (tap.sampler !== null && size !== NOT_PLAIN_QUERY) {
      const cameMs = tap.sampler.pick();
      if (cameMs > 0) tap.sampler.report(cameMs, query, query.length, out, size, client, this.localOf(fd));
    }
    if (size <= 0) return size;
    stats.countSize(client.transport, size);
    stats.addOctets(client.transport, size);
    const at = OUTPUT_AT + this.outputUsed;
    this.octets[at] = size >> 8;
    this.octets[at + 1] = size & 255;
    if (size < 256) for (let i = 0; i < size; i++) this.octets[at + 2 + i] = out[i];
    else this.octets.set(out.subarray(0, size), at + 2);
    this.outputUsed += 2 + size;
    return size;
  }

  /** Where a connection came to; null where the system does not say. */
  private localOf(fd: number): Local | null {
    const { sys, base, view } = this;
    view.setUint32(NAME_LENGTH_AT, SOCKET_NAME_OCTETS, true);
    if (sys.getsockname(fd, base + NAME_AT, base + NAME_LENGTH_AT) < 0) return null;
    return readSocketName(view, NAME_AT);
  }

  /** Sends what is ready; what the system does not take waits for its peer. */
  private flush(connection: NativeConnection): void {
    const { outputUsed } = this;
    if (outputUsed === 0) return;
    this.outputUsed = 0;
    const sent = connection.unsent === null ? this.send(connection.fd, OUTPUT_AT, outputUsed) : 0;
    if (sent === outputUsed) return;
    const rest = this.octets.subarray(OUTPUT_AT + sent, OUTPUT_AT + outputUsed);
    if (connection.unsent === null) connection.unsent = Uint8Array.from(rest);
    else connection.unsent = Buffer.concat([connection.unsent, rest]);
    this.control(LINUX.EPOLL_CTL_MOD, connection.fd, LINUX.EPOLLOUT);
  }

  private send(fd: number, at: number, count: number): number {
    return Math.max(0, this.sys.send(fd, this.base + at, count, LINUX.MSG_NOSIGNAL | LINUX.MSG_DONTWAIT));
  }

  /** Goes on sending what a slow reader has made room for, then reading. */
  private drain(connection: NativeConnection): void {
    const { unsent } = connection;
    if (unsent === null) return;
    const part = unsent.subarray(0, OUTPUT_OCTETS);
    this.octets.set(part, OUTPUT_AT);
    const sent = this.send(connection.fd, OUTPUT_AT, part.length);
    if (sent > 0) connection.activeAt = this.nowMs;
    if (sent < unsent.length) {
      connection.unsent = unsent.subarray(sent);
      return;
    }
    connection.unsent = null;
    this.control(LINUX.EPOLL_CTL_MOD, connection.fd, LINUX.EPOLLIN);
    if (connection.finishing) {
      this.sys.shutdown(connection.fd, LINUX.SHUT_WR);
      return;
    }
    const { held } = connection;
    connection.held = null;
    if (held !== null) this.consume(connection, held, held.length);
  }

  /** Transfers, signed messages and NOTIFY are answered on a socket of Node, which has the connection from now on. */
  private handOver(connection: NativeConnection, query: Uint8Array, rest: Uint8Array): void {
    const { fd, client, unsent } = connection;
    this.control(LINUX.EPOLL_CTL_DEL, fd, 0);
    this.connections.delete(fd);
    this.parts.descriptors.delete(fd);
    let socket: Socket;
    try {
      socket = this.socketOn(fd);
    } catch (error) {
      this.parts.connections.remove(connection);
      throw error;
    }
    if (unsent !== null) socket.write(unsent);
    // Copies: the next connection is read into the same memory.
    this.parts.connections.handOver(connection, socket, client, Uint8Array.from(query), Uint8Array.from(rest));
  }

  /** A socket of Node, whose descriptor it is from now on. */
  private socketOn(fd: number): Socket {
    try {
      return new Socket({ fd, allowHalfOpen: true });
    } catch (error) {
      this.sys.close(fd);
      throw error;
    }
  }

  private finish(connection: NativeConnection): void {
    this.flush(connection);
    if (connection.finishing) return;
    connection.finishing = true;
    connection.held = null;
    connection.activeAt = this.parts.stream.now();
    // What still comes is read and thrown away: unread input would turn the closing into a reset that eats the answers.
    if (connection.unsent === null) this.sys.shutdown(connection.fd, LINUX.SHUT_WR);
  }

  private forget(connection: NativeConnection): void {
    if (this.connections.get(connection.fd) !== connection) return;
    this.connections.delete(connection.fd);
    this.parts.descriptors.delete(connection.fd);
    this.sys.close(connection.fd); // takes it out of `epoll`, too
    this.parts.connections.remove(connection);
  }

  private readonly calls = {
    close: (connection: NativeConnection): void => this.forget(connection),
    finish: (connection: NativeConnection): void => {
      this.outputUsed = 0;
      this.finish(connection);
    },
  };

  private control(operation: number, fd: number, events: number): number {
    const { view } = this;
    view.setUint32(CONTROL_AT, events, true);
    view.setInt32(CONTROL_AT + EPOLL_EVENT.dataAt, fd, true);
    view.setInt32(CONTROL_AT + EPOLL_EVENT.dataAt + 4, 0, true);
    return this.sys.epoll_ctl(this.epoll, operation, fd, this.base + CONTROL_AT);
  }
}
