import { execFile } from 'node:child_process';
import { mkdir, rename, rm } from 'node:fs/promises';
import { createServer, type Server as HttpServer } from 'node:http';
import { createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EdgewiseServer, edgewise, eventually } from '../support/edgewise.ts';
import { Installation, NETWORK, OBJECT, program } from '../support/installation.ts';
import { freePort } from '../support/ports.ts';

/** What goes wrong beside a running server: it goes on, says so, and takes up what is mended. */

const run = promisify(execFile);
const EDGE = '127.92.0.1';
const SILENT = '127.92.0.2';

let site: Installation;
let edge: HttpServer;
let silent: TcpServer;
let server: EdgewiseServer | null = null;

beforeEach(async () => {
  const port = await freePort(EDGE);
  edge = createServer((_, response) => response.end(OBJECT));
  silent = createTcpServer((socket) => socket.on('error', () => undefined)); // takes connections and says nothing
  await new Promise<void>((resolve) => edge.listen(port, EDGE, resolve));
  await new Promise<void>((resolve) => silent.listen(port, SILENT, resolve));
  site = await Installation.make({
    edges: [EDGE],
    port,
    zones: { 'good.test': 'mail IN A 192.0.2.25\n' },
    keys: {
      run_frequency: 1,
      logpath: null,
      statefile: 'state/{dnet}/state',
      state_dir: 'state',
      server: { listen: [`127.0.0.1:${await freePort()}`], startup_timeout: 20 },
      http: { listen: `127.0.0.1:${await freePort()}` },
    },
  });
  await mkdir(site.path('state', NETWORK), { recursive: true });
});

afterEach(async () => {
  await server?.stop('SIGKILL');
  server = null;
  edge.close();
  silent.close();
  await site.remove();
});

const config = (): string => site.path('edgemanage.yaml');
const THERE = [() => true, () => false] as const;

async function editConfig(from: string | RegExp, to: string): Promise<void> {
  const text = await site.read('edgemanage.yaml');
  const edited = text.replace(from, to);
  expect(edited).not.toBe(text);
  await site.replace('edgemanage.yaml', edited);
}

async function secondNetwork(name: string, edges: string): Promise<void> {
  await site.write(`edges/${name}`, `${edges}\n`);
  await site.write(`zones/${name}/${name}.test.zone`, 'mail IN A 192.0.2.26\n');
}

/** Until it is answered with the only edge that works. */
async function answered(zone: string): Promise<void> {
  await expect.poll(() => server?.dig(zone, 'A')).toEqual([EDGE]);
}

async function reasons(): Promise<string> {
  const { text } = (await server?.get('/healthz')) ?? { text: '{"reasons":[]}' };
  return (JSON.parse(text) as { readonly reasons: readonly string[] }).reasons.join('\n');
}

describe('the log', () => {
  test('that cannot be opened again stays the one it was; the next SIGHUP opens it', async () => {
    await editConfig('logpath: null', 'logpath: logs/edgewise.log');
    server = await EdgewiseServer.start(config());
    await rename(site.path('logs'), site.path('old'));
    await site.write('logs', 'a file where the folder was');
    server.child.kill('SIGHUP');
    await eventually(
      () => site.read('old/edgewise.log'),
      (text) => text.includes('the log cannot be opened again') && text.includes('"reloaded"'),
    );
    expect(await server.dig('mail.good.test', 'A')).toEqual(['192.0.2.25']);
    expect(await reasons()).toMatch(/^the log cannot be opened again/m);

    await rm(site.path('logs'));
    await mkdir(site.path('logs'));
    server.child.kill('SIGHUP');
    await eventually(
      () => site.read('logs/edgewise.log').catch(() => ''),
      (text) => text.includes('"reloaded"'),
    );
    await eventually(reasons, (text) => text === '');
    expect((await server.get('/healthz')).status).toBe(200);
    expect(await server.stop()).toBe(0);
  });

  test.each([
    ['in a folder that can never be made', async () => '/proc/x/y.log'],
    [
      'that is a pipe which nobody reads',
      async () => {
        await program('mkfifo', [site.path('pipe')]);
        return site.path('pipe');
      },
    ],
    [
      'that is a folder',
      async () => {
        await mkdir(site.path('folder'));
        return site.path('folder');
      },
    ],
  ])('%s at the start: the log goes to standard error, and /healthz says so', async (_, make) => {
    await editConfig('logpath: null', `logpath: ${await make()}`);
    server = await EdgewiseServer.start(config());
    expect(server.output).toContain('the log goes to standard error, since logpath cannot be written');
    expect(await server.dig('mail.good.test', 'A')).toEqual(['192.0.2.25']);
    expect(await reasons()).toMatch(/the log goes to standard error, since logpath cannot be written/);
    expect(await server.stop()).toBe(0);
  });

  test('that is a folder at the start is opened by the next SIGHUP once it is none', async () => {
    await mkdir(site.path('log'));
    await editConfig('logpath: null', 'logpath: log');
    server = await EdgewiseServer.start(config());
    expect(await reasons()).toMatch(
      /^the log goes to standard error, since logpath cannot be written: .*is a folder, not a file/m,
    );
    await rename(site.path('log'), site.path('old'));
    server.child.kill('SIGHUP');
    await eventually(
      () => site.read('log').catch(() => ''),
      (text) => text.includes('"reloaded"'),
    );
    // The first decision may come later than that on a busy machine.
    await eventually(reasons, (text) => text === '');
    expect((await server.get('/healthz')).status).toBe(200);
    expect(await server.stop()).toBe(0);
  });

  test('a lock file in a folder that can never be made is a fault at once', async () => {
    await editConfig(/lockfile: .*/, 'lockfile: /proc/x/lock');
    const { status, stderr } = await edgewise(['serve', '-c', config()]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/\/proc\/x/);
  });
});

describe('a network that cannot be used', () => {
  test('is served from its saved live set at a start, leaves the others alone, and recovers by itself', async () => {
    await secondNetwork('second', EDGE);
    server = await EdgewiseServer.start(config());
    // On a busy machine a first round of one second may be over before its only edge has answered.
    for (const zone of ['good.test', 'second.test']) await answered(zone);
    expect(await server.stop()).toBe(0);

    await site.write('edges/second', `${EDGE}\nnot an edge\n`);
    const check = await edgewise(['check', '-c', config()]);
    expect(check.status).toBe(1);
    expect(check.stderr).toMatch(/edges\/second:2:\d+: error/);
    server = await EdgewiseServer.start(config());
    expect(await server.dig('second.test', 'A')).toEqual([EDGE]);
    expect(await server.dig('mail.second.test', 'A')).toEqual(['192.0.2.26']);
    expect(await server.dig('good.test', 'A')).toEqual([EDGE]);
    expect(server.output).toMatch(/edges\/second:2:\d+: error/);
    expect((await server.get('/healthz')).status).toBe(503);
    expect(await reasons()).toMatch(/network second: its lists do not load.*edges\/second:2/);
    expect(await reasons()).not.toContain(NETWORK);
    expect((await server.get('/metrics')).text).toContain('edgewise_healthy 0');

    await site.write('edges/second', `${EDGE}\n`);
    await server.prints(/second: the lists load again/);
    await eventually(
      () => reasons(),
      (text) => !text.includes('network second'),
    );
  });

  test.each([
    ['a list', 'edges/second', 'not an edge\n'],
    ['a canary file', 'canaries/second', '- no map\n'],
  ])('with %s that breaks under a running server is red until it is mended', async (_, file, text) => {
    await secondNetwork('second', EDGE);
    server = await EdgewiseServer.start(config());
    // The first round may end before a slow edge has answered; the server is ready then, too.
    for (const zone of ['good.test', 'second.test']) await answered(zone);
    await site.write(file, text);
    await server.prints(/second: the lists do not load, so nothing was changed for it/);
    await expect.poll(reasons).toContain('network second: its lists do not load (those read before stay in force)');
    // Nor does it hold up a reload.
    await editConfig('rotate_zones:', 'ttl: 46\n  rotate_zones:');
    server.child.kill('SIGHUP');
    await server.prints(/"reloaded"/);
    expect(await server.digText('good.test', 'A')).toMatch(/good\.test\.\s+46\s+IN/);
    expect(await server.dig('second.test', 'A')).toEqual([EDGE]);
  });

  test('for its state at a reload leaks nothing and holds up nothing: the rest comes into force, and later it does', async () => {
    server = await EdgewiseServer.start(config());
    await secondNetwork('second', EDGE);
    await secondNetwork('third', EDGE);
    await site.write('state/second', 'a file where the folder should be');
    const check = await edgewise(['check', '-c', config()]);
    expect(check.status).toBe(1);
    expect(check.stderr).toMatch(/network second could not be opened/);
    await editConfig('rotate_zones:', 'ttl: 46\n  rotate_zones:');
    server.child.kill('SIGHUP');
    await server.prints(/"reloaded"/);
    expect(server.output).toMatch(/network second cannot be opened/);
    expect(await server.digText('good.test', 'A')).toMatch(/good\.test\.\s+46\s+IN/);
    await answered('third.test');
    expect(await server.dig('mail.second.test', 'A')).toEqual(['192.0.2.26']);
    expect(await reasons()).toContain('network second cannot be opened');

    await rm(site.path('state/second'));
    await server.prints(/network second is open now/);
    await answered('second.test');
    expect(server.output).not.toContain('managed by another process');
  });
});

describe('a round that hangs', () => {
  test('holds up neither a reload that removes its network nor a stop', async () => {
    await secondNetwork('second', SILENT);
    await editConfig('startup_timeout: 20', 'startup_timeout: 0');
    await editConfig('goodenough: 3', 'goodenough: 3\ntimeout: 60\ntesting: true');
    server = await EdgewiseServer.start(config());
    await eventually(
      () => new Promise<number>((resolve) => silent.getConnections((_, count) => resolve(count))),
      (count) => count > 0,
    );
    await rm(site.path('edges/second'));
    await rm(site.path('zones/second'), { recursive: true });
    await editConfig('rotate_zones:', 'ttl: 46\n  rotate_zones:');
    const since = server.output.length;
    server.child.kill('SIGHUP');
    await server.prints(/"reloaded"/, since);
    // Its fetches had still seconds to go.
    expect(server.output.slice(since)).not.toContain(`fetch from ${SILENT} failed`);
    await secondNetwork('second', SILENT);
    server.child.kill('SIGHUP');
    expect(await server.stop()).toBe(0);
    expect(server.output).not.toContain('left behind');
  });
});

test('a lock file that is removed is made and locked anew, so that no second server gets in', async () => {
  server = await EdgewiseServer.start(config());
  await rm(site.path('edgemanage.lock'));
  await server.prints(/edgemanage\.lock was removed or replaced: made and locked anew/);
  await site.write(
    'other.yaml',
    (await site.read('edgemanage.yaml'))
      .replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${await freePort()}`)
      .replace(/listen: 127\.0\.0\.1:\d+/, `listen: 127.0.0.1:${await freePort()}`),
  );
  const { status, stderr } = await edgewise(['serve', '-c', site.path('other.yaml')]);
  expect(status).toBe(1);
  expect(stderr).toContain(`network ${NETWORK} is managed by another process`);
});

test('hooks that hang do not pile up, and end with the server', async () => {
  await editConfig('commands: null', `commands: {run_before: ["sleep 998"], run_after: ["sleep 999"]}`);
  server = await EdgewiseServer.start(config());
  await server.prints(/run_after: \\"sleep 999\\": still runs/);
  const { pid } = server.child;
  const children = async (): Promise<readonly string[]> => {
    const { stdout } = await run('ps', ['-o', 'pid=,args=', '--ppid', String(pid)]).catch(() => ({ stdout: '' }));
    return stdout.split('\n').filter((line) => line.includes('sleep 99'));
  };
  const running = await children();
  expect(running).toHaveLength(2);
  expect(await server.stop()).toBe(0);
  for (const line of running) {
    const [sleeper] = line.trim().split(' ');
    const isThere = (): Promise<boolean> => run('ps', ['-p', sleeper]).then(...THERE);
    await expect.poll(isThere).toBe(false); // killed, and it may take the kernel a moment
  }
});

test('what is thrown in a callback of the main thread is contained: each timer throws once, and all goes on', async () => {
  const inject = `
    let armed = false;
    const seen = new Set();
    process.on('SIGUSR2', () => { armed = true; });
    for (const name of ['setTimeout', 'setInterval', 'setImmediate']) {
      const real = globalThis[name];
      globalThis[name] = Object.assign((work, ...args) => {
        const site = new Error().stack.split('\\n').find((line) => line.includes('/dist/'))?.trim();
        const once = (...given) => {
          work(...given);
          if (!armed || site === undefined || seen.has(site)) return;
          seen.add(site);
          console.log('INJECTED ' + site);
          throw new Error('injected ' + seen.size);
        };
        return real(once, ...args);
      }, real);
    }
    process.on('SIGWINCH', () => { throw new Error('injected by a signal'); });
    process.on('SIGIO', () => { Promise.reject(new Error('injected by a promise')); });`;
  server = EdgewiseServer.spawn(config(), [], {}, ['--import', `data:text/javascript,${encodeURIComponent(inject)}`]);
  await server.ready();
  server.child.kill('SIGUSR2');
  server.child.kill('SIGWINCH');
  server.child.kill('SIGIO');
  await server.prints(/injected by a signal/);
  await server.prints(/injected by a promise/);
  await server.prints(/INJECTED .*network-clock/);
  const since = server.output.length;
  await site.write('edges/mynet', `${EDGE}\n# another round looks at this\nnot an edge\n`);
  await server.prints(/the lists do not load/, since); // rounds go on
  await server.prints(/INJECTED .*lock-part/);
  await answered('good.test');
  expect(await reasons()).toMatch(/a bug was contained .*injected/);
  expect((await server.get('/metrics')).text).toMatch(/edgewise_contained_errors_total\{part="the main thread"\} \d+/);
  server.child.kill('SIGHUP');
  await server.prints(/"reloaded"/);
  expect(await server.stop()).toBe(0);
});

test('callbacks of sockets, watches and children have a boundary: each throws once, by its part, and all goes on', async () => {
  const guard = new URL('../../dist/system/guard.js', import.meta.url).href;
  const inject = `
    import { EventEmitter } from 'node:events';
    import { isMainThread } from 'node:worker_threads';
    import { Guard } from ${JSON.stringify(guard)};
    const ours = () => new Error().stack.split('\\n').find((line) =>
      line.includes('/dist/') && !line.includes('node_modules') && !line.includes('/system/guard.js'))?.trim() ?? null;
    const guarded = new WeakSet();
    const { protect } = Guard.prototype;
    let armed = false;
    const seen = new Set();
    Guard.prototype.protect = function (part, work) {
      const site = ours();
      const made = protect.call(this, part, (...given) => {
        const result = work(...given);
        if (!armed || seen.has(site)) return result;
        seen.add(site);
        console.log('INJECTED ' + part + ' ' + site);
        throw new Error('injected');
      });
      guarded.add(made);
      return made;
    };
    if (isMainThread) {
      process.on('SIGUSR2', () => { armed = true; });
      let inside = false; // 'once' calls 'on'
      for (const method of ['on', 'addListener', 'once']) {
        const real = EventEmitter.prototype[method];
        EventEmitter.prototype[method] = function (event, listener) {
          if (inside) return real.call(this, event, listener);
          const site = ours();
          const [, , caller, beyond = ''] = new Error().stack.split('\\n');
          const own = (caller.includes('readable') ? beyond : caller).includes('/dist/');
          if (own && this !== process && !guarded.has(listener)) console.log('UNGUARDED ' + event + ' ' + site);
          inside = true;
          try {
            return real.call(this, event, listener);
          } finally {
            inside = false;
          }
        };
      }
    }`;
  await editConfig('commands: null', 'commands: {run_after: ["false"]}');
  const secondary = await freePort();
  await editConfig(/$/, `transfer:\n  watch: 1\n  notify:\n    - to: 127.0.0.1:${secondary}\n`);
  server = EdgewiseServer.spawn(config(), [], {}, ['--import', `data:text/javascript,${encodeURIComponent(inject)}`]);
  await server.ready();
  server.child.kill('SIGUSR2');
  await server.prints(/INJECTED hooks /);
  await server.prints(/INJECTED serial over UDP /); // nobody listens there
  expect((await server.get('/livez')).status).toBe(200);
  await server.prints(/INJECTED http /);
  await site.write(`zones/${NETWORK}/new.test.zone`, 'mail IN A 192.0.2.27\n');
  await server.prints(/INJECTED zone watch /);
  await server.prints(/INJECTED NOTIFY /);
  await eventually(
    async () => (await server?.dig('mail.new.test', 'A'))?.join() ?? '',
    (answer) => answer === '192.0.2.27',
  );
  await answered('good.test');
  const shown = await reasons();
  for (const part of ['hooks', 'serial over UDP', 'http', 'zone watch', 'NOTIFY']) {
    expect(shown).toMatch(new RegExp(`^${part}: a bug was contained .*injected`, 'm'));
  }
  expect(shown).not.toContain('the main thread'); // the last resort had nothing to do
  const unguarded = [...server.output.matchAll(/^UNGUARDED (\S+) .*\/dist\/(\S+?)\.js/gm)].map(
    (found) => `${found[2]} ${found[1]}`,
  );
  // These have a boundary of their own, or do nothing that can throw.
  const own = [
    /^cli\/command-line error$/,
    /^publish\/notify\/source-address (connect|error)$/,
    /^server\/control\/http\/http-server error$/,
    /^system\/log (drop|error)$/,
    /^system\/supervised-thread (error|exit|message)$/,
  ];
  expect(unguarded.filter((site) => !own.some((known) => known.test(site)))).toEqual([]);
  expect(unguarded).toContain('system/supervised-thread message'); // so the search finds what there is
  server.child.kill('SIGHUP');
  await server.prints(/"reloaded"/);
  expect(await server.stop()).toBe(0);
});

test('a prober that dies whenever it is started is a reason of /healthz, until one lives', async () => {
  const dies = `
    import { existsSync } from 'node:fs';
    import { workerData } from 'node:worker_threads';
    if (workerData?.userAgent !== undefined) {
      const die = () => { if (existsSync(${JSON.stringify(site.path('die'))})) throw new Error('by order'); };
      die();
      setInterval(die, 50).unref();
    }`;
  server = EdgewiseServer.spawn(config(), [], {}, ['--import', `data:text/javascript,${encodeURIComponent(dies)}`]);
  await server.ready();
  await eventually(
    () => reasons(),
    (text) => text === '',
  );
  await site.write('die', '');
  await eventually(
    () => reasons(),
    (text) => text.includes('prober: its thread does not run'),
  );
  expect(await server.dig('good.test', 'A')).toEqual([EDGE]);
  await rm(site.path('die'));
  await eventually(
    () => reasons(),
    (text) => text === '',
  );
});
