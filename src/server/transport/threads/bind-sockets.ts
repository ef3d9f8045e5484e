import type { Endpoint } from '../../../system/address.ts';
import { addressOctets, endpointText } from '../../../system/address.ts';
import { isWildcard } from '../../../system/client-address.ts';
import type { Fault } from '../../../system/fault.ts';
import { LINUX, type Syscalls } from '../../../system/syscalls.ts';
import { IDLE_WAIT_MS } from '../udp/native.ts';

export type ListenFault = Fault<'listen-in-use' | 'listen-denied' | 'listen-address' | 'listen-failed'>;

/**
 * One endpoint's sockets: a UDP socket for each worker, all on one port through SO_REUSEPORT, and one listening for
 * TCP.
 */
export type EndpointSockets = { readonly endpoint: Endpoint; readonly udp: readonly number[]; readonly tcp: number };

const BACKLOG = 1024;
// Some 2700 small packets: enough for the bursts of a busy resolver, and no more than 15 ms of queue at full speed,
// since in a flood every packet waits behind a full one. The system's net.core.rmem_max may allow less.
const RECEIVE_OCTETS = 2 << 20;
const PORT_TRIES = 20;

/**
 * Opens every endpoint's sockets, or nothing and the reason. They are opened here and not in the threads that use them,
 * so that privileges can be dropped afterwards and a thread that died starts again on the same sockets. Port 0 takes a
 * port that is free for UDP and TCP.
 */
export function openSockets(
  sys: Syscalls,
  endpoints: readonly Endpoint[],
  udpWorkers: number,
): EndpointSockets[] | ListenFault {
  const opened: EndpointSockets[] = [];
  for (const endpoint of endpoints) {
    const sockets = openEndpoint(sys, endpoint, udpWorkers);
    if ('code' in sockets) {
      for (const sockets of opened) closeSockets(sys, sockets);
      return sockets;
    }
    opened.push(sockets);
  }
  return opened;
}

/** Opens a listening TCP socket for each endpoint, or nothing and the reason: what TLS listens on. */
export function openStreams(sys: Syscalls, endpoints: readonly Endpoint[]): EndpointSockets[] | ListenFault {
  const opened: EndpointSockets[] = [];
  for (const { address, port } of endpoints) {
    const tcp = openSocket(sys, { address, port }, 'TCP', false);
    if (typeof tcp !== 'number') {
      for (const sockets of opened) closeSockets(sys, sockets);
      return tcp;
    }
    opened.push({ endpoint: { address, port: boundPort(sys, tcp) }, udp: [], tcp });
  }
  return opened;
}

export function closeSockets(sys: Syscalls, { udp, tcp }: EndpointSockets): void {
  for (const fd of [...udp, tcp]) sys.close(fd);
}

function openEndpoint(sys: Syscalls, endpoint: Endpoint, udpWorkers: number): EndpointSockets | ListenFault {
  for (let tries = 1; ; tries++) {
    // TCP first: it does not share its port, so a second server on the same port is noticed.
    const tcp = openSocket(sys, endpoint, 'TCP', false);
    if (typeof tcp !== 'number') return tcp;
    const bound = { address: endpoint.address, port: boundPort(sys, tcp) };
    const udp: number[] = [];
    let fault: ListenFault | null = null;
    while (udp.length < udpWorkers && fault === null) {
      const fd = openSocket(sys, bound, 'UDP', udpWorkers > 1);
      if (typeof fd === 'number') udp.push(fd);
      else fault = fd;
    }
    if (fault === null) return { endpoint: bound, udp, tcp };
    closeSockets(sys, { endpoint: bound, udp, tcp });
    if (endpoint.port !== 0 || fault.code !== 'listen-in-use' || tries === PORT_TRIES) return fault;
  }
}

function openSocket(sys: Syscalls, endpoint: Endpoint, kind: 'UDP' | 'TCP', shared: boolean): number | ListenFault {
  const v6 = endpoint.address.includes(':');
  const type = kind === 'UDP' ? LINUX.SOCK_DGRAM : LINUX.SOCK_STREAM | LINUX.SOCK_NONBLOCK;
  const fd = sys.socket(v6 ? LINUX.AF_INET6 : LINUX.AF_INET, type | LINUX.SOCK_CLOEXEC, 0); // hooks do not inherit it
  if (fd < 0) return listenFault(endpoint, kind, sys.errno());
  const failed = (): ListenFault => {
    const fault = listenFault(endpoint, kind, sys.errno());
    sys.close(fd);
    return fault;
  };
  if (v6) setOption(sys, fd, LINUX.IPPROTO_IPV6, LINUX.IPV6_V6ONLY, 1);
  if (kind === 'TCP') {
    setOption(sys, fd, LINUX.SOL_SOCKET, LINUX.SO_REUSEADDR, 1);
    setOption(sys, fd, LINUX.IPPROTO_TCP, LINUX.TCP_NODELAY, 1); // accepted connections inherit it
  } else setUdpOptions(sys, fd, v6, isWildcard(endpoint.address));
  if (shared && setOption(sys, fd, LINUX.SOL_SOCKET, LINUX.SO_REUSEPORT, 1) < 0) return failed();
  if (sys.bind(fd, sys.addressOf(SCRATCH), writeSocketName(endpoint)) < 0) return failed();
  if (kind === 'TCP' && sys.listen(fd, BACKLOG) < 0) return failed();
  return fd;
}

function setUdpOptions(sys: Syscalls, fd: number, v6: boolean, wildcard: boolean): void {
  setOption(sys, fd, LINUX.SOL_SOCKET, LINUX.SO_RCVBUF, RECEIVE_OCTETS);
  setTimeoutOption(sys, fd, LINUX.SO_RCVTIMEO, IDLE_WAIT_MS);
  setTimeoutOption(sys, fd, LINUX.SO_SNDTIMEO, IDLE_WAIT_MS);
  // Forged "fragmentation needed" messages must not make us fragment (RFC 9715 section 3.1): do without path MTU
  // discovery.
  if (v6) setOption(sys, fd, LINUX.IPPROTO_IPV6, LINUX.IPV6_MTU_DISCOVER, LINUX.PMTUDISC_OMIT);
  else setOption(sys, fd, LINUX.IPPROTO_IP, LINUX.IP_MTU_DISCOVER, LINUX.PMTUDISC_OMIT);
  if (!wildcard) return;
  if (v6) setOption(sys, fd, LINUX.IPPROTO_IPV6, LINUX.IPV6_RECVPKTINFO, 1);
  else setOption(sys, fd, LINUX.IPPROTO_IP, LINUX.IP_PKTINFO, 1);
}

/** What the calls here read and write; kept, so that it cannot be collected while the kernel looks at it. */
const SCRATCH = new ArrayBuffer(64);

function setOption(sys: Syscalls, fd: number, level: number, name: number, value: number): number {
  new Int32Array(SCRATCH)[0] = value;
  return sys.setsockopt(fd, level, name, sys.addressOf(SCRATCH), 4);
}

/** `struct timeval`: two 64-bit numbers, seconds and microseconds. */
function setTimeoutOption(sys: Syscalls, fd: number, name: number, milliseconds: number): void {
  new BigInt64Array(SCRATCH).set([0n, BigInt(milliseconds * 1000)]);
  sys.setsockopt(fd, LINUX.SOL_SOCKET, name, sys.addressOf(SCRATCH), 16);
}

/** Puts a `struct sockaddr_in` or `sockaddr_in6` (flow and scope 0) into `SCRATCH` and returns its length. */
function writeSocketName({ address, port }: Endpoint): number {
  const v6 = address.includes(':');
  const octets = new Uint8Array(SCRATCH).fill(0);
  octets[0] = v6 ? LINUX.AF_INET6 : LINUX.AF_INET; // 16 bits, little-endian
  octets[2] = port >> 8; // network order
  octets[3] = port & 255;
  octets.set(addressOctets(address) ?? [], v6 ? 8 : 4);
  return v6 ? 28 : 16;
}

function boundPort(sys: Syscalls, fd: number): number {
  const LENGTH_AT = 32;
  const octets = new Uint8Array(SCRATCH);
  new Uint32Array(SCRATCH)[LENGTH_AT / 4] = 28;
  sys.getsockname(fd, sys.addressOf(SCRATCH), sys.addressOf(SCRATCH) + LENGTH_AT);
  return (octets[2] << 8) | octets[3];
}

/** The fault an operator sees for an endpoint that cannot be listened on. `code` is the system's. */
export function listenFault(endpoint: Endpoint, kind: string, code: string): ListenFault {
  const where = `${kind} ${endpointText(endpoint)}`;
  const fault = (faultCode: ListenFault['code'], message: string): ListenFault => ({
    severity: 'error',
    code: faultCode,
    at: null,
    message: `cannot listen on ${where}: ${message} (${code})`,
  });
  switch (code) {
    case 'EADDRINUSE':
      return fault('listen-in-use', 'another program has that port');
    case 'EACCES':
      return fault('listen-denied', 'ports below 1024 need root or the capability CAP_NET_BIND_SERVICE');
    case 'EADDRNOTAVAIL':
      return fault('listen-address', 'no interface has that address');
    default:
      return fault('listen-failed', 'the system refused');
  }
}
