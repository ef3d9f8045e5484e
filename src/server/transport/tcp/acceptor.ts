import { LINUX, type Syscalls } from '../../../system/syscalls.ts';
import { type Client, TRANSPORT } from '../../answer/front-end.ts';
import type { ThreadSocket } from '../threads/protocol.ts';
import type { Connections } from './connections.ts';
import { readSocketName, SOCKET_NAME_OCTETS } from './socket-name.ts';

/** New connections of one endpoint in one turn. */
const ACCEPTS = 32;
/** Descriptors that connections leave to everybody else once there are none left. */
const DESCRIPTORS_BACK = 32;

// One memory for all calls: name of an accepted peer, and its length.
const NAME_AT = 0;
const NAME_LENGTH_AT = NAME_AT + 32;
const MEMORY = NAME_LENGTH_AT + 8;

type AcceptorParts = {
  readonly connections: Connections;
  readonly warn: (message: string) => void;
  /** `epoll_ctl` for a descriptor: below 0 where the system refuses. */
  readonly watch: (operation: number, fd: number, events: number) => number;
  /** A connection that is not blocking; its descriptor is the callee's from now on. */
  readonly onAccepted: (fd: number, client: Client, listener: ThreadSocket) => void;
};

/** Accepts connections by system calls, as many as there is room for; the rest waits in the system's queue. */
export class Acceptor {
  private readonly sys: Syscalls;
  private readonly parts: AcceptorParts;
  private readonly memory = new ArrayBuffer(MEMORY);
  private readonly view = new DataView(this.memory);
  private readonly base: number;
  private readonly listeners = new Map<number, ThreadSocket>();

  constructor(sys: Syscalls, parts: AcceptorParts) {
    this.sys = sys;
    this.parts = parts;
    this.base = sys.addressOf(this.memory);
  }

  /** Watches a socket that listens and is not blocking. Throws where the system refuses. */
  listen(socket: ThreadSocket): void {
    if (socket.fd === null) throw new Error('a native server is given sockets that are open');
    this.listeners.set(socket.fd, socket);
    if (this.parts.watch(LINUX.EPOLL_CTL_ADD, socket.fd, LINUX.EPOLLIN) < 0) {
      throw new Error(`epoll_ctl: ${this.sys.errno()}`);
    }
  }

  /** Accepts no more. */
  stop(): void {
    for (const fd of this.listeners.keys()) this.parts.watch(LINUX.EPOLL_CTL_DEL, fd, 0);
    this.listeners.clear();
  }

  /** Accepts what waits on a descriptor that is ready; one that nothing listens on is left alone. */
  accept(listening: number): void {
    const { sys, base, view, parts } = this;
    const listener = this.listeners.get(listening);
    if (listener === undefined) return;
    for (let i = 0; i < ACCEPTS; i++) {
      if (!parts.connections.hasCapacity()) {
        this.pause(listening);
        return;
      }
      view.setUint32(NAME_LENGTH_AT, SOCKET_NAME_OCTETS, true);
      const flags = LINUX.SOCK_NONBLOCK | LINUX.SOCK_CLOEXEC;
      const fd = sys.accept4(listening, base + NAME_AT, base + NAME_LENGTH_AT, flags);
      if (fd < 0) {
        this.failed(listening);
        return;
      }
      parts.onAccepted(fd, this.peer(listener.tls), listener);
    }
  }

  /**
   * Without memory `epoll` would report the queue again and again: a pause instead. Without descriptors, connections
   * are not the only ones that have none.
   */
  private failed(listening: number): void {
    const code = this.sys.errno();
    if (code !== 'EMFILE' && code !== 'ENFILE' && code !== 'ENOBUFS' && code !== 'ENOMEM') return;
    if (code === 'EMFILE' || code === 'ENFILE') {
      const count = this.parts.connections.release(DESCRIPTORS_BACK);
      this.parts.warn(
        `no descriptors are left (${code}): no more than ${count} TCP connections are served from now on`,
      );
    }
    this.pause(listening);
  }

  /** The rest stays in the system's queue until there may be room. */
  private pause(listening: number): void {
    this.parts.watch(LINUX.EPOLL_CTL_MOD, listening, 0);
    this.parts.connections.awaitCapacity(() => {
      if (this.listeners.has(listening)) this.parts.watch(LINUX.EPOLL_CTL_MOD, listening, LINUX.EPOLLIN);
    });
  }

  /** Who was accepted last, from the `struct sockaddr` in memory. */
  private peer(tls: boolean): Client {
    return { transport: tls ? TRANSPORT.tls : TRANSPORT.tcp, ...readSocketName(this.view, NAME_AT) };
  }
}
