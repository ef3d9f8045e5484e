import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { notifySystemd, watchdogInterval } from '../../src/system/systemd-notify.ts';
import { NotifySocket } from '../support/notify-socket.ts';

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
    const manager = await NotifySocket.listen(Buffer.from(path));
    process.env['EDGEWISE_PORTABLE_UDP'] = portable;
    process.env['NOTIFY_SOCKET'] = path;
    await notifySystemd('READY=1');
    expect(manager.received().split('\n')[0]).toBe('READY=1');
    manager.close();
  });

  test('an abstract socket', async () => {
    const name = `edgewise-test-${process.pid}`;
    const manager = await NotifySocket.listen(Buffer.from(`\0${name}`));
    process.env['NOTIFY_SOCKET'] = `@${name}`;
    await notifySystemd('STATUS=3 zones\nREADY=1');
    expect(manager.received()).toBe('STATUS=3 zones\nREADY=1');
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

test.each([
  { name: 'no watchdog', env: {}, interval: null },
  { name: 'half of what it waits', env: { WATCHDOG_USEC: '60000000' }, interval: 30_000 },
  { name: 'meant for this process', env: { WATCHDOG_USEC: '3000', WATCHDOG_PID: String(process.pid) }, interval: 1 },
  { name: 'meant for its parent', env: { WATCHDOG_USEC: '60000000', WATCHDOG_PID: '1' }, interval: null },
  { name: 'no number', env: { WATCHDOG_USEC: 'soon' }, interval: null },
  { name: 'zero', env: { WATCHDOG_USEC: '0' }, interval: null },
  { name: 'longer than a timer', env: { WATCHDOG_USEC: '9007199254740991' }, interval: 2 ** 31 - 1 },
])('the watchdog: $name', ({ env, interval }) => {
  expect(watchdogInterval(env)).toBe(interval);
});
