import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Router } from '../../../../src/server/control/http/router.ts';
import { edgeAddress, edgePage } from '../../../../src/server/control/page/edge-page.ts';
import type { NetworkView, StatusView } from '../../../../src/server/control/views/views.ts';
import { network, statusView } from '../api/api-fixture.ts';

const edge = network.edges.find((name) => network.members.has(name)) ?? '';

async function get(path: string, view: StatusView = statusView()) {
  const page = edgePage({ view, host: () => 'here', version: () => 'v', address: (file) => `/static/x/${file}` });
  const found = new Router([page]).find('GET', path);
  if (found.kind !== 'found') throw new Error(`no ${path}`);
  const reply = await found.operation.handle({ view } as never, { params: found.segments } as never);
  if ('stream' in reply) throw new Error('it never ends');
  return { status: reply.status, body: String(reply.body), headers: reply.headers ?? {} };
}

const words = (text: string): string =>
  text
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();

test('an edge shows its state, what it takes to change, its samples by phase and its past', async () => {
  const { status, body, headers } = await get(edgeAddress('net-a', edge));
  expect(status).toBe(200);
  expect(headers).not.toHaveProperty('etag'); // the samples change without the mode
  const text = words(body);
  expect(text).toContain(edge);
  for (const part of ['Fetch times', 'Samples', 'Its past', 'Up and down', 'Modes']) expect(text).toContain(part);
});

test('every listed edge of the network has a page', async () => {
  for (const name of network.edges) expect((await get(edgeAddress('net-a', name))).status).toBe(200);
});

test('an edge without an address in the answer shows the one that is fetched', async () => {
  const member = network.members.get(edge);
  const address = member?.sample?.primary?.address;
  if (member === undefined || typeof address !== 'string') throw new Error('the fixture has no such sample');
  const out = { ...network, members: new Map([...network.members, [edge, { ...member, v4: null, v6: null }]]) };
  const { body } = await get(edgeAddress('net-a', edge), statusView({ networks: () => [out] }));
  expect(words(body)).toContain(`Addresses ${address}`);
});

test.each([
  ['/networks/none/edges/a', 404],
  ['/networks/net-a/edges/none', 404],
  ['/networks/net-a/edges/__proto__', 404],
])('%s answers %i', async (path, status) => {
  expect((await get(path)).status).toBe(status);
});

test('what others wrote is escaped, in every place', async () => {
  const hostile = fc.stringMatching(/^[<>"'&a-z/=]{1,20}$/).map((text) => `<i x="${text}">`);
  await fc.assert(
    fc.asyncProperty(hostile, async (comment) => {
      const member = network.members.get(edge);
      if (member === undefined) throw new Error('the fixture has no such member');
      const with_: NetworkView = {
        ...network,
        members: new Map([...network.members, [edge, { ...member, mode: 'force', comment }]]),
      };
      const { body } = await get(edgeAddress('net-a', edge), statusView({ networks: () => [with_] }));
      expect(body).not.toContain(comment);
      expect(body).not.toContain('<i x=');
    }),
    { numRuns: 50 },
  );
});
