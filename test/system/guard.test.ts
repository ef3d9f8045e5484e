import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { Guard } from '../../src/system/guard.ts';

function made(): { guard: Guard; lines: string[] } {
  const lines: string[] = [];
  const guard = new Guard({ report: (part, text) => lines.push(`${part}: ${text.split('\n')[0]}`), now: () => 1000 });
  return { guard, lines };
}

test('callbacks that throw, promises that reject: reported, counted, over', async () => {
  const { guard, lines } = made();
  const emitter = new EventEmitter();
  emitter.on(
    'packet',
    guard.protect('socket', (n: number) => {
      if (n === 1) throw new Error('bad packet');
    }),
  );
  emitter.emit('packet', 1);
  emitter.emit('packet', 2);
  emitter.emit('packet', 1);
  guard.run('journal', Promise.reject(new Error('no disk')));
  guard.run('journal', async () => {
    await null;
    throw 'not even an error';
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(guard.faults()).toEqual([
    { part: 'socket', count: 2, message: 'bad packet', at: 1000 },
    { part: 'journal', count: 2, message: 'not even an error', at: 1000 },
  ]);
  expect(lines).toEqual([
    'socket: a bug in socket was contained (number 1): Error: bad packet',
    'socket: a bug in socket was contained (number 2): Error: bad packet',
    'journal: a bug in journal was contained (number 1): Error: no disk',
    'journal: a bug in journal was contained (number 2): not even an error',
  ]);
});

test('a part that throws for ever does not fill the log', () => {
  const { guard, lines } = made();
  const tick = guard.protect('timer', () => {
    throw new Error('again');
  });
  for (let i = 0; i < 1000; i++) tick();
  expect(lines.length).toBe(20 + 10);
  expect(guard.faults()[0].count).toBe(1000);
});

test('a log that fails itself is no way out either', () => {
  const guard = new Guard({
    report: () => {
      throw new Error('disk full');
    },
    now: () => 0,
  });
  guard.run('log', () => {
    throw new Error('EACCES');
  });
  expect(guard.faults()).toMatchObject([{ part: 'log', count: 1 }]);
});
