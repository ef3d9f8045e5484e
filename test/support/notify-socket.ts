import { constants, readSync } from 'node:fs';
import { LINUX, loadSyscalls, type Syscalls } from '../../src/system/syscalls.ts';

/** The service manager's end, made with the same system calls, since Node has no datagram sockets in the file system. */
export class NotifySocket {
  private readonly sys: Syscalls;
  private readonly fd: number;

  private constructor(sys: Syscalls, fd: number) {
    this.sys = sys;
    this.fd = fd;
  }

  static async listen(name: Buffer): Promise<NotifySocket> {
    const sys = await loadSyscalls();
    if (typeof sys === 'string') throw new Error(sys);
    // Not waiting: what a test has not sent by the time it listens will never come.
    const kind = LINUX.SOCK_DGRAM | LINUX.SOCK_CLOEXEC | constants.O_NONBLOCK;
    const fd = sys.socket(LINUX.AF_UNIX, kind, 0);
    const octets = new Uint8Array(110);
    octets[0] = LINUX.AF_UNIX;
    octets.set(name, 2);
    if (sys.bind(fd, sys.addressOf(octets.buffer), 2 + name.length) < 0) throw new Error(sys.errno());
    return new NotifySocket(sys, fd);
  }

  /** The next datagram; throws EAGAIN where there is none. */
  received(): string {
    const data = Buffer.alloc(1000);
    return data.toString('utf8', 0, readSync(this.fd, data));
  }

  close(): void {
    this.sys.close(this.fd);
  }
}
