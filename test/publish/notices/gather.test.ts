import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decisionScope } from '../../../src/publish/notices/conditions.ts';
import { type Entry, keyOf, type Message, type NoticeEvent } from '../../../src/publish/notices/event.ts';
import { Gather, type GatherRules, KEYS_MAX, NOTHING_SAVED, type Saved } from '../../../src/publish/notices/gather.ts';

const RULES: GatherRules = { gather: 5, perMinute: 60, wants: () => true };
const SCOPE = decisionScope('mynet');

function down(edge: string, severity: NoticeEvent['severity'] = 'warning'): NoticeEvent {
  return { name: 'edge_down', severity, labels: { network: 'mynet', edge }, summary: `${edge} is down` };
}

function changed(summary = 'the live set changed'): NoticeEvent {
  return { name: 'live_set_changed', severity: 'info', labels: { network: 'mynet' }, summary };
}

/** `[seconds, what]`, in order. What is down after it; a text: something that happened once. */
type Step = readonly [number, readonly string[] | string];

function play(gather: Gather, steps: readonly Step[]): void {
  for (const [second, what] of steps) {
    if (typeof what === 'string') gather.note(changed(what), second, second * 1000);
    else gather.observe({ scope: SCOPE, standing: what.map((edge) => down(edge)) }, second, second * 1000);
  }
}

function shown(message: Message | null): readonly string[] | null {
  return message === null
    ? null
    : message.entries.map(({ event, status, count, startsAt, endsAt }) => {
        const end = endsAt === null ? '' : `-${endsAt}`;
        return `${event.labels.edge ?? event.name} ${status} ${startsAt}${end} ×${count}`;
      });
}

function takeAt(gather: Gather, second: number): readonly string[] | null {
  return shown(gather.take(second, second * 1000));
}

describe('one message a window', () => {
  test.each<{ name: string; steps: readonly Step[]; message: readonly string[] | null }>([
    { name: 'nothing', steps: [], message: null },
    { name: 'an edge', steps: [[0, ['a']]], message: ['a firing 0 ×1'] },
    {
      name: 'the same again',
      steps: [
        [0, ['a']],
        [1, ['a']],
      ],
      message: ['a firing 0 ×1'],
    },
    {
      name: 'another beside it',
      steps: [
        [0, ['a']],
        [1, ['a', 'b']],
      ],
      message: ['a firing 0 ×1', 'b firing 1 ×1'],
    },
    {
      name: 'a flap of two seconds',
      steps: [
        [0, ['a']],
        [2, []],
      ],
      message: ['a resolved 0-2 ×1'],
    },
    {
      name: 'a flap, and down',
      steps: [
        [0, ['a']],
        [1, []],
        [2, ['a']],
      ],
      message: ['a firing 2 ×2'],
    },
    {
      name: 'twice up and down',
      steps: [
        [0, ['a']],
        [1, []],
        [2, ['a']],
        [3, []],
      ],
      message: ['a resolved 2-3 ×2'],
    },
    {
      name: 'what happened twice',
      steps: [
        [0, 'one'],
        [4, 'two'],
      ],
      message: ['live_set_changed once 4 ×2'],
    },
  ])('$name', ({ steps, message }) => {
    const gather = new Gather(RULES, 0, 0);
    play(gather, steps);
    expect(takeAt(gather, 4.9)).toBeNull();
    expect(takeAt(gather, 5)).toEqual(message);
  });

  test('what is open is not sent again, and closed once', () => {
    const gather = new Gather(RULES, 0, 0);
    play(gather, [[0, ['a']]]);
    expect(takeAt(gather, 5)).toEqual(['a firing 0 ×1']);
    gather.sent();
    play(gather, [
      [6, ['a']],
      [7, ['a']],
    ]);
    expect(gather.dueMs(7000)).toBeNull();
    play(gather, [
      [8, []],
      [9, []],
    ]);
    expect(takeAt(gather, 20)).toEqual(['a resolved 0-8 ×0']);
    gather.sent();
    expect(gather.saved()).toMatchObject({ open: [], pending: [], sending: [] });
  });

  test('one that gets worse is told, and closed once', () => {
    const gather = new Gather(RULES, 0, 0);
    const see = (second: number, ...standing: readonly NoticeEvent[]) =>
      gather.observe({ scope: SCOPE, standing }, second, second * 1000);
    see(0, down('a'));
    gather.take(5, 5000);
    gather.sent();
    expect(see(6, down('a', 'critical'))).toBe(true);
    const message = gather.take(11, 11_000);
    expect(message?.entries.map(({ event, status, startsAt }) => [event.severity, status, startsAt])).toEqual([
      ['critical', 'firing', 0],
    ]);
    expect(see(12, down('a', 'critical'))).toBe(false); // under way
    gather.sent();
    expect(see(13, down('a', 'critical'))).toBe(false);
    expect(see(14, down('a', 'info'))).toBe(false); // better, but not over
    see(15);
    expect(takeAt(gather, 20)).toEqual(['a resolved 0-15 ×0']);
  });

  test('one that gets worse before it was sent is sent as it is now, counted once', () => {
    const gather = new Gather(RULES, 0, 0);
    gather.observe({ scope: SCOPE, standing: [down('a', 'info')] }, 0, 0);
    gather.observe({ scope: SCOPE, standing: [down('a', 'warning')] }, 1, 1000);
    gather.observe({ scope: SCOPE, standing: [down('a', 'critical')] }, 2, 2000);
    const message = gather.take(5, 5000);
    expect(message?.entries[0].event.severity).toBe('critical');
    expect(shown(message)).toEqual(['a firing 0 ×1']);
  });

  test('one that gets worse while its message fails is sent once, as it is now', () => {
    const gather = new Gather(RULES, 0, 0);
    play(gather, [[0, ['a']]]);
    gather.take(5, 5000);
    gather.observe({ scope: SCOPE, standing: [down('a', 'critical')] }, 6, 6000);
    gather.failed({ isRefused: false, retryAfterMs: null }, 7000);
    const message = gather.take(20, 20_000);
    expect(message?.entries[0].event.severity).toBe('critical');
    expect(shown(message)).toEqual(['a firing 0 ×1']);
  });

  test('a condition of another scope is left alone', () => {
    const gather = new Gather(RULES, 0, 0);
    play(gather, [[0, ['a']]]);
    expect(gather.observe({ scope: decisionScope('other'), standing: [] }, 1, 1000)).toBe(false);
    expect(gather.observe({ scope: 'zone_broken', standing: [] }, 1, 1000)).toBe(false);
    expect(takeAt(gather, 5)).toEqual(['a firing 0 ×1']);
  });

  test('what is not wanted is not sent, and what was sent is closed when it is no longer wanted', () => {
    const gather = new Gather(RULES, 0, 0);
    play(gather, [[0, ['a']]]);
    gather.take(5, 5000);
    gather.sent();
    gather.configure({ ...RULES, wants: () => false });
    play(gather, [
      [6, ['a', 'b']],
      [7, 'a change'],
    ]);
    expect(gather.waiting).toBe(0);
    play(gather, [[8, []]]);
    expect(takeAt(gather, 13)).toEqual(['a resolved 0-8 ×0']);
  });
});

describe('what fails', () => {
  const REFUSED = { isRefused: true, retryAfterMs: null };
  const FAILED = { isRefused: false, retryAfterMs: null };

  test('is merged with what came meanwhile, and tried again with growing pauses up to a minute', () => {
    const gather = new Gather({ ...RULES, perMinute: 1000 }, 0, 0);
    play(gather, [[0, ['a', 'b']]]);
    expect(takeAt(gather, 5)).toEqual(['a firing 0 ×1', 'b firing 0 ×1']);
    play(gather, [[6, ['b', 'c']]]);
    expect(takeAt(gather, 60)).toBeNull(); // one at a time
    let now = 60_000;
    const pauses: number[] = [];
    for (let i = 0; i < 9; i++) {
      expect(gather.failed(FAILED, now)).toBe(true);
      const due = gather.dueMs(now) ?? 0;
      pauses.push((due - now) / 1000);
      now = due;
      expect(shown(gather.take(6, now))).toEqual(['a resolved 0-6 ×1', 'b firing 0 ×1', 'c firing 6 ×1']);
    }
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
  });

  test('waits for as long as the target asks, an hour at most', () => {
    const gather = new Gather(RULES, 0, 0);
    play(gather, [[0, ['a']]]);
    gather.take(5, 5000);
    gather.failed({ isRefused: false, retryAfterMs: 90_000 }, 5000);
    expect(gather.dueMs(5000)).toBe(95_000);
    gather.take(95, 95_000);
    gather.failed({ isRefused: false, retryAfterMs: 1e12 }, 95_000);
    expect(gather.dueMs(95_000)).toBe(95_000 + 3_600_000);
  });

  test('is tried at once, and as if for the first time, with other settings', () => {
    const gather = new Gather(RULES, 0, 0);
    play(gather, [[0, ['a']]]);
    for (const second of [5, 100]) {
      gather.take(second, second * 1000);
      gather.failed({ ...REFUSED, retryAfterMs: 90_000 }, second * 1000);
    }
    expect(gather.dueMs(101_000)).toBe(190_000);
    gather.configure(RULES);
    expect(gather.dueMs(101_000)).toBe(101_000);
    expect(takeAt(gather, 101)).toEqual(['a firing 0 ×1']);
    expect(gather.failed(REFUSED, 101_000)).toBe(true);
    expect(gather.dueMs(101_000)).toBe(102_000);
  });

  test('is given up when it was refused three times, as if it had been sent', () => {
    const gather = new Gather(RULES, 0, 0);
    play(gather, [[0, ['a']]]);
    const tries = [5, 100, 200].map((second) => {
      gather.take(second, second * 1000);
      return gather.failed(REFUSED, second * 1000);
    });
    expect(tries).toEqual([true, true, false]);
    expect(gather.dueMs(1e6)).toBeNull();
    play(gather, [
      [300, ['a']],
      [301, []],
    ]);
    expect(takeAt(gather, 400)).toEqual(['a resolved 0-301 ×0']);
  });
});

test('messages keep to the rate, and at the end what waits goes at once', () => {
  const gather = new Gather({ ...RULES, gather: 0, perMinute: 2 }, 0, 0);
  const times: number[] = [];
  for (let second = 0; second < 120; second++) {
    play(gather, [[second, `change ${second}`]]);
    if (gather.take(second, second * 1000) === null) continue;
    times.push(second);
    gather.sent();
  }
  expect(times).toEqual([0, 1, 30, 60, 90]);
  expect(shown(gather.take(120, 120_000, true))).toEqual(['live_set_changed once 119 ×29']);
});

describe('after a restart', () => {
  const restarted = (saved: Saved, second: number) =>
    new Gather(RULES, second * 1000, second, JSON.parse(JSON.stringify(saved)));

  test('what was sent is not sent again; what ended meanwhile is closed', () => {
    const gather = new Gather(RULES, 0, 0);
    play(gather, [[0, ['a', 'b']]]);
    gather.take(5, 5000);
    gather.sent();
    const again = restarted(gather.saved(), 60);
    play(again, [[61, ['b', 'c']]]);
    expect(takeAt(again, 66)).toEqual(['a resolved 0-61 ×0', 'c firing 61 ×1']);
  });

  test('what waited is sent', () => {
    const gather = new Gather(RULES, 0, 0);
    play(gather, [
      [0, ['a']],
      [1, 'a change'],
    ]);
    expect(takeAt(restarted(gather.saved(), 60), 65)).toEqual(['a firing 0 ×1', 'live_set_changed once 1 ×1']);
  });

  test('a message that was under way is not sent again, and said to be in doubt', () => {
    const gather = new Gather(RULES, 0, 0);
    play(gather, [[0, ['a']]]);
    gather.take(5, 5000);
    const again = restarted(gather.saved(), 60);
    play(again, [[61, ['a']]]);
    const message = again.take(66, 66_000);
    expect(shown(message)).toEqual(['delivery_in_doubt once 60 ×1']);
    expect(message?.entries[0].summary).toContain('edge_down{network="mynet",edge="a"} firing');
  });

  test('a message has another number', () => {
    const gather = new Gather(RULES, 0, 0);
    play(gather, [[0, ['a']]]);
    expect(gather.take(5, 5000)?.id).toBe('1');
    gather.sent();
    const again = restarted(gather.saved(), 60);
    play(again, [[61, []]]);
    expect(again.take(66, 66_000)?.id).toBe('2');
  });
});

describe('a burst', () => {
  const names = (count: number, prefix: string) => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

  test('two hundred edges are one message', () => {
    const gather = new Gather(RULES, 0, 0);
    for (let i = 1; i <= 200; i++) play(gather, [[i / 100, names(i, 'edge')]]);
    expect(takeAt(gather, 6)).toHaveLength(200);
    gather.sent();
    expect(gather.dueMs(6000)).toBeNull();
  });

  test('of ten thousand is bounded, counted, and the rest has its turn', () => {
    const gather = new Gather(RULES, 0, 0);
    const all = names(10_000, 'edge');
    for (let i = 0; i < 10; i++) play(gather, [[i / 10, all]]);
    const message = gather.take(6, 6000);
    expect(message?.entries).toHaveLength(KEYS_MAX);
    expect(message?.unlisted).toBe(8000);
    gather.sent();
    play(gather, [[7, all.slice(5000)]]);
    expect(gather.take(20, 20_000)?.entries.map(({ status }) => status)).toEqual(Array(KEYS_MAX).fill('resolved'));
    gather.sent();
    play(gather, [[21, all.slice(9000)]]);
    expect(gather.take(40, 40_000)).toMatchObject({ entries: { length: 1000 }, unlisted: 0 });
  });

  test('has room for what is worse', () => {
    const gather = new Gather(RULES, 0, 0);
    for (let i = 0; i < KEYS_MAX; i++) gather.note({ ...down(`once ${i}`), severity: 'info' }, 0, 0);
    expect(gather.observe({ scope: SCOPE, standing: [down('a', 'critical')] }, 1, 1000)).toBe(true);
    const message = gather.take(5, 5000);
    expect(message?.entries).toHaveLength(KEYS_MAX);
    expect(message?.entries.at(-1)?.event.labels.edge).toBe('a');
    expect(message?.unlisted).toBe(1);
  });
});

/** A target as it sees its messages, and what it must be able to rely upon. */
class Receiver {
  readonly open = new Set<string>();
  readonly seen = new Set<string>();
  readonly once = new Map<string, number>();
  /** Entries that came a second time. */
  readonly twice: string[] = [];

  take({ entries }: Message): void {
    for (const entry of entries) this.takeEntry(entry);
  }

  private takeEntry({ event, status, startsAt, endsAt, count }: Entry): void {
    const key = keyOf(event);
    const one = `${key} ${status} ${startsAt} ${endsAt}`;
    if (this.seen.has(one)) this.twice.push(one);
    this.seen.add(one);
    if (status === 'firing') this.open.add(key);
    else if (status === 'resolved') this.open.delete(key);
    else this.once.set(key, (this.once.get(key) ?? 0) + count);
  }
}

type Command =
  | { readonly kind: 'observe'; readonly edges: readonly string[] }
  | { readonly kind: 'note' | 'take' | 'sent' | 'refused' | 'failed' }
  | { readonly kind: 'crash'; readonly arrived: boolean };

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('observe' as const), edges: fc.subarray(['a', 'b', 'c', 'd']) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom('note', 'take', 'take', 'sent', 'sent', 'failed', 'refused'),
    }) as fc.Arbitrary<Command>,
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const), arrived: fc.boolean() }) },
);

test('nothing is lost and nothing comes twice, whatever happens in whatever order', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
      const receiver = new Receiver();
      let gather = new Gather(RULES, 0, 0, NOTHING_SAVED);
      let standing: readonly string[] = [];
      let underWay: Message | null = null;
      let noted = 0;
      let doubts = 0;
      let now = 0;
      const observe = () =>
        gather.observe({ scope: SCOPE, standing: standing.map((edge) => down(edge)) }, now, now * 1000);
      const arrive = () => {
        if (underWay !== null) receiver.take(underWay);
        underWay = null;
      };
      for (const one of commands) {
        now += 10;
        if (one.kind === 'observe') {
          standing = one.edges;
          observe();
        } else if (one.kind === 'note') {
          noted += 1;
          gather.note(changed(), now, now * 1000);
        } else if (one.kind === 'take') underWay ??= gather.take(now, now * 1000);
        else if (one.kind === 'crash') {
          if (underWay !== null && !one.arrived) {
            // The message says that it is in doubt; what it held is known by name.
            doubts += 1;
            receiver.take(underWay);
            underWay = null;
          }
          if (underWay !== null) doubts += 1;
          arrive();
          gather = new Gather(RULES, now * 1000, now, JSON.parse(JSON.stringify(gather.saved())));
          observe();
        } else if (underWay !== null) {
          if (one.kind === 'sent') {
            arrive();
            gather.sent();
          } else {
            const isAgain = gather.failed({ isRefused: one.kind === 'refused', retryAfterMs: null }, now * 1000);
            if (!isAgain) arrive(); // given up: as if it had arrived
            underWay = null;
          }
        }
        const { open, pending, sending } = gather.saved();
        expect(open.length + pending.length + sending.length).toBeLessThanOrEqual(3 * 6);
      }
      if (underWay !== null) {
        arrive();
        gather.sent();
      }
      for (let i = 0; i < 3; i++) {
        now += 100;
        const message = gather.take(now, now * 1000);
        if (message === null) break;
        receiver.take(message);
        gather.sent();
      }
      expect(receiver.twice).toEqual([]);
      expect([...receiver.open].sort()).toEqual(standing.map((edge) => keyOf(down(edge))).sort());
      expect(receiver.once.get(keyOf(changed())) ?? 0).toBe(noted);
      expect(receiver.once.get('delivery_in_doubt{}') ?? 0).toBe(doubts);
      expect(gather.waiting).toBe(0);
    }),
    { numRuns: 500 },
  );
});
