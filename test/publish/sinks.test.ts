import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Config } from '../../src/config/types.ts';
import { nameKey, type WireName } from '../../src/dns/name.ts';
import type { LiveUpdate } from '../../src/health/pools/round-types.ts';
import type { NetworkState } from '../../src/health/state/network-state.ts';
import { notifySink } from '../../src/publish/notify-sink.ts';
import { type Change, type FollowingSink, mergeChanges, type Sink } from '../../src/publish/sink.ts';
import { Sinks, type SinksOptions } from '../../src/publish/sinks.ts';
import { type Fault, plainFault } from '../../src/system/fault.ts';

/** For a sink that only notes that it was called. */
const noFaults = (_: unknown): readonly Fault[] => [];

const NET = 'mynet';
const never = new Promise<never>(() => undefined);

/** An update of which only what sinks look at is real. */
function update(serial: number, other: Partial<LiveUpdate> = {}): LiveUpdate {
  const state = { serial, live: [] } as unknown as NetworkState;
  return { state, liveChanged: false, canaryZones: [], isRun: true, ...other } as LiveUpdate;
}

function change(serial: number, other: Partial<Change> = {}): Change {
  return { network: NET, config: {} as Config, update: update(serial), zones: [], filesWritten: false, ...other };
}

function following(name: string, apply: FollowingSink['apply'], after: readonly string[] = []): FollowingSink {
  return { name, phase: 'follow', after, apply };
}

function sinksOf(list: readonly Sink[], options: Partial<SinksOptions> = {}): Sinks & { readonly said: string[] } {
  const said: string[] = [];
  const log: SinksOptions['log'] = (level, network, text) => said.push(`${level} ${network} ${text}`);
  return Object.assign(new Sinks(list, { log, ...options }), { said });
}

test('a sink that hangs for ever delays neither answers nor other sinks, and says so', async () => {
  const served: number[] = [];
  const followed: number[] = [];
  const sinks = sinksOf(
    [
      { name: 'slots', phase: 'serve', apply: (_, { state }) => void served.push(state.serial) },
      following('hangs', () => never),
      following('well', async ({ update: news }) => {
        followed.push(news?.state.serial ?? 0);
        return [];
      }),
      following('later', async () => noFaults(followed.push(-1)), ['hangs']),
    ],
    { afterMs: 1, slowMs: 0 },
  );
  for (const serial of [1, 2]) {
    expect(sinks.serve(NET, update(serial))).toEqual([]);
    sinks.follow(change(serial));
    await sinks.idleOf('well');
  }
  await sinks.idleOf('later');
  expect(served).toEqual([1, 2]);
  expect(followed.filter((serial) => serial > 0)).toEqual([1, 2]);
  expect(followed).toContain(-1);
  expect(sinks.faults()).toEqual([expect.stringMatching(/^network mynet: hangs: not done after \d+ s$/)]);
  await sinks.close(1);
});

test('a thousand changes reach a slow sink as the newest state, with all that differs', async () => {
  const seen: Change[] = [];
  let go: () => void = () => undefined;
  const first = new Promise<void>((resolve) => {
    go = resolve;
  });
  const sinks = sinksOf([
    following('slow', async (news) => {
      seen.push(news);
      await first;
      return [];
    }),
  ]);
  sinks.follow(change(0));
  await new Promise(setImmediate);
  for (let serial = 1; serial <= 1000; serial++) {
    const other = serial === 500 ? { liveChanged: true, canaryZones: ['x.test'] } : {};
    sinks.follow(change(serial, { update: update(serial, other) }));
  }
  go();
  await sinks.idleOf('slow');
  expect(seen).toHaveLength(2);
  expect(seen[1].update).toMatchObject({ state: { serial: 1000 }, liveChanged: true, canaryZones: ['x.test'] });
});

test('a change that a sink does not want neither calls it nor ends its pause', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  let tries = 0;
  let isBroken = true;
  const sinks = sinksOf([
    {
      ...following('far', async () => {
        tries += 1;
        return isBroken ? [plainFault('x', 'out of order')] : [];
      }),
      wants: ({ update: news }) => news?.liveChanged === true,
    },
  ]);
  sinks.follow(change(1));
  await sinks.idleOf('far');
  expect(tries).toBe(0);
  sinks.follow(change(2, { update: update(2, { liveChanged: true }) }));
  await sinks.idleOf('far');
  for (const serial of [3, 4, 5]) {
    sinks.follow(change(serial));
    await sinks.idleOf('far');
  }
  expect([tries, sinks.faults().length]).toEqual([1, 1]);
  isBroken = false;
  await sinks.close();
  expect([tries, sinks.faults()]).toEqual([2, []]);
});

describe('a sink that fails', () => {
  test.each([
    ['by a fault', async () => [plainFault('x', 'no room')]],
    ['by throwing', () => Promise.reject(new Error('no room'))],
  ] as const)('%s is tried again with the next change, which takes in what failed', async (_, fail) => {
    const seen: Change[] = [];
    let broken = true;
    const sinks = sinksOf([
      following('disk', async (news) => {
        if (broken) return fail();
        seen.push(news);
        return [];
      }),
    ]);
    sinks.follow(change(1, { update: update(1, { liveChanged: true }) }));
    await sinks.idleOf('disk');
    expect(sinks.faults()).toEqual([expect.stringMatching(/^network mynet: disk: .*no room$/)]);
    broken = false;
    sinks.follow(change(2));
    await sinks.idleOf('disk');
    expect(seen).toMatchObject([{ update: { state: { serial: 2 }, liveChanged: true } }]);
    expect(sinks.faults()).toEqual([]);
    expect(sinks.said).toEqual([expect.stringContaining('error mynet disk: '), 'info mynet disk: all well again']);
  });

  test('is tried again by itself, and once more at the end', async () => {
    let tries = 0;
    const sinks = sinksOf([
      following('disk', async () => {
        tries++;
        return [plainFault('x', 'no room')];
      }),
    ]);
    sinks.follow(change(1));
    await sinks.idleOf('disk');
    await sinks.close();
    expect(tries).toBe(2);
  });

  test('of zones that belong to no network is said as such', async () => {
    const sinks = sinksOf([following('disk', async () => [plainFault('x', 'no room')])]);
    sinks.follow(change(1, { network: null, update: null }));
    await sinks.idleOf('disk');
    expect(sinks.faults()).toEqual([expect.stringMatching(/^static zones: disk: .*no room$/)]);
  });

  test('keeps no other network from being told', async () => {
    const seen: string[] = [];
    const sinks = sinksOf([
      following('disk', async ({ network }) => {
        seen.push(network ?? '');
        return network === 'bad' ? [plainFault('x', 'no room')] : [];
      }),
    ]);
    sinks.follow(change(1, { network: 'bad' }));
    sinks.follow(change(1, { network: 'good' }));
    await sinks.idleOf('disk');
    expect(seen).toEqual(['bad', 'good']);
    expect(sinks.faults()).toHaveLength(1);
  });

  test('durable or serving, is a fault of the decision, and the others are asked all the same', async () => {
    const saved: string[] = [];
    const sinks = sinksOf([
      { name: 'first', phase: 'durable', apply: () => Promise.reject(new Error('no disk')) },
      { name: 'second', phase: 'durable', apply: async (network) => noFaults(saved.push(network)) },
      {
        name: 'third',
        phase: 'serve',
        apply: () => {
          throw new Error('bug');
        },
      },
      { name: 'fourth', phase: 'serve', apply: (network) => void saved.push(network) },
    ]);
    expect(await sinks.save(NET, update(1).state)).toMatchObject([{ code: 'first', message: 'no disk' }]);
    expect(sinks.serve(NET, update(1))).toMatchObject([{ code: 'third', message: 'bug' }]);
    expect(saved).toEqual([NET, NET]);
  });
});

test('a sink comes after those it names', async () => {
  const order: string[] = [];
  const sinks = sinksOf([
    following('hooks', async () => noFaults(order.push('hooks')), ['files']),
    following('files', async () => {
      await new Promise(setImmediate);
      order.push('files');
      return [];
    }),
  ]);
  sinks.follow(change(1));
  await sinks.idleOf('hooks');
  expect(order).toEqual(['files', 'hooks']);
});

test('merging: the newer state, and every difference', () => {
  const older = change(1, { filesWritten: true, update: update(1, { isRun: true, canaryZones: ['a'] }) });
  const newer = change(2, { update: update(2, { isRun: false, canaryZones: ['a', 'b'] }) });
  expect(mergeChanges(older, newer)).toMatchObject({
    filesWritten: true,
    update: { state: { serial: 2 }, isRun: true, canaryZones: ['a', 'b'] },
  });
  expect(mergeChanges(older, { ...newer, update: null }).update).toBe(older.update);
  expect(mergeChanges(undefined, newer)).toBe(newer);
});

test('NOTIFY goes out for zones with new serials, by a decision or by contents, of a network or of none', async () => {
  const told: (readonly WireName[])[] = [];
  const sinks = sinksOf([notifySink((origins) => told.push(origins))]);
  const zones = ['one.test', 'two.test'].map((name) => nameKey(name)).filter((origin) => origin !== null);
  for (const one of [
    change(1, { zones }),
    change(2, { zones, update: null }),
    change(3, { zones, update: null, network: null }),
    change(4),
    change(5, { update: null, filesWritten: true }),
  ]) {
    sinks.follow(one);
    await sinks.idleOf('notify');
  }
  expect(told).toEqual([zones, zones, zones]);
});

test('a sink can join and leave, and have one network only', async () => {
  const seen: string[] = [];
  const sinks = sinksOf([]);
  sinks.follow(change(1));
  sinks.add({ ...following('one', async ({ network }) => noFaults(seen.push(`one ${network}`))), network: 'other' });
  sinks.add(following('all', async ({ network }) => noFaults(seen.push(`all ${network}`))));
  for (const network of [NET, 'other', null]) sinks.follow(change(2, { network }));
  await sinks.idleOf('one');
  await sinks.idleOf('all');
  expect(seen.toSorted()).toEqual(['all mynet', 'all null', 'all other', 'one other']);
  await sinks.remove('all');
  sinks.follow(change(3, { network: 'other' }));
  await sinks.idleOf('one');
  expect(seen.filter((one) => one === 'all other')).toHaveLength(1);
  await sinks.remove('never was');
});

test('one that fails and leaves is tried once more, and is no fault afterwards', async () => {
  let calls = 0;
  let isWell = false;
  const sinks = sinksOf([]);
  sinks.add(
    following('fails', async () => {
      calls += 1;
      return isWell ? [] : [plainFault('failed', 'no')];
    }),
  );
  sinks.follow(change(1));
  await sinks.idleOf('fails');
  expect([calls, sinks.faults()]).toEqual([1, ['network mynet: fails: error: failed: no']]);
  const { length } = sinks.said;
  isWell = true;
  await sinks.remove('fails');
  expect([calls, sinks.faults()]).toEqual([2, []]);
  expect(sinks.said.slice(length)).toEqual([]);
});
