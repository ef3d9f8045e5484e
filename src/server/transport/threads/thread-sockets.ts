import type { Endpoint } from '../../../system/address.ts';
import type { Syscalls } from '../../../system/syscalls.ts';
import type { OpenDescriptors } from '../tcp/open-descriptors.ts';
import { closeSockets, type EndpointSockets, type ListenFault, openSockets, openStreams } from './bind-sockets.ts';
import type { ThreadSocket } from './protocol.ts';

/** Where to listen: for UDP and TCP, and for TLS. */
export type Listen = { readonly plain: readonly Endpoint[]; readonly tls: readonly Endpoint[] };

/** The sockets of all threads that answer. They outlive the threads, so that one which died starts again on its own. */
export class ThreadSockets {
  /** With the real port where 0 was asked for. */
  endpoints: readonly Endpoint[];
  tlsEndpoints: readonly Endpoint[];
  private readonly sys: Syscalls | null;
  private plain: readonly EndpointSockets[] = [];
  private tls: readonly EndpointSockets[] = [];

  private constructor({ plain, tls }: Listen, sys: Syscalls | null) {
    this.endpoints = plain;
    this.tlsEndpoints = tls;
    this.sys = sys;
  }

  /** Opens every socket, or nothing and the reason. */
  static open(sys: Syscalls, listen: Listen, udpWorkers: number): ThreadSockets | ListenFault {
    const plain = openSockets(sys, listen.plain, udpWorkers);
    if ('code' in plain) return plain;
    const tls = openStreams(sys, listen.tls);
    if ('code' in tls) {
      for (const opened of plain) closeSockets(sys, opened);
      return tls;
    }
    const place = ({ endpoint }: EndpointSockets): Endpoint => endpoint;
    const sockets = new ThreadSockets({ plain: plain.map(place), tls: tls.map(place) }, sys);
    sockets.plain = plain;
    sockets.tls = tls;
    return sockets;
  }

  /** Without system calls of our own each thread opens what it needs. */
  static unopened(listen: Listen): ThreadSockets {
    return new ThreadSockets(listen, null);
  }

  /** What the TCP thread opened, in the order of `of`. */
  opened(endpoints: readonly Endpoint[]): void {
    const count = this.endpoints.length;
    this.endpoints = endpoints.slice(0, count);
    this.tlsEndpoints = endpoints.slice(count);
  }

  /** The sockets of one thread; `row`: of the UDP thread. */
  of(kind: 'udp' | 'tcp', row: number): ThreadSocket[] {
    const { sys } = this;
    if (sys === null) {
      const plain = this.endpoints.map((endpoint) => ({ endpoint, fd: null, tls: false }));
      return kind === 'udp'
        ? plain
        : [...plain, ...this.tlsEndpoints.map((endpoint) => ({ endpoint, fd: null, tls: true }))];
    }
    if (kind === 'udp') return this.plain.map(({ endpoint, udp }) => ({ endpoint, fd: udp[row], tls: false }));
    return [
      ...this.plain.map(({ endpoint, tcp }) => ({ endpoint, fd: tcp, tls: false })),
      ...this.tls.map(({ endpoint, tcp }) => ({ endpoint, fd: tcp, tls: true })),
    ];
  }

  /** Whether the main thread has opened them. */
  get areOpen(): boolean {
    return this.sys !== null;
  }

  /** Closes what a thread that died had opened by system calls of its own. */
  closeLeft(descriptors: OpenDescriptors): void {
    const { sys } = this;
    if (sys !== null) descriptors.closeAll((fd) => sys.close(fd));
  }

  close(): void {
    const { sys } = this;
    if (sys !== null) for (const sockets of [...this.plain, ...this.tls]) closeSockets(sys, sockets);
    this.plain = [];
    this.tls = [];
  }
}
