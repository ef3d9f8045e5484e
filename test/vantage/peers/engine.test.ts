import { createSecretKey } from 'node:crypto';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { clockWarnings } from '../../../src/server/control/views/vantage-view.ts';
import { Guard } from '../../../src/system/guard.ts';
import type { PeersSettings } from '../../../src/vantage/peers/engine.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { type EngineAtTest, engineOf, settingsOf, viewOf } from '../../support/vantage-peers.ts';

const WAIT = { timeout: 30_000, interval: 20 };
let ending: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  await Promise.all(ending.map((end) => end()));
  ending = [];
});

async function started(settings: PeersSettings, now?: () => number): Promise<EngineAtTest> {
  const made = engineOf(settings, now);
  ending.push(() => made.engine.stop());
  await made.engine.start();
  return made;
}

async function three(more: Partial<PeersSettings> = {}): Promise<readonly [EngineAtTest, EngineAtTest, EngineAtTest]> {
  const [a, b, c] = await settingsOf(['a', 'b', 'c'], more);
  if (a === undefined || b === undefined || c === undefined) throw new Error('no settings');
  return [await started(a), await started(b), await started(c)];
}

/** The turns of the views that an engine has. */
function turns({ engine }: EngineAtTest, network = 'net'): Record<string, number> {
  return Object.fromEntries(engine.views(network).map(({ view }) => [view.vantage, view.turn]));
}

test('three engines have each other’s newest views, and never their own', async () => {
  const all = await three();
  for (const [i, name] of ['a', 'b', 'c'].entries()) all[i]?.engine.publishView(viewOf(name, 1));
  await vi.waitFor(() => {
    expect(turns(all[0])).toEqual({ b: 1, c: 1 });
    expect(turns(all[1])).toEqual({ a: 1, c: 1 });
    expect(turns(all[2])).toEqual({ a: 1, b: 1 });
  }, WAIT);
  for (const { engine } of all) {
    expect(engine.kind).toBe('peers');
    expect(engine.agreement).toBeNull();
    expect(engine.faults()).toEqual([]);
    for (const status of engine.vantages()) {
      expect(status).toMatchObject({ reachable: true, version: '1.2.3', problem: null });
      expect(Math.abs(status.clockOffset ?? 99)).toBeLessThan(5);
    }
    for (const { age } of engine.views('net')) expect(age).toBeGreaterThanOrEqual(0);
    expect(engine.views('another')).toEqual([]);
  }
});

test('a view comes at once, not with the next interval', async () => {
  const [a, b] = await three({ interval: 30 });
  b.engine.publishView(viewOf('b', 1));
  await vi.waitFor(() => expect(turns(a)).toEqual({ b: 1 }), WAIT);
  // The next request waits for half a minute by now, or soon: without being woken these would not come in time.
  for (let turn = 2; turn <= 5; turn += 1) {
    b.engine.publishView(viewOf('b', turn));
    await vi.waitFor(() => expect(turns(a)).toEqual({ b: turn }), { timeout: 15_000, interval: 20 });
  }
  expect(a.came).toEqual(Array(5).fill('net b'));
});

test('an older turn of the same process is no news; another process is, whatever its turn', async () => {
  const [a, b] = await three();
  b.engine.publishView(viewOf('b', 7));
  await vi.waitFor(() => expect(turns(a)).toEqual({ b: 7 }), WAIT);
  b.engine.publishView(viewOf('b', 6));
  b.engine.publishView(viewOf('b', 1, { network: 'other' }));
  await vi.waitFor(() => expect(turns(a, 'other')).toEqual({ b: 1 }), WAIT);
  expect(turns(a)).toEqual({ b: 7 });
  b.engine.publishView(viewOf('b', 1, { boot: 'the next process' }));
  await vi.waitFor(() => expect(turns(a)).toEqual({ b: 1 }), WAIT);
});

test('a view is as old as its maker says and the way took, whatever the clocks say', async () => {
  const [settingsA, settingsB] = await settingsOf(['a', 'b']);
  if (settingsA === undefined || settingsB === undefined) throw new Error('no settings');
  const b = await started(settingsB, () => Date.now() / 1000 - 3600);
  b.engine.publishView(viewOf('b', 1));
  const shown = performance.now();
  // It grows old before anybody asks.
  await vi.waitFor(() => expect(performance.now() - shown).toBeGreaterThan(1500), WAIT);
  const a = await started(settingsA);
  await vi.waitFor(() => expect(turns(a)).toEqual({ b: 1 }), WAIT);
  const [view] = a.engine.views('net');
  expect(view?.age).toBeGreaterThanOrEqual(1.4);
  expect(view?.age).toBeLessThanOrEqual((performance.now() - shown) / 1000 + 3);
  expect(Math.abs(Date.now() / 1000 - (view?.age ?? 0) - (view?.at ?? 0))).toBeLessThan(1);
  const status = a.engine.vantages().find(({ name }) => name === 'b');
  expect(status?.clockOffset).toBeCloseTo(-3600, -1);
  expect(status?.problem).toBeNull();
  expect(a.engine.faults()).toEqual([]); // a warning of whoever shows the vantages
  const text = 'vantage: the clock of b is 3600 s behind ours';
  expect(clockWarnings(a.engine.vantages())).toEqual([{ vantage: 'b', isAhead: false, text }]);
});

test('a peer that is dead or hangs delays nobody, is a problem, and is heard again once it is back', async () => {
  const [settingsA, settingsB, settingsC] = await settingsOf(['a', 'b', 'c'], { timeout: 0.5 });
  if (settingsA === undefined || settingsB === undefined || settingsC === undefined) throw new Error('no settings');
  const c = await started(settingsC);
  const proxy = await TcpProxy.start(settingsC.listen);
  ending.push(() => proxy.stop());
  await proxy.set('hang');
  const peers = settingsA.peers.map((peer) =>
    peer.name === 'c' ? { ...peer, url: `http://127.0.0.1:${proxy.port}` } : peer,
  );
  const a = await started({ ...settingsA, peers }); // b is dead, c hangs
  const problemOf = (name: string): string | null | undefined =>
    a.engine.vantages().find((status) => status.name === name)?.problem;
  await vi.waitFor(() => {
    expect(problemOf('b')).toContain('ECONNREFUSED');
    expect(problemOf('c')).toContain('no answer within 1.5 s (it does ask us)');
  }, WAIT);
  expect(a.engine.faults()).toEqual([expect.stringContaining('peer b (http'), expect.stringContaining('peer c (http')]);
  const b = await started(settingsB);
  b.engine.publishView(viewOf('b', 1));
  await vi.waitFor(() => expect(turns(a)).toEqual({ b: 1 }), WAIT);
  await proxy.set('pass');
  c.engine.publishView(viewOf('c', 1));
  await vi.waitFor(() => expect(turns(a)).toEqual({ b: 1, c: 1 }), WAIT);
  expect(a.engine.faults()).toEqual([]);
  expect(a.lines).toContain(`info peer c (http://127.0.0.1:${proxy.port}): it answers again`);
  await proxy.set('garbage');
  await vi.waitFor(() => expect(problemOf('c')).not.toBeNull(), WAIT);
});

test('a peer that starts again is asked in a new session, and its old process is forgotten', async () => {
  const [settingsA, settingsB] = await settingsOf(['a', 'b']);
  if (settingsA === undefined || settingsB === undefined) throw new Error('no settings');
  const a = await started(settingsA);
  for (const boot of ['first', 'second', 'third']) {
    const b = await started(settingsB);
    b.engine.publishView(viewOf('b', 1, { boot }));
    a.engine.publishView(viewOf('a', 1));
    await vi.waitFor(() => {
      expect(a.engine.views('net')[0]?.view.boot).toBe(boot);
      expect(turns(b)).toEqual({ a: 1 });
    }, WAIT);
    await b.engine.stop();
  }
  expect([...a.engine.refusals().values()].every((n) => n === 0)).toBe(true);
});

describe('wrongly configured', () => {
  async function pair(change: Partial<PeersSettings>): Promise<readonly [EngineAtTest, EngineAtTest]> {
    const [settingsA, settingsB] = await settingsOf(['a', 'b']);
    if (settingsA === undefined || settingsB === undefined) throw new Error('no settings');
    const b = await started({ ...settingsB, ...change });
    const a = await started(settingsA);
    a.engine.publishView(viewOf('a', 1));
    b.engine.publishView(viewOf('b', 1));
    return [a, b];
  }

  for (const [name, change, problem, kind, line] of [
    [
      'another key',
      { key: createSecretKey(Buffer.alloc(32, 8)) },
      'its key is another one',
      'wrong-key',
      'sealed with another key',
    ],
    [
      'another length of key',
      { key: createSecretKey(Buffer.alloc(16, 7)) },
      'its key is another one',
      'wrong-key',
      'another key',
    ],
    [
      'another name',
      { name: 'bb' },
      'its own name is another one than "b"',
      'other-recipient',
      'is for "b", and this is "bb"',
    ],
    [
      'unknown peer',
      { peers: [] },
      'it has no peer "a" in its configuration',
      'unknown-peer',
      'is of "a", which is no peer here',
    ],
  ] as const) {
    test(`${name}: nothing moves, and each side says why`, async () => {
      const [a, b] = await pair(change);
      await vi.waitFor(() => {
        expect(a.engine.faults().join()).toContain(problem);
        expect(b.engine.refusals().get(kind)).toBeGreaterThan(2);
      }, WAIT);
      expect(b.lines.filter((text) => text.includes(line))).toHaveLength(1);
      expect(b.engine.views('net')).toEqual([]);
      expect(a.engine.views('net')).toEqual([]);
      expect([a, b].flatMap(({ came }) => came)).toEqual([]);
    });
  }

  test('a reload puts it right, keeps what is known, and moves the listener', async () => {
    const [a, b] = await pair({ key: createSecretKey(Buffer.alloc(32, 8)) });
    await vi.waitFor(() => expect(a.engine.faults()).toHaveLength(1), WAIT);
    await b.engine.reconfigure({ ...b.settings, key: a.settings.key });
    await vi.waitFor(() => expect([turns(a), turns(b)]).toEqual([{ b: 1 }, { a: 1 }]), WAIT);
    const [{ listen } = b.settings] = await settingsOf(['b']);
    await Promise.all([
      b.engine.reconfigure({ ...b.settings, key: a.settings.key, listen: a.settings.listen }), // in use
      b.engine.reconfigure({ ...b.settings, key: a.settings.key, listen }),
    ]);
    expect(b.engine.endpoint()).toEqual(listen);
    const url = `http://127.0.0.1:${listen.port}`;
    await a.engine.reconfigure({ ...a.settings, peers: [{ name: 'b', url }] });
    expect(turns(a)).toEqual({ b: 1 });
    b.engine.publishView(viewOf('b', 2));
    await vi.waitFor(() => expect(turns(a)).toEqual({ b: 2 }), WAIT);
    await a.engine.reconfigure({ ...a.settings, peers: [] });
    expect(turns(a)).toEqual({});
    await vi.waitFor(() => expect(b.engine.faults().join()).toContain('it has no peer "b"'), WAIT);
  });

  test('a reload that asks peers anew repeats no counter: nothing is a replay, however often it was asked before', async () => {
    const [a, b] = await pair({});
    await vi.waitFor(() => expect(turns(a)).toEqual({ b: 1 }), WAIT);
    // Each view is a request; the last counter is beyond the window, within which an unseen one would pass.
    for (let turn = 2; turn <= 70; turn += 1) {
      b.engine.publishView(viewOf('b', turn));
      await vi.waitFor(() => expect(turns(a)).toEqual({ b: turn }), { timeout: 30_000, interval: 5 });
    }
    for (const timeout of [3, 4]) {
      await a.engine.reconfigure({ ...a.settings, timeout });
      const next = (turns(a)['b'] ?? 0) + 1;
      b.engine.publishView(viewOf('b', next));
      await vi.waitFor(() => expect(turns(a)).toEqual({ b: next }), { ...WAIT, timeout: 5000 });
    }
    await a.engine.reconfigure({ ...a.settings, peers: [] });
    await a.engine.reconfigure(a.settings); // the same peer again
    await vi.waitFor(() => expect(turns(a)).toEqual({ b: 72 }), { ...WAIT, timeout: 5000 });
    expect(b.engine.refusals().get('replayed')).toBe(0);
    expect(a.engine.faults()).toEqual([]);
  });

  test('a port that is in use is a fault, and is tried until it is free', async () => {
    const [a] = await pair({});
    const [settings] = await settingsOf(['c']);
    if (settings === undefined) throw new Error('no settings');
    const c = await started({ ...settings, listen: a.settings.listen });
    expect(c.engine.faults()).toEqual([expect.stringContaining('cannot listen on 127.0.0.1:')]);
    expect(c.engine.vantages()[0]).toMatchObject({ isSelf: true, reachable: false });
    await a.engine.stop();
    await vi.waitFor(() => expect(c.engine.faults()).toEqual([]), WAIT);
  });
});

describe('large', () => {
  test('views that do not fit into one answer come with the next ones; one that never fits is said', async () => {
    const [a, b] = await three();
    const edges = (count: number) =>
      Array.from({ length: count }, (_, i) => ({ ...EDGE, name: `edge${i}.example`, detail: 'x'.repeat(200) }));
    b.engine.publishView(viewOf('b', 1, { network: 'huge', edges: edges(25_000) }));
    for (const network of ['one', 'two', 'three']) {
      b.engine.publishView(viewOf('b', 1, { network, edges: edges(10_000) }));
    }
    await vi.waitFor(() => {
      for (const network of ['one', 'two', 'three']) expect(turns(a, network)).toEqual({ b: 1 });
    }, WAIT);
    expect(turns(a, 'huge')).toEqual({});
    const problem = expect.stringContaining('peers are not shown our view of huge: it has more octets than');
    expect(b.engine.faults()).toEqual([problem]);
    expect(b.lines.filter((line) => line.includes('huge'))).toHaveLength(1);
    b.engine.publishView(viewOf('b', 2, { network: 'huge' }));
    await vi.waitFor(() => expect(turns(a, 'huge')).toEqual({ b: 2 }), WAIT);
    expect(b.engine.faults()).toEqual([]);
  });

  test('networks without end are not', async () => {
    const [a, b] = await three();
    for (let i = 0; i < 510; i += 1) b.engine.publishView(viewOf('b', 1, { network: `net${i}` }));
    await vi.waitFor(() => expect(turns(a, 'net499')).toEqual({ b: 1 }), WAIT);
    expect(turns(a, 'net500')).toEqual({});
    expect(b.engine.faults()).toHaveLength(10);
  });
});

const EDGE = {
  name: 'edge.example',
  up: true,
  detail: '',
  samples: 1,
  works: { v4: true, v6: false },
  facts: {
    sample: null,
    figures: { last: null, windowAverage: null, windowCount: 0, average: null, count: 0 },
    v4: '192.0.2.1',
    v6: null,
    verificationFailed: false,
  },
};

test('a stop ends waiting requests and what hangs, and a stop before the start is one', async () => {
  const [a, b] = await three({ interval: 30 });
  b.engine.publishView(viewOf('b', 1));
  await vi.waitFor(() => expect(turns(a)).toEqual({ b: 1 }), WAIT);
  await b.engine.stop();
  await b.engine.stop();
  await vi.waitFor(() => expect(a.engine.faults().join()).toContain('peer b'), WAIT);
  const [settings] = await settingsOf(['c']);
  if (settings === undefined) throw new Error('no settings');
  const early = engineOf(settings);
  await early.engine.stop();
  await early.engine.start();
  expect(early.engine.endpoint()).toBeNull();
});

test('a bug in what is told of a view ends nothing: the guard notes it, and the next views come', async () => {
  const [settingsA, settingsB] = await settingsOf(['a', 'b']);
  if (settingsA === undefined || settingsB === undefined) throw new Error('no settings');
  const guard = new Guard({ report: () => undefined, now: () => 0 });
  let times = 0;
  const onView = (): void => {
    times += 1;
    if (times === 1) throw new Error('a bug');
  };
  const a = engineOf(settingsA, undefined, { guard, onView });
  ending.push(() => a.engine.stop());
  await a.engine.start();
  const b = await started(settingsB);
  for (const network of ['one', 'two']) b.engine.publishView(viewOf('b', 1, { network }));
  await vi.waitFor(() => expect([turns(a, 'one'), turns(a, 'two')]).toEqual([{ b: 1 }, { b: 1 }]), WAIT);
  expect(guard.faults()).toMatchObject([{ part: 'peers', count: 1, message: 'a bug' }]);
});
