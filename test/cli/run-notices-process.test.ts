import { afterEach, beforeEach, expect, test } from 'vitest';
import type { NoticeBody } from '../../src/publish/notices/targets/webhook.ts';
import { Installation, OBJECT } from '../support/installation.ts';
import { MockEdge } from '../support/mock-edge.ts';
import { NoticeServer } from '../support/notice-server.ts';

let hook: NoticeServer;
let hanging: NoticeServer;
let edge: MockEdge;
let site: Installation;

beforeEach(async () => {
  hook = await NoticeServer.start();
  hanging = await NoticeServer.start();
  hanging.usual = 'hang';
  edge = await MockEdge.start({ address: '127.0.46.1', port: 0, body: OBJECT });
  site = await Installation.make({
    edges: [edge.address],
    port: edge.port,
    keys: {
      notices: [
        { to: 'webhook', url: hook.url },
        { to: 'slack', url: hanging.url },
      ],
    },
  });
});

afterEach(async () => {
  await edge.close();
  await hook.stop();
  await hanging.stop();
  await site.remove();
});

test('runs send what their rounds decide, once, and a target that hangs keeps none of them', async () => {
  await edge.behave({ kind: 'status', status: 500 });
  expect((await site.run('edge_manage', ['--force'])).status).toBe(0);
  expect((await site.run('edge_manage', ['--force'])).status).toBe(0);
  expect((await site.run('edge_manage', ['--force', '-n'])).status).toBe(0);
  await edge.behave({ kind: 'ok' });
  expect((await site.run('edge_manage', ['--force'])).status).toBe(0);
  const told = hook
    .bodies<NoticeBody>()
    .flatMap(({ events }) => events.map(({ event, status, labels }) => `${event} ${status} ${labels['edge'] ?? ''}`));
  expect(told.filter((text) => text.startsWith('edge_down'))).toEqual([
    'edge_down firing 127.0.46.1',
    'edge_down resolved 127.0.46.1',
  ]);
  expect(hanging.received.length).toBeGreaterThan(0);
});
