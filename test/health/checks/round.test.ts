import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { NetworkTargets } from '../../../src/health/checks/network-targets.ts';
import type { ProbeTarget, RoundRequest } from '../../../src/health/checks/protocol.ts';
import type { Resolution } from '../../../src/health/checks/resolve.ts';
import { type RoundTools, runRound } from '../../../src/health/checks/round.ts';
import type { FailReason, Fetch, Sample } from '../../../src/health/checks/sample.ts';
import { LoopWatch } from '../../../src/health/checks/stall.ts';
import { httpPlan } from '../../support/probe-plan.ts';

const PLAN = httpPlan();

function fetched(address: string, reason: FailReason | null = null): Fetch {
  return {
    address,
    seconds: reason === null ? 0.1 : PLAN.timeout,
    fail: reason === null ? null : { reason, detail: 'as told' },
    phases: { resolve: null, connect: 0.01, tls: null, firstByte: 0.05, total: 0.1 },
    attempts: 1,
    hops: 0,
    check: 'http',
    checks: [],
  };
}

async function itself(edge: string): Promise<Resolution> {
  return { ok: true, addresses: { v4: edge, v6: null }, seconds: null, cached: false };
}

type Script = {
  readonly signal?: AbortSignal;
  readonly watch?: LoopWatch;
  readonly fetch?: (address: string) => Promise<Fetch>;
  readonly resolve?: (edge: string, again: boolean) => Promise<Resolution>;
  /** How much too long the fetch may be, by its own account. */
  readonly stalls?: () => { readonly stalledMs: number };
  /** What turns of one network share. */
  readonly shared?: NetworkTargets;
};

async function round(
  names: readonly string[],
  more: Partial<RoundRequest> & { canaries?: readonly string[] },
  script: Script,
) {
  const samples = new Map<string, Sample>();
  const tools: RoundTools = {
    resolve: (edge, { again }) => (script.resolve ?? itself)(edge, again),
    fetch: async ({ address }) => ({
      stalledMs: 0,
      fetch: await (script.fetch ?? (async () => fetched(address)))(address),
      ...script.stalls?.(),
    }),
    watch: script.watch ?? new LoopWatch(),
    report: (sample) => samples.set(sample.edge, sample),
    signal: script.signal ?? new AbortController().signal,
    ...(script.shared === undefined ? {} : { targets: script.shared }),
  };
  const { canaries = [], ...request } = more;
  const end = await runRound(
    {
      kind: 'round',
      id: 1,
      network: 'net',
      plan: PLAN,
      targets: [...names.map((name) => ({ name, canary: false })), ...canaries.map((name) => ({ name, canary: true }))],
      spread: 0,
      canaryKiller: 0,
      ...request,
    },
    tools,
  );
  return { samples, end };
}

describe('a sample', () => {
  test('of an edge with one address', async () => {
    const { samples, end } = await round(['192.0.2.1'], {}, {});
    expect(samples.get('192.0.2.1')).toMatchObject({
      edge: '192.0.2.1',
      seconds: 0.1,
      fail: null,
      primary: { address: '192.0.2.1' },
      others: [],
      stalledMs: 0,
    });
    expect(end.cancelled).toEqual([]);
  });

  test('of an edge with both families: IPv4 is the one that counts', async () => {
    const { samples } = await round(
      ['edge'],
      {},
      {
        resolve: async () => ({
          ok: true,
          addresses: { v4: '192.0.2.1', v6: '2001:db8::1' },
          seconds: 0.2,
          cached: false,
        }),
        fetch: async (address) => fetched(address, address.includes(':') ? 'unreachable' : null),
      },
    );
    expect(samples.get('edge')).toMatchObject({
      fail: null,
      primary: { address: '192.0.2.1', fail: null },
      others: [{ address: '2001:db8::1', fail: { reason: 'unreachable' } }],
    });
  });

  test('of an edge with IPv6 only', async () => {
    const { samples } = await round(
      ['edge'],
      {},
      {
        resolve: async () => ({ ok: true, addresses: { v4: null, v6: '2001:db8::1' }, seconds: 0.2, cached: false }),
      },
    );
    expect(samples.get('edge')).toMatchObject({ primary: { address: '2001:db8::1' }, others: [] });
  });

  test('of an edge that does not resolve', async () => {
    const { samples } = await round(
      ['edge'],
      {},
      {
        resolve: async () => ({ ok: false, why: 'the name has no address', seconds: 0.1 }),
      },
    );
    expect(samples.get('edge')).toMatchObject({
      seconds: 10,
      fail: { reason: 'resolve', detail: 'edge: the name has no address' },
      primary: null,
      others: [],
    });
  });
});

test.each([
  ['one family', { v4: '192.0.2.1', v6: null }],
  ['both families', { v4: '192.0.2.1', v6: '2001:db8::1' }],
])('no more fetches at a time than workers, and as many: %s', async (_name, addresses) => {
  let running = 0;
  let most = 0;
  const names = Array.from({ length: 20 }, (_, i) => `edge${i}`);
  const { samples } = await round(
    names,
    { plan: { ...PLAN, workers: 3 } },
    {
      resolve: async () => ({ ok: true, addresses, seconds: null, cached: false }),
      fetch: async (address) => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setTimeout(resolve, 5));
        running -= 1;
        return fetched(address);
      },
    },
  );
  expect(most).toBe(3);
  expect(samples.size).toBe(20);
});

describe('with many targets', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('starts are spread over the time asked for, in order', async () => {
    const starts: number[] = [];
    const names = Array.from({ length: 10 }, (_, i) => `192.0.2.${i}`);
    const asked: string[] = [];
    const began = performance.now();
    const ended = round(
      names,
      { spread: 0.2 },
      {
        fetch: async (address) => {
          starts.push(performance.now() - began);
          asked.push(address);
          return fetched(address);
        },
      },
    );
    await vi.runAllTimersAsync();
    await ended;
    expect(asked).toEqual(names);
    expect(starts).toEqual([0, 20, 40, 60, 80, 100, 120, 140, 160, 180]);
  });

  test('starts are made by the handful, and on average no faster than one a millisecond', async () => {
    let started = 0;
    const names = Array.from({ length: 20 }, (_, i) => `192.0.2.${i}`);
    const script = {
      fetch: async (address: string) => {
        started += 1;
        return fetched(address);
      },
    };
    const ended = round(names, { plan: { ...PLAN, workers: 20 } }, script);
    const seen: number[] = [];
    for (let ms = 0; ms < 20; ms += 2) {
      await vi.advanceTimersByTimeAsync(ms === 0 ? 0 : 2);
      seen.push(started);
    }
    await vi.runAllTimersAsync();
    expect((await ended).samples.size).toBe(20);
    expect(seen).toEqual([8, 8, 8, 8, 16, 16, 16, 16, 20, 20]);
  });
});

describe('targets that hang', () => {
  /** What was asked while the targets that `hangs` answered nothing, and what ends them. */
  function hanging(hangs: (address: string) => boolean) {
    const asked: string[] = [];
    let free: () => void = () => undefined;
    const freed = new Promise<void>((resolve) => {
      free = resolve;
    });
    const fetch = async (address: string): Promise<Fetch> => {
      asked.push(address);
      if (hangs(address)) await freed;
      return fetched(address, hangs(address) ? 'timeout' : null);
    };
    return { asked, free, fetch };
  }
  const plain = (name: string) => ({ name, canary: false });
  const one = { ...PLAN, workers: 1 };
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('and failed last time delay none of the others', async () => {
    const { asked, free, fetch } = hanging((name) => name.startsWith('bad'));
    const bad = Array.from({ length: 300 }, (_, i) => ({ ...plain(`bad${i}`), failed: true }));
    const good = Array.from({ length: 20 }, (_, i) => plain(`good${i}`));
    const ended = round([], { targets: [...bad, ...good], plan: one }, { fetch });
    await vi.advanceTimersByTimeAsync(900);
    expect(asked.filter((name) => name.startsWith('good'))).toHaveLength(20);
    expect(asked.filter((name) => name.startsWith('bad'))).toHaveLength(128);
    free();
    await vi.runAllTimersAsync();
    expect((await ended).samples.size).toBe(320);
  });

  test('for the first time pass their place on after a second', async () => {
    const { asked, free, fetch } = hanging((name) => name !== 'good');
    const targets = ['bad0', 'bad1', 'bad2', 'good'].map(plain);
    const ended = round([], { targets, plan: one }, { fetch });
    await vi.advanceTimersByTimeAsync(900);
    expect(asked).toEqual(['bad0']);
    await vi.advanceTimersByTimeAsync(1000);
    expect(asked).toEqual(['bad0', 'bad1']);
    await vi.advanceTimersByTimeAsync(2000);
    expect(asked).toEqual(['bad0', 'bad1', 'bad2', 'good']);
    free();
    await vi.runAllTimersAsync();
    expect((await ended).samples.size).toBe(4);
  });

  test('in any number and any lane: live members are asked first, and all at once', async () => {
    const { asked, free, fetch } = hanging((name) => !name.startsWith('live'));
    const others = Array.from({ length: 200 }, (_, i) => ({ ...plain(`edge${i}`), failed: i % 2 === 0 }));
    const live = Array.from({ length: 8 }, (_, i) => ({ ...plain(`live${i}`), live: true }));
    const ended = round([], { targets: [...others, ...live], plan: one }, { fetch });
    await vi.advanceTimersByTimeAsync(0);
    expect(asked.slice(0, 8)).toEqual(live.map(({ name }) => name));
    free();
    await vi.runAllTimersAsync();
    expect((await ended).samples.size).toBe(208);
  });
});

test('a round of nothing ends', async () => {
  const { end } = await round([], { spread: 1 }, {});
  expect(end).toMatchObject({ cancelled: [] });
});

describe('canary killer', () => {
  const canaries = ['198.51.100.1', '198.51.100.2', '198.51.100.3', '198.51.100.4', '198.51.100.5'];
  const one = { ...PLAN, workers: 1 };
  const allFail = { fetch: async (address: string) => fetched(address, 'refused') };

  test('stops the canaries that have not begun', async () => {
    const { samples, end } = await round([], { canaries, canaryKiller: 3, plan: one }, allFail);
    expect([...samples.keys()]).toEqual(canaries.slice(0, 3));
    expect(end.cancelled).toEqual(canaries.slice(3));
  });

  test.each([
    ['is off at 0', 0, [], canaries],
    ['does not count edges', 3, ['192.0.2.1', '192.0.2.2', '192.0.2.3'], canaries.slice(0, 2)],
    ['does not stop at fewer', 6, [], canaries],
  ])('%s', async (_name, canaryKiller, edges, these) => {
    const { samples, end } = await round(edges, { canaries: these, canaryKiller, plan: one }, allFail);
    expect(end.cancelled).toEqual([]);
    expect(samples.size).toBe(edges.length + these.length);
  });

  test('never stops an edge', async () => {
    const late = ['192.0.2.1', '192.0.2.2'];
    const targets = [
      ...canaries.map((name) => ({ name, canary: true })),
      ...late.map((name) => ({ name, canary: false })),
    ];
    const { samples, end } = await round([], { targets, canaryKiller: 1, plan: one }, allFail);
    expect([...samples.keys()]).toEqual(['198.51.100.1', ...late]);
    expect(end.cancelled).toEqual(canaries.slice(1));
  });
});

describe('when the loop stands still', () => {
  test.each<[string, number, FailReason | null, calls: number, stalled: boolean]>([
    ['in a moment that mattered to the first fetch: it is made again', 1, null, 2, false],
    ['and it seemed a timeout: it is made again', 1, 'timeout', 2, false],
    ['twice: and again', 2, null, 3, false],
    ['always: the third is taken, and marked', 9, null, 3, true],
    ['but the connection was refused: that is true all the same', 9, 'refused', 1, false],
  ])('%s', async (_name, stalls, reason, calls, stalled) => {
    let made = 0;
    const { samples } = await round(
      ['192.0.2.1'],
      {},
      {
        fetch: async (address) => {
          made += 1;
          return fetched(address, made <= stalls ? reason : null);
        },
        // Over 2 % of ten seconds, so that the timeout is in doubt as well.
        stalls: () => ({ stalledMs: made <= stalls ? 300 : 0 }),
      },
    );
    expect(made).toBe(calls);
    expect(samples.get('192.0.2.1')?.stalledMs).toBe(stalled ? 300 : 0);
  });

  test('for a small part of a long fetch: it is taken as it is', async () => {
    let made = 0;
    const { samples } = await round(
      ['192.0.2.1'],
      {},
      {
        fetch: async (address) => {
          made += 1;
          return { ...fetched(address), seconds: 9 };
        },
        stalls: () => ({ stalledMs: 50 }),
      },
    );
    expect(made).toBe(1);
    expect(samples.get('192.0.2.1')?.stalledMs).toBe(0);
  });

  test('the round says for how long at most', async () => {
    const clock = { ms: 0 };
    const idle = (): (() => void) => () => {};
    const watch = new LoopWatch({ now: () => clock.ms, every: idle, after: idle });
    const fetch = async (address: string): Promise<Fetch> => {
      clock.ms += 300; // nothing turned meanwhile
      return fetched(address);
    };
    const { end } = await round(['192.0.2.1'], {}, { fetch, watch });
    expect(end.loopDelayMs).toBe(290);
  });
});

describe('an address that was looked up before and fails', () => {
  const old = { v4: '127.0.0.1', v6: null };
  const moved = { v4: '127.0.0.2', v6: null };

  test.each<[string, boolean, Resolution, FailReason | null, asked: string[], lookedUp: number]>([
    ['is looked up again, and the new one fetched', true, found(moved), 'refused', ['127.0.0.1', '127.0.0.2'], 2],
    ['whatever the failure', true, found(moved), 'timeout', ['127.0.0.1', '127.0.0.2'], 2],
    ['not fetched again where it is the same', true, found(old), 'refused', ['127.0.0.1'], 2],
    ['nor where nobody can tell', true, { ok: false, why: 'trouble', seconds: 0 }, 'refused', ['127.0.0.1'], 2],
    ['not looked up where it was just now', false, found(moved), 'refused', ['127.0.0.1'], 1],
    ['nor where it works', true, found(moved), null, ['127.0.0.1'], 1],
  ])('%s', async (_name, cached, second, reason, asked, lookedUp) => {
    const fetchedFrom: string[] = [];
    const again: boolean[] = [];
    const { samples } = await round(
      ['edge'],
      {},
      {
        resolve: async (_edge, isAgain) => {
          again.push(isAgain);
          return isAgain ? second : { ...found(old), cached };
        },
        fetch: async (address) => {
          fetchedFrom.push(address);
          return fetched(address, address === '127.0.0.1' ? reason : null);
        },
      },
    );
    expect(fetchedFrom).toEqual(asked);
    expect(again).toEqual([false, true].slice(0, lookedUp));
    expect(samples.get('edge')?.primary?.address).toBe(asked.at(-1));
  });

  function found(addresses: { readonly v4: string; readonly v6: null }) {
    return { ok: true, addresses, seconds: 0, cached: false } as const;
  }
});

test('a round that is cut short ends without the samples that are missing', async () => {
  const controller = new AbortController();
  let made = 0;
  const { samples, end } = await round(
    ['127.0.0.1', '127.0.0.2', '127.0.0.3'],
    { plan: { ...PLAN, workers: 1 } },
    {
      signal: controller.signal,
      fetch: async (address) => {
        made += 1;
        if (made === 2) controller.abort();
        return fetched(address);
      },
    },
  );
  expect(made).toBe(2);
  expect(samples.has('127.0.0.2') || samples.has('127.0.0.3')).toBe(false);
  expect(end.cancelled).toEqual([]);
});

describe('turns of a server', () => {
  const live = (...names: readonly string[]): readonly ProbeTarget[] =>
    names.map((name) => ({ name, canary: false, live: true }));

  /** A turn that lasts until its end is asked for; `asked` is what was fetched so far, in order. */
  function turn(
    targets: readonly ProbeTarget[],
    more: Partial<RoundRequest>,
    fetch: (address: string) => Promise<Fetch>,
  ) {
    const asked: string[] = [];
    const controller = new AbortController();
    const shared = new NetworkTargets();
    const script: Script = {
      signal: controller.signal,
      shared,
      fetch: (address) => {
        asked.push(address);
        return fetch(address);
      },
    };
    const result = round([], { targets, settle: 0.02, ...more }, script);
    return { asked, shared, result, end: () => controller.abort() };
  }

  function hanging(): { readonly silence: Promise<Fetch>; readonly resolve: (fetch: Fetch) => void } {
    let resolve: (fetch: Fetch) => void = () => undefined;
    const silence = new Promise<Fetch>((done) => {
      resolve = done;
    });
    return { silence, resolve: (fetch) => resolve(fetch) };
  }

  const HOURS = 10_000;

  test('each target keeps its own moment, live or not', async () => {
    const targets: readonly ProbeTarget[] = [{ name: 'a', canary: false }, ...live('b'), { name: 'c', canary: false }];
    const { asked, end, result } = turn(targets, { spread: HOURS }, async (address) => fetched(address));
    await vi.waitFor(() => expect(asked).toEqual(['a']));
    end();
    await result;
    expect(asked).toEqual(['a']);
  });

  test('a live member that fails has the others asked at once, and once more', async () => {
    const targets = [...live('a', 'b', 'c'), { name: 'd', canary: false }];
    const { asked, end, result } = turn(targets, { spread: HOURS }, async (address) =>
      fetched(address, address === 'a' ? 'refused' : null),
    );
    await vi.waitFor(() => expect(asked).toEqual(['a', 'b', 'c', 'b', 'c']));
    end();
    await result;
  });

  test('so does one that is silent', async () => {
    const { silence, resolve } = hanging();
    const { asked, end, result } = turn(live('a', 'b'), { spread: HOURS }, async (address) =>
      address === 'a' ? silence : fetched(address),
    );
    await vi.waitFor(() => expect(asked).toContain('b'));
    end();
    resolve(fetched('a', 'timeout'));
    await result;
  });

  test('one that failed before does not, and neither does one that is not live', async () => {
    const failing = live('a').map((one) => ({ ...one, failed: true }));
    const targets = [{ name: 'x', canary: false }, ...failing, ...live('b')];
    const { asked, result } = turn(targets, { settle: 0, spread: 0.01 }, async (address) =>
      fetched(address, address === 'b' ? null : 'refused'),
    );
    await result;
    expect(asked).toEqual(['a', 'b', 'x']); // live ones first, as in any burst
  });

  test('a turn asks nothing that an earlier one still asks, and says what is overdue', async () => {
    const { silence, resolve } = hanging();
    const shared = new NetworkTargets();
    let asked = 0;
    const fetch = (address: string): Promise<Fetch> => {
      asked += 1;
      return address === 'a' ? silence : Promise.resolve(fetched(address));
    };
    const first = round(['a', 'b'], { settle: 0 }, { shared, fetch });
    await vi.waitFor(() => expect(asked).toBe(2));
    const second = await round(['a', 'b'], { settle: 0 }, { shared, fetch });
    expect(second.end.overdue).toEqual(['a']);
    expect([...second.samples.keys()]).toEqual(['b']);
    resolve(fetched('a', 'timeout'));
    expect((await first).end.overdue).toEqual([]);
    const third = await round(['a', 'b'], { settle: 0 }, { shared, fetch });
    expect([...third.samples.keys()].sort()).toEqual(['a', 'b']);
    expect(third.end.overdue).toEqual([]);
  });

  test('a target that becomes live while it waits is asked at once', async () => {
    const { silence, resolve } = hanging();
    const one = { ...PLAN, workers: 1 };
    const { asked, shared, result } = turn(
      [
        { name: 'a', canary: false },
        { name: 'b', canary: false },
      ],
      { plan: one },
      (address) => (address === 'a' ? silence : Promise.resolve(fetched(address))),
    );
    await vi.waitFor(() => expect(asked).toEqual(['a']));
    shared.setLive(['b']);
    await vi.waitFor(() => expect(asked).toEqual(['a', 'b']));
    resolve(fetched('a'));
    await result;
  });

  test('the killer of canaries counts within one turn', async () => {
    const shared = new NetworkTargets();
    const fetch = async (address: string): Promise<Fetch> => fetched(address, 'refused');
    const more = { canaries: ['x', 'y', 'z'], canaryKiller: 2, settle: 0, plan: { ...PLAN, workers: 1 } };
    for (let i = 0; i < 2; i++) {
      const { end } = await round([], more, { shared, fetch: i === 0 ? async (a) => fetched(a) : fetch });
      expect(end.cancelled).toEqual(i === 0 ? [] : ['z']);
    }
  });
});
