import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Guard } from './guard.ts';
import { LINUX, loadSyscalls, type Syscalls } from './syscalls.ts';

const PATH_MAX = 108; // of struct sockaddr_un
/** The longest that a timer of Node.js takes. */
const TIMER_MAX_MS = 2 ** 31 - 1;

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

/** The states that a service manager with `Type=notify` is told of, in their order: ready, reloading, ready, stopping. */
export class ServiceManager {
  private readonly guard: Guard;
  private readonly status: string;
  private watchdog: NodeJS.Timeout | undefined;
  private isStopping = false;
  /** One datagram after the other. */
  private sent: Promise<void> = Promise.resolve();

  /** `status`: what `systemctl status` shows of a server that is ready. */
  constructor(guard: Guard, status: string) {
    this.guard = guard;
    this.status = status;
  }

  /** Also starts what the unit's `WatchdogSec=` asks for: a sign of life from the event loop. */
  ready(): Promise<void> {
    const interval = watchdogInterval(process.env);
    if (interval !== null) {
      const alive = this.guard.protect('systemd watchdog', () => this.send('WATCHDOG=1'));
      this.watchdog = setInterval(alive, interval).unref();
    }
    return this.send(`READY=1\nSTATUS=${this.status}`);
  }

  reloading(): void {
    if (this.isStopping) return;
    const now = process.hrtime.bigint() / 1000n; // CLOCK_MONOTONIC
    this.guard.run('systemd', this.send(`RELOADING=1\nMONOTONIC_USEC=${now}`));
  }

  /** `trouble`: why the settings from before are in force; null: they are not. */
  reloaded(trouble: string | null): void {
    if (this.isStopping) return;
    const status = trouble === null ? this.status : `${this.status}; ${trouble}`;
    this.guard.run('systemd', this.send(`READY=1\nSTATUS=${status}`));
  }

  stopping(): void {
    if (this.isStopping) return;
    this.isStopping = true;
    clearInterval(this.watchdog);
    this.guard.run('systemd', this.send('STOPPING=1\nSTATUS=Stopping'));
  }

  private send(state: string): Promise<void> {
    this.sent = this.sent.then(() => notifySystemd(state));
    return this.sent;
  }
}

/** Milliseconds between two signs of life: half of what the service manager waits. Null: it does not ask for them. */
export function watchdogInterval(environment: NodeJS.ProcessEnv): number | null {
  const { WATCHDOG_USEC, WATCHDOG_PID } = environment;
  // The variables of a parent that is the service are not for its children.
  if (WATCHDOG_PID !== undefined && WATCHDOG_PID !== String(process.pid)) return null;
  const limit = Number(WATCHDOG_USEC);
  if (!Number.isSafeInteger(limit) || limit <= 0) return null;
  return Math.min(Math.max(Math.floor(limit / 2000), 1), TIMER_MAX_MS);
}

/** Without system calls of our own: systemd's command for it, which needs `NotifyAccess=all` in the unit. */
async function notifyByCommand(state: string): Promise<void> {
  const child = spawn('systemd-notify', ['--no-block', state], { stdio: 'ignore' });
  await Promise.race([once(child, 'exit'), once(child, 'error')]).catch(() => {});
}
