import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { SupervisedThread, type ThreadOptions } from '../../src/system/supervised-thread.ts';

type Options = ThreadOptions<string, string>;

/** A thread that echoes what it gets, ends at `stop`, and dies, with or without an error, when it is told to. */
const ECHO = `
  import { parentPort, workerData } from 'node:worker_threads';
  parentPort.on('message', (message) => {
    if (message === 'stop') process.exit(0);
    else if (message === 'throw') throw new Error('by order');
    else if (message === 'exit') process.exit(3);
    else if (message === 'hang') for (;;);
    else parentPort.postMessage(message);
  });
  parentPort.postMessage('ready ' + (workerData ?? ''));
`;
const DIES = `throw new Error('still-born');`;

const threads: SupervisedThread<string, string>[] = [];
afterEach(async () => {
  await Promise.all(threads.splice(0).map((thread) => thread.stop()));
});

/** Reports as they come, and a way to wait for the next. */
class Inbox {
  readonly all: string[] = [];
  private readonly waiting: ((report: string) => void)[] = [];

  put = (report: string): void => {
    this.all.push(report);
    this.waiting.shift()?.(report);
  };

  next(): Promise<string> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }
}

type Supervised = { thread: SupervisedThread<string, string>; reports: Inbox; deaths: Inbox };

function supervised(source: string, more: Partial<Options> = {}): Supervised {
  const reports = new Inbox();
  const deaths = new Inbox();
  const thread = new SupervisedThread<string, string>({
    name: 'echo',
    entry: new URL(`data:text/javascript,${encodeURIComponent(source)}`),
    isReady: (report) => report.startsWith('ready'),
    onReport: reports.put,
    onDeath: (error, restarts) => deaths.put(`${error.message.split('\n', 1)[0]}${restarts ? ', starts again' : ''}`),
    restart: 'always',
    stopMessage: 'stop',
    ...more,
  });
  threads.push(thread);
  return { thread, reports, deaths };
}

test('`ready` starts one thread, however often it is asked', async () => {
  const { thread, reports } = supervised(ECHO);
  await Promise.all([thread.ready(), thread.ready()]);
  await thread.ready();
  expect(reports.all).toEqual(['ready ']);
});

test('nothing runs before it is asked for', () => {
  const { thread } = supervised(ECHO);
  expect(thread.post('hello')).toBe(false);
  expect(thread.current).toBeNull();
});

describe('`alive`', () => {
  test('from the report that it is ready until the death, and again with the next thread', async () => {
    const { thread, deaths } = supervised(ECHO);
    expect(thread.alive).toBe(false);
    const starting = thread.ready();
    expect(thread.alive).toBe(false);
    await starting;
    expect(thread.alive).toBe(true);
    const died = deaths.next();
    thread.post('throw');
    await died;
    expect(thread.alive).toBe(false);
    await thread.ready();
    expect(thread.alive).toBe(true);
    await thread.stop();
    expect(thread.alive).toBe(false);
  });

  test('never of one that dies before it is ready, however often it is started', async () => {
    const { thread } = supervised(DIES);
    await expect(thread.ready()).rejects.toThrow('still-born');
    expect(thread.alive).toBe(false);
  });

  test.each([
    ['asked to make way, since it works until then', 'ask', true],
    ['terminated, since it did not', 'terminate', false],
  ] as const)('of one that is %s', async (_, how, expected) => {
    const { thread } = supervised(ECHO);
    await thread.ready();
    thread.replace(how);
    expect(thread.alive).toBe(expected);
    await thread.ready();
    expect(thread.alive).toBe(true);
  });
});

describe('a thread that dies', () => {
  test.each([
    { how: 'throw', cause: 'Error: by order' },
    { how: 'exit', cause: 'exit code 3' },
  ])('by $how is started again with the data of now, and what it needs first', async ({ how, cause }) => {
    let starts = 0;
    const { thread, reports, deaths } = supervised(ECHO, {
      workerOptions: () => ({ workerData: String(++starts) }),
      onStart: (post) => post('first'),
    });
    await thread.ready();
    const died = deaths.next();
    thread.post(how);
    expect(await died).toBe(`the echo thread died: ${cause}, starts again`);
    await thread.ready();
    const echo = reports.next();
    thread.post('hello');
    expect([await echo, await reports.next()].at(-1)).toBe('hello');
    expect(reports.all).toEqual(['ready 1', 'first', 'ready 2', 'first', 'hello']);
  });

  test('before it was ever ready is the caller’s to decide about', async () => {
    const { thread, deaths } = supervised(DIES, { restart: 'once-ready' });
    await expect(thread.ready()).rejects.toThrow('the echo thread died: Error: still-born');
    expect(deaths.all).toEqual(['the echo thread died: Error: still-born']);
    expect(thread.current).toBeNull();
    await expect(thread.ready()).rejects.toThrow('still-born'); // tried anew
    expect(deaths.all).toHaveLength(2);
  });

  test('again and again: the next start waits, and `stop` does not wait for it', async () => {
    const { thread, deaths } = supervised(DIES);
    await expect(thread.ready()).rejects.toThrow('still-born');
    const next = thread.ready();
    await thread.stop();
    await expect(next).rejects.toThrow('the echo thread was stopped');
    expect(deaths.all).toHaveLength(1);
  });

  test('with `never`: the next `ready` starts another', async () => {
    const { thread, deaths } = supervised(ECHO, { restart: 'never' });
    await thread.ready();
    const died = deaths.next();
    thread.post('exit');
    expect(await died).toBe('the echo thread died: exit code 3');
    expect(thread.post('hello')).toBe(false);
    await thread.ready();
    expect(thread.post('hello')).toBe(true);
  });
});

describe('stopping', () => {
  test('a thread that no longer listens is terminated at the deadline', async () => {
    const { thread, deaths } = supervised(ECHO);
    await thread.ready();
    const { current } = thread;
    if (current === null) throw new Error('no thread');
    const exit = once(current, 'exit');
    thread.post('hang');
    await thread.stop();
    expect(await exit).toEqual([1]);
    expect(deaths.all).toEqual([]);
    await thread.stop();
  });

  test('nothing starts afterwards', async () => {
    const { thread } = supervised(ECHO);
    await thread.ready();
    await thread.stop();
    await expect(thread.ready()).rejects.toThrow('the echo thread is stopped');
    thread.replace('ask');
    expect(thread.current).toBeNull();
  });

  test('`release` gives the thread back until the next `ready`', async () => {
    const { thread, reports } = supervised(ECHO);
    await thread.ready();
    await thread.release();
    expect(thread.current).toBeNull();
    await thread.ready();
    expect(reports.all).toEqual(['ready ', 'ready ']);
  });
});

test.each(['ask', 'terminate'] as const)('a replaced thread (%s) is no longer heard', async (how) => {
  const { thread, reports, deaths } = supervised(ECHO);
  await thread.ready();
  const { current } = thread;
  if (current === null) throw new Error('no thread');
  const exit = once(current, 'exit');
  thread.post('late'); // its echo may or may not come before the thread is replaced
  thread.replace(how);
  await thread.ready();
  await exit;
  expect(thread.current).not.toBe(current);
  expect(reports.all.filter((report) => report === 'ready ')).toHaveLength(2);
  expect(reports.all).not.toContain('late');
  expect(deaths.all).toEqual([]);
});

test('a callback that throws is reported and ends nothing', async () => {
  const errors: unknown[] = [];
  const reports: string[] = [];
  const { thread } = supervised(ECHO, {
    onReport: (report) => {
      reports.push(report);
      throw new Error(`over ${report}`);
    },
    onStart: () => {
      throw new Error('at the start');
    },
    onDeath: () => {
      throw new Error('at the end');
    },
    onCallbackError: (error) => errors.push(error),
  });
  await thread.ready();
  const { current } = thread;
  if (current === null) throw new Error('no thread');
  const exit = once(current, 'exit');
  thread.post('exit');
  await exit;
  await thread.ready();
  expect(reports).toEqual(['ready ', 'ready ']);
  expect(errors.map(String)).toEqual([
    'Error: at the start',
    'Error: over ready ',
    'Error: at the end',
    'Error: at the start',
    'Error: over ready ',
  ]);
});
