import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { LINUX, loadSyscalls, type Syscalls } from './syscalls.ts';

const PATH_MAX = 108; // of struct sockaddr_un

/**
 * Tells the service manager a state (`READY=1`, `RELOADING=1`, `STOPPING=1`, `STATUS=…`), as systemd's notification
 * protocol has it: one datagram to the socket named in `NOTIFY_SOCKET`. Does nothing where that is not set. Never
 * throws: nobody can do anything about a service manager that does not listen.
 */
export async function notifySystemd(state: string): Promise<void> {
  const path = process.env['NOTIFY_SOCKET'];
  if (path === undefined || path === '') return;
  const sys = await loadSyscalls();
  if (typeof sys === 'string') await notifyByCommand(state);
  else sendTo(sys, path, state);
}

function sendTo(sys: Syscalls, path: string, state: string): void {
  const octets = Buffer.from(path.startsWith('@') ? `\0${path.slice(1)}` : path); // `@`: an abstract name
  if (octets.length >= PATH_MAX) return;
  const fd = sys.socket(LINUX.AF_UNIX, LINUX.SOCK_DGRAM | LINUX.SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  const name = new Uint8Array(2 + PATH_MAX);
  name[0] = LINUX.AF_UNIX;
  name.set(octets, 2);
  const data = new Uint8Array(Buffer.from(state)); // a copy with memory of its own, from octet 0 on
  const nameLength = 2 + octets.length;
  if (sys.connect(fd, sys.addressOf(name.buffer), nameLength) === 0) {
    sys.send(fd, sys.addressOf(data.buffer), data.length, LINUX.MSG_NOSIGNAL);
  }
  sys.close(fd);
}

/** Without system calls of our own: systemd's command for it, which needs `NotifyAccess=all` in the unit. */
async function notifyByCommand(state: string): Promise<void> {
  const child = spawn('systemd-notify', ['--no-block', state], { stdio: 'ignore' });
  await Promise.race([once(child, 'exit'), once(child, 'error')]).catch(() => {});
}
