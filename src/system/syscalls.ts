/**
 * The foreign calls of the UDP and TCP paths, in one place: Linux's socket calls through koffi. Addresses are plain
 * numbers (user space ends below 2^47), so that a call marshals nothing and allocates nothing. Every call returns what
 * the C function returns; after -1, `errno()` may be asked, but nothing may depend on it: the engine can overwrite it
 * in between.
 */
export type Syscalls = {
  readonly socket: (family: number, type: number, protocol: number) => number;
  readonly setsockopt: (fd: number, level: number, name: number, value: number, length: number) => number;
  readonly bind: (fd: number, name: number, length: number) => number;
  readonly listen: (fd: number, backlog: number) => number;
  readonly getsockname: (fd: number, name: number, length: number) => number;
  readonly connect: (fd: number, name: number, length: number) => number;
  readonly send: (fd: number, data: number, length: number, flags: number) => number;
  readonly recvmmsg: (fd: number, headers: number, count: number, flags: number, timeout: number) => number;
  readonly sendmmsg: (fd: number, headers: number, count: number, flags: number) => number;
  /** Like `accept`, with SOCK_NONBLOCK and SOCK_CLOEXEC as `flags`; `name` and `length` as for `getsockname`. */
  readonly accept4: (fd: number, name: number, length: number, flags: number) => number;
  readonly recv: (fd: number, data: number, length: number, flags: number) => number;
  readonly shutdown: (fd: number, how: number) => number;
  readonly epoll_create1: (flags: number) => number;
  readonly epoll_ctl: (epoll: number, operation: number, fd: number, event: number) => number;
  readonly epoll_wait: (epoll: number, events: number, count: number, timeoutMs: number) => number;
  /** `epoll_wait` in a thread of libuv's pool; `done` gets its result on the event loop. */
  readonly epollWaitAsync: (
    epoll: number,
    events: number,
    count: number,
    timeoutMs: number,
    done: (count: number) => void,
  ) => void;
  readonly poll: (fds: number, count: number, timeoutMs: number) => number;
  readonly close: (fd: number) => number;
  /** Where the memory of a buffer begins. The buffer must stay referenced while the kernel may write there. */
  readonly addressOf: (buffer: ArrayBuffer) => number;
  /** Name of the last call's error, as `EADDRINUSE`; `E<number>` where we have no name for it. */
  readonly errno: () => string;
};

/** Numbers of Linux's generic ABI, shared by the architectures in `ARCHITECTURES`. */
export const LINUX = {
  AF_UNIX: 1,
  AF_INET: 2,
  AF_INET6: 10,
  SOCK_STREAM: 1,
  SOCK_DGRAM: 2,
  SOCK_CLOEXEC: 0o2000000,
  SOCK_NONBLOCK: 0o4000,
  SOL_SOCKET: 1,
  SO_REUSEADDR: 2,
  SO_RCVBUF: 8,
  SO_REUSEPORT: 15,
  SO_RCVTIMEO: 20,
  SO_SNDTIMEO: 21,
  IPPROTO_IP: 0,
  IPPROTO_TCP: 6,
  TCP_NODELAY: 1,
  IP_PKTINFO: 8,
  IP_MTU_DISCOVER: 10,
  IPPROTO_IPV6: 41,
  IPV6_MTU_DISCOVER: 23,
  IPV6_V6ONLY: 26,
  IPV6_RECVPKTINFO: 49,
  IPV6_PKTINFO: 50,
  PMTUDISC_OMIT: 5,
  POLLIN: 1,
  EPOLL_CLOEXEC: 0o2000000,
  EPOLL_CTL_ADD: 1,
  EPOLL_CTL_DEL: 2,
  EPOLL_CTL_MOD: 3,
  EPOLLIN: 1,
  EPOLLOUT: 4,
  EPOLLERR: 8,
  EPOLLHUP: 16,
  SHUT_WR: 1,
  MSG_TRUNC: 0x20,
  MSG_DONTWAIT: 0x40,
  MSG_NOSIGNAL: 0x4000,
  MSG_WAITFORONE: 0x10000,
} as const;

/** Octets of a `struct epoll_event`, and where its 64 bits of data begin: x86-64 alone packs it. */
export const EPOLL_EVENT: { readonly size: number; readonly dataAt: number } =
  process.arch === 'x64' ? { size: 12, dataAt: 4 } : { size: 16, dataAt: 8 };

/** 64-bit little-endian machines whose Linux uses the generic numbers and struct layouts written down here. */
const ARCHITECTURES: readonly string[] = ['x64', 'arm64', 'riscv64', 'loong64'];

const SIGNATURES = {
  socket: ['int', 'int', 'int'],
  setsockopt: ['int', 'int', 'int', 'int64', 'uint32'],
  bind: ['int', 'int64', 'uint32'],
  listen: ['int', 'int'],
  getsockname: ['int', 'int64', 'int64'],
  connect: ['int', 'int64', 'uint32'],
  send: ['int', 'int64', 'uint64', 'int'],
  recvmmsg: ['int', 'int64', 'uint32', 'int', 'int64'],
  sendmmsg: ['int', 'int64', 'uint32', 'int'],
  accept4: ['int', 'int64', 'int64', 'int'],
  recv: ['int', 'int64', 'uint64', 'int'],
  shutdown: ['int', 'int'],
  epoll_create1: ['int'],
  epoll_ctl: ['int', 'int', 'int', 'int64'],
  epoll_wait: ['int', 'int64', 'int', 'int'],
  poll: ['int64', 'uint64', 'int'],
  close: ['int'],
} as const;

/**
 * The calls, or in one sentence why there are none here (another system, koffi's binary missing, or
 * `EDGEWISE_PORTABLE_UDP=1` asks for the portable front end).
 */
export async function loadSyscalls(): Promise<Syscalls | string> {
  if (process.env['EDGEWISE_PORTABLE_UDP'] === '1') return 'EDGEWISE_PORTABLE_UDP=1 asks for it';
  if (process.platform !== 'linux' || !ARCHITECTURES.includes(process.arch)) {
    return `batched system calls are not known for ${process.platform} on ${process.arch}`;
  }
  try {
    const { default: koffi } = await import('koffi');
    const library = koffi.load(null);
    const call = (name: keyof typeof SIGNATURES): ReturnType<typeof library.func> =>
      library.func(name, 'int', [...SIGNATURES[name]]);
    const names = new Map(Object.entries(koffi.os.errno).map(([name, number]) => [number, name]));
    names.set(koffi.os.errno['EAGAIN'] ?? 11, 'EAGAIN'); // not its other name, EWOULDBLOCK
    const epollWait = call('epoll_wait');
    return {
      accept4: call('accept4'),
      recv: call('recv'),
      shutdown: call('shutdown'),
      epoll_create1: call('epoll_create1'),
      epoll_ctl: call('epoll_ctl'),
      epoll_wait: epollWait,
      epollWaitAsync: (epoll, events, count, timeoutMs, done) =>
        epollWait.async(epoll, events, count, timeoutMs, (error: unknown, ready: number) =>
          done(error === null || error === undefined ? ready : -1),
        ),
      socket: call('socket'),
      setsockopt: call('setsockopt'),
      bind: call('bind'),
      listen: call('listen'),
      getsockname: call('getsockname'),
      connect: call('connect'),
      send: call('send'),
      recvmmsg: call('recvmmsg'),
      sendmmsg: call('sendmmsg'),
      poll: call('poll'),
      close: call('close'),
      addressOf: (buffer) => Number(koffi.address(buffer)),
      errno: () => names.get(koffi.errno()) ?? `E${koffi.errno()}`,
    };
  } catch (error) {
    return `koffi does not load: ${error instanceof Error ? error.message : String(error)}`;
  }
}
