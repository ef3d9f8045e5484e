import { expect, test } from 'vitest';
import type { Reply } from '../../../../src/server/control/http/operation.ts';
import { Renderer } from '../../../../src/server/control/http/renderer.ts';
import { throwingGuard } from '../../../support/guard.ts';

const reply = (body: string): Reply => ({ status: 200, type: 'text/plain', body });

test('those who wait for the same thing share one rendering, made after the last of them came', async () => {
  const renderer = new Renderer<Reply>(throwingGuard());
  let renderings = 0;
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const slow = renderer.reply('slow', async () => {
    await gate;
    return reply('slow');
  });
  const render = () => reply(String(++renderings));
  const shared = Promise.all(Array.from({ length: 1000 }, () => renderer.reply('page', render)));
  const other = renderer.reply('other', () => reply('other'));
  expect(renderings).toBe(0);
  open();
  expect((await slow).body).toBe('slow');
  expect(new Set((await shared).map(({ body }) => body))).toEqual(new Set(['1']));
  expect((await other).body).toBe('other');
  expect(renderings).toBe(1);
  expect((await renderer.reply('page', render)).body).toBe('2');
});

test('what throws is thrown at those who asked, and the lane goes on', async () => {
  const renderer = new Renderer<Reply>(throwingGuard());
  const failing = [1, 2].map(() =>
    renderer.reply('bad', () => {
      throw new Error('upside down');
    }),
  );
  const good = renderer.reply('good', () => reply('good'));
  expect(await Promise.allSettled(failing)).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }]);
  expect((await good).body).toBe('good');
});
