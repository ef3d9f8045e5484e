import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type EdgeRecord, NEW_EDGE } from '../../src/health/state/edge-store.ts';
import { printEdgeRecord } from '../../src/health/state/edge-store-text.ts';
import { Locks } from '../../src/system/lock.ts';
import { sendSyslog } from '../../src/system/syslog-datagram.ts';
import { Installation, NETWORK } from '../support/installation.ts';

let site: Installation;
beforeEach(async () => {
  site = await Installation.make({ edges: ['a.test', 'b.test'], canaries: { 'x.test': '127.0.1.1' } });
  await site.write('health/a.test.edgestore', printEdgeRecord(NEW_EDGE));
  await site.write('health/127.0.1.1.edgestore', printEdgeRecord(NEW_EDGE));
});
afterEach(() => site.remove());

const SUDO = { SUDO_USER: 'joe' };
const conf = (...args: readonly string[]) => site.run('edge_conf', ['--no-syslog', ...args], SUDO);

test('a mode is set with its comment, and stays until it is changed', async () => {
  const before = Date.now() / 1000;
  const { status, stdout, stderr } = await conf('-m', 'unavailable', '-C', 'disk full', 'a.test');
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'Set mode for a.test to unavailable\n', stderr: '' });
  const store = await site.store('a.test');
  expect(store).toMatchObject({ mode: 'unavailable', comment: '[joe] disk full', mode_until: null });
  expect(store.state_entry_time).toBeGreaterThanOrEqual(before);

  expect((await conf('-m', 'available', 'a.test')).stdout).toBe('Set mode for a.test to available\n');
  expect(await site.store('a.test')).toMatchObject({ mode: 'available', comment: '' });
  expect((await site.read('health/.mode-changes')).trimEnd().split('\n')).toHaveLength(2);
});

test('the comment changes though the mode does not', async () => {
  await conf('-m', 'force', '-C', 'one', 'a.test');
  const { state_entry_time } = await site.store('a.test');
  await conf('-m', 'force', '-C', 'two', 'a.test');
  expect(await site.store('a.test')).toMatchObject({ comment: '[joe] two', state_entry_time });
});

test('--for and --until set when it ends', async () => {
  const now = Date.now() / 1000;
  expect((await conf('-m', 'force', '-C', 'x', '--for', '2h', 'a.test')).status).toBe(0);
  const { mode_until } = await site.store('a.test');
  expect(Math.abs((mode_until ?? 0) - now - 7200)).toBeLessThan(60);
  expect((await conf('-m', 'force', '-C', 'x', '--until', '2100-01-01T00:00Z', 'a.test')).status).toBe(0);
  expect((await site.store('a.test')).mode_until).toBe(Date.UTC(2100, 0, 1) / 1000);
});

test.each([
  ['a mode without a comment', ['-m', 'force', 'a.test'], 1],
  ['an empty comment', ['-m', 'force', '-C', '', 'a.test'], 1],
  ['an edge that is not listed', ['-m', 'force', '-C', 'x', 'c.test'], 1],
  ['a canary that is not listed', ['-m', 'force', '-C', 'x', '127.0.1.1'], 1],
  ['an edge without a health record', ['-m', 'force', '-C', 'x', 'b.test'], 1],
  ['an unknown mode', ['-m', 'off', '-C', 'x', 'a.test'], 2],
  ['no mode', ['-C', 'x', 'a.test'], 2],
  ['no edge', ['-m', 'available'], 2],
  ['two edges', ['-m', 'available', 'a.test', 'b.test'], 2],
  ['an end of available', ['-m', 'available', '--for', '2h', 'a.test'], 2],
  ['two ends', ['-m', 'force', '-C', 'x', '--for', '2h', '--until', '18:00', 'a.test'], 2],
  ['an end that is over', ['-m', 'force', '-C', 'x', '--until', '2020-01-01', 'a.test'], 2],
  ['a span that is none', ['-m', 'force', '-C', 'x', '--for', 'ever', 'a.test'], 2],
])('%s is refused', async (_, args, expected) => {
  const before = await site.read('health/a.test.edgestore');
  const { status, stdout, stderr } = await conf(...args);
  expect({ status, stdout }).toEqual({ status: expected, stdout: '' });
  expect(stderr).not.toBe('');
  expect(await site.read('health/a.test.edgestore')).toBe(before);
});

describe('what is said besides', () => {
  const state = (lastLive: readonly string[]) =>
    site.write(`${NETWORK}.state`, JSON.stringify({ last_live: lastLive, edgewise: { serial: 1 } }));

  test('the networks that a mode holds in, where they are several', async () => {
    await site.write('edges/other', 'c.test\na.test\n');
    const { stdout, stderr } = await conf('-m', 'force', '-C', 'x', 'a.test');
    expect(stdout).toBe('Set mode for a.test to force\n');
    expect(stderr).toBe(`It holds in ${[NETWORK, 'other'].sort().join(' and ')}, whose lists all have a.test.\n`);
  });

  test.each<[string, readonly string[], Partial<EdgeRecord> | null, boolean]>([
    ['the last edge made unavailable stays answered', ['a.test'], null, true],
    ['the other one is unavailable, too', ['a.test'], { mode: 'unavailable' }, true],
    ['the other one fails', ['a.test'], { health: 'fail', history: { times: [1], seconds: [10] } }, true],
    ['the other one fails, but is live', ['a.test', 'b.test'], { health: 'fail' }, false],
    ['the other one passes', ['a.test'], { health: 'pass', history: { times: [1], seconds: [1] } }, false],
    ['the other one is blindforced', ['a.test'], { mode: 'blindforce' }, false],
    ['the edge was not live', ['b.test'], { mode: 'unavailable' }, false],
  ])('%s', async (_, lastLive, other, isSaid) => {
    await state(lastLive);
    if (other !== null) await site.write('health/b.test.edgestore', printEdgeRecord({ ...NEW_EDGE, ...other }));
    const { status, stderr } = await conf('-m', 'unavailable', '-C', 'x', 'a.test');
    expect(status).toBe(0);
    const said = `a.test stays answered in ${NETWORK}: no other edge of it is fit to take its place.\n`;
    expect(stderr).toBe(isSaid ? said : '');
  });
});

describe('while somebody has the network', () => {
  let locks: Locks;
  beforeEach(() => {
    locks = Locks.open(site.path('edgemanage.lock'));
    locks.tryLock('network', NETWORK);
  });
  afterEach(() => locks.close());

  test('a single run: refused with status 2', async () => {
    expect((await conf('-m', 'force', '-C', 'x', 'a.test')).status).toBe(2);
    expect((await site.store('a.test')).mode).toBe('available');
  });

  test('a server: the change is made, and the server takes it up', async () => {
    locks.tryLock('server', NETWORK);
    expect((await conf('-m', 'force', '-C', 'x', 'a.test')).status).toBe(0);
    expect((await site.store('a.test')).mode).toBe('force');
  });

  test('edgemanage, which locks the whole file: refused with status 2, for its run would write over the change', async () => {
    locks.close();
    const script = `
      import koffi from ${JSON.stringify(import.meta.resolve('koffi'))};
      import { openSync } from 'node:fs';
      const flock = Buffer.alloc(32);
      flock.writeInt16LE(1, 0); // F_WRLCK, and F_SETLK is 6
      const fcntl = koffi.load(null).func('int fcntl(int fd, int cmd, ...)');
      console.log(fcntl(openSync(${JSON.stringify(site.path('edgemanage.lock'))}, 'w'), 6, 'void *', flock));
      setInterval(() => {}, 1000);`;
    const holder = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      expect(String((await once(holder.stdout, 'data'))[0])).toBe('0\n');
      expect((await conf('-m', 'force', '-C', 'x', 'a.test')).status).toBe(2);
      const run = await site.run('edge_manage', []);
      expect(run.status).toBe(1);
      expect(run.stderr).toContain('edgemanage itself is running');
    } finally {
      holder.kill('SIGKILL');
    }
  });

  test('a run of another network does not matter', async () => {
    locks.close();
    locks = Locks.open(site.path('edgemanage.lock'));
    locks.tryLock('network', 'other');
    expect((await conf('-m', 'force', '-C', 'x', 'a.test')).status).toBe(0);
  });
});

test('syslog gets facility daemon, level info, and the NUL that the original ends with', async () => {
  const listener = createSocket('udp4');
  listener.bind(0, '127.0.0.1');
  await once(listener, 'listening');
  const heard = once(listener, 'message') as Promise<[Buffer]>;
  const send = (): void => void sendSyslog('Edge e changed mode to force with comment [a] b', listener.address().port);
  send();
  const again = setInterval(send, 500); // a kernel that others flood may drop a datagram
  expect((await heard)[0].toString()).toBe('<30>Edge e changed mode to force with comment [a] b\0');
  clearInterval(again);
  listener.close();
});
