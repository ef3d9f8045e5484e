import { constants, existsSync, mkdtempSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LINUX, loadSyscalls, type Syscalls } from '../../src/system/syscalls.ts';
import { notifySystemd } from '../../src/system/systemd-notify.ts';

/** The service manager's end, made with the same system calls, since Node has no datagram sockets in the file system. */
class Manager {
  private readonly sys: Syscalls;
  private readonly fd: number;

  private constructor(sys: Syscalls, fd: number) {
    this.sys = sys;
    this.fd = fd;
  }

  static async listen(name: Buffer): Promise<Manager> {
    const sys = await loadSyscalls();
    if (typeof sys === 'string') throw new Error(sys);
    // Not waiting: what a test has not sent by the time it listens will never come.
    const kind = LINUX.SOCK_DGRAM | LINUX.SOCK_CLOEXEC | constants.O_NONBLOCK;
    const fd = sys.socket(LINUX.AF_UNIX, kind, 0);
    const octets = new Uint8Array(110);
    octets[0] = LINUX.AF_UNIX;
    octets.set(name, 2);
    if (sys.bind(fd, sys.addressOf(octets.buffer), 2 + name.length) < 0) throw new Error(sys.errno());
    return new Manager(sys, fd);
  }

  heard(): string {
    const data = Buffer.alloc(200);
    return data.toString('utf8', 0, readSync(this.fd, data));
  }

  close(): void {
    this.sys.close(this.fd);
  }
}

describe('notifySystemd', () => {
  let folder: string;
  let before: string | undefined;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'edgewise-notify-'));
    before = process.env['NOTIFY_SOCKET'];
  });
  afterEach(() => {
    if (before === undefined) delete process.env['NOTIFY_SOCKET'];
    else process.env['NOTIFY_SOCKET'] = before;
    delete process.env['EDGEWISE_PORTABLE_UDP'];
    rmSync(folder, { recursive: true });
  });

  /** The way without system calls of our own: a command of systemd, and where there is no systemd nobody calls it. */
  const command = existsSync('/usr/bin/systemd-notify') ? ['1'] : [];
  test.each(['', ...command])('a socket in the file system, EDGEWISE_PORTABLE_UDP=%s', async (portable) => {
    const path = join(folder, 'notify');
    const manager = await Manager.listen(Buffer.from(path));
    process.env['EDGEWISE_PORTABLE_UDP'] = portable;
    process.env['NOTIFY_SOCKET'] = path;
    await notifySystemd('READY=1');
    expect(manager.heard().split('\n')[0]).toBe('READY=1');
    manager.close();
  });

  test('an abstract socket', async () => {
    const name = `edgewise-test-${process.pid}`;
    const manager = await Manager.listen(Buffer.from(`\0${name}`));
    process.env['NOTIFY_SOCKET'] = `@${name}`;
    await notifySystemd('STATUS=3 zones\nREADY=1');
    expect(manager.heard()).toBe('STATUS=3 zones\nREADY=1');
    manager.close();
  });

  test.each([
    { name: 'no service manager', path: '' },
    { name: 'one that is gone', path: '/nonexistent/notify' },
    { name: 'a name too long for a socket', path: `/${'x'.repeat(200)}` },
  ])('$name: nothing happens', async ({ path }) => {
    process.env['NOTIFY_SOCKET'] = path;
    await expect(notifySystemd('READY=1')).resolves.toBeUndefined();
  });
});
