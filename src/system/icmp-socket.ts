/**
 * ICMP echo without root: Linux's datagram sockets of protocol ICMP, for the groups in net.ipv4.ping_group_range. The
 * kernel writes checksum and identifier, and delivers only replies that carry this identifier.
 */
import { createSocket, type Socket } from 'node:dgram';
import { errorText } from './error-text.ts';
import { readFileNow } from './read-file.ts';
import { LINUX } from './syscalls.ts';

export type IpFamily = 4 | 6;

export type IcmpSocket = {
  /** What the kernel writes into our requests; 16 bits. */
  readonly identifier: number;
  /** `packet` begins with the ICMP header. `failed` is called when it could not be sent. */
  readonly send: (packet: Uint8Array, address: string, failed: (error: Error) => void) => void;
  readonly close: () => void;
};

export type IcmpEvents = {
  /** `octets` begin with the ICMP header; `address` is the sender's. */
  readonly onMessage: (octets: Uint8Array, address: string) => void;
  /** The socket does not work any more, and is closed. */
  readonly onError: (error: Error) => void;
};

/** `forbidden`: the system could, but does not let us. `message`: a sentence, with what helps. */
export type IcmpProblem = { readonly kind: 'forbidden' | 'unsupported'; readonly message: string };

/** The line that lets every group send echo requests, of IPv6 as well (ip-sysctl of the kernel's documentation). */
export const PING_SYSCTL = 'sysctl -w net.ipv4.ping_group_range="0 2147483647"';

const GROUP_RANGE = '/proc/sys/net/ipv4/ping_group_range';
const GROUP_RANGE_MAX = 64;
/** Octets; a waiting reply takes some 800. The kernel allows twice `net.core.rmem_max` at most. */
const RECEIVE_BUFFER = 2 ** 20;
const IPPROTO_ICMP = 1;
const IPPROTO_ICMPV6 = 58;
/** Any but 0, which Node refuses; these sockets have no use for it. */
const PORT = 1;

/** A socket, or why there is none. The process does not stay alive for it. */
export async function openIcmpSocket(family: IpFamily, events: IcmpEvents): Promise<IcmpSocket | IcmpProblem> {
  const opened = await openDescriptor(family);
  return 'socket' in opened ? withEvents(opened.socket, events) : opened;
}

/**
 * Whether the system forbids echo requests to this process, by the range of groups alone; null: it does not, or it
 * cannot be known. `range`: the file that has it.
 */
export function pingForbidden(range: string = GROUP_RANGE): IcmpProblem | null {
  const read = readFileNow(range, GROUP_RANGE_MAX);
  if (!read.ok) return null;
  const [low = 0, high = 0] = read.octets.toString('latin1').trim().split(/\s+/).map(Number);
  const group = process.getegid?.() ?? -1;
  const groups = [group, ...(process.getgroups?.() ?? [])];
  if (groups.some((gid) => gid >= low && gid <= high)) return null;
  const message = `the system does not let group ${group} send ICMP echo requests; ${PING_SYSCTL} lets it`;
  return { kind: 'forbidden', message };
}

function withEvents(socket: Socket, { onMessage, onError }: IcmpEvents): IcmpSocket {
  try {
    socket.setRecvBufferSize(RECEIVE_BUFFER);
  } catch {
    // The usual size will do.
  }
  let isOpen = true;
  const close = (): void => {
    if (isOpen) socket.close();
    isOpen = false;
  };
  socket.on('message', (octets, { address }) => onMessage(octets, address));
  socket.on('error', (error) => {
    close();
    onError(error);
  });
  const send: IcmpSocket['send'] = (packet, address, failed) => {
    if (!isOpen) return failed(new Error('the socket is closed'));
    socket.send(packet, PORT, address, (error) => {
      if (error !== null) failed(error);
    });
  };
  return { identifier: socket.address().port, send, close };
}

type Calls = {
  readonly socket: (family: number, type: number, protocol: number) => number;
  readonly bind: (fd: number, name: Uint8Array, length: number) => number;
  readonly close: (fd: number) => number;
  /** Of the last call; 0 where the engine has overwritten it since. */
  readonly errno: () => number;
};
let calls: Promise<Calls> | null = null;

async function loadCalls(): Promise<Calls> {
  const { default: koffi } = await import('koffi');
  const libc = koffi.load(null);
  return {
    socket: libc.func('socket', 'int', ['int', 'int', 'int']),
    bind: libc.func('bind', 'int', ['int', 'void *', 'uint32']),
    close: libc.func('close', 'int', ['int']),
    errno: () => koffi.errno(),
  };
}

/** A bound socket, so that it has its identifier. */
async function openDescriptor(family: IpFamily): Promise<{ readonly socket: Socket } | IcmpProblem> {
  if (process.platform !== 'linux') return unsupported(`not known for ${process.platform}`);
  try {
    calls ??= loadCalls();
    const { socket, bind, close, errno } = await calls;
    const type = LINUX.SOCK_DGRAM | LINUX.SOCK_CLOEXEC | LINUX.SOCK_NONBLOCK;
    const inet = family === 4 ? LINUX.AF_INET : LINUX.AF_INET6;
    const fd = socket(inet, type, family === 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
    if (fd < 0) return pingForbidden() ?? unsupported(`system error ${errno()} for IPv${family}`);
    try {
      // struct sockaddr_in or sockaddr_in6 of the unspecified address and port 0: the kernel chooses the identifier.
      const name = new Uint8Array(family === 4 ? 16 : 28);
      name[0] = inet;
      if (bind(fd, name, name.length) !== 0) throw new Error(`no identifier is free (system error ${errno()})`);
      const opened = createSocket(family === 4 ? 'udp4' : 'udp6');
      opened.bind({ fd });
      opened.unref();
      return { socket: opened };
    } catch (error) {
      // Node takes the descriptor over only when it is bound.
      close(fd);
      throw error;
    }
  } catch (error) {
    return unsupported(errorText(error));
  }
}

function unsupported(why: string): IcmpProblem {
  return { kind: 'unsupported', message: `no ICMP socket: ${why}` };
}
