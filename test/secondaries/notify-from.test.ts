import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/edgewise.ts';
import { freePort } from '../support/ports.ts';
import { pageTransfer } from './follow.ts';
import { Primary } from './primary.ts';
import { Secondary, type SecondaryKind } from './secondary.ts';

const FROM = '127.0.0.2';
const ZONE = { name: 'example.com', keyed: true };
/** Each takes NOTIFY from the second address that Edgewise listens on only. */
const KINDS = ['nsd', 'knot'] as const satisfies readonly SecondaryKind[];
const onlyFrom = (text: string): string =>
  text
    .replace('allow-notify: 127.0.0.1', `allow-notify: ${FROM}`)
    .replace(/(id: edgewise-notify\n\s+address:) 127\.0\.0\.1/, `$1 ${FROM}`);

let primary: Primary;
/** Where `from` names the address, and the same kinds where nothing does. */
const named: Secondary[] = [];
const unnamed: Secondary[] = [];

beforeAll(async () => {
  const ports = await Promise.all([...KINDS, ...KINDS].map(() => freePort()));
  const listen = await freePort();
  primary = await Primary.start(92, {
    zones: { 'example.com': 'a A 192.0.2.1\n' },
    transfer: {
      ...pageTransfer(0),
      notify: ports.map((port, i) => ({
        to: `127.0.0.1:${port}`,
        key: 'edgewise-transfer',
        ...(i < KINDS.length ? { from: FROM } : {}),
      })),
      watch: 0,
    },
    keys: { server: { listen: [`127.0.0.1:${listen}`, `${FROM}:${listen}`] } },
  });
  for (const [i, port] of ports.entries()) {
    const secondary = new Secondary(KINDS[i % KINDS.length], port, listen, [ZONE], onlyFrom);
    (i < KINDS.length ? named : unnamed).push(secondary);
    await secondary.start();
  }
}, 60_000);

afterAll(async () => {
  for (const secondary of [...named, ...unnamed]) await secondary.remove();
  await primary?.stop();
});

test('a secondary that knows the second address follows a flip where `from` names it', async () => {
  const live = [...(await primary.flip(0))].sort().join();
  for (const secondary of named) {
    await eventually(
      () => secondary.dig('example.com', 'A'),
      (seen) => seen.join() === live,
    );
  }
});

test('where nothing names it, the refusal is said', async () => {
  for (const { port } of unnamed) {
    const line = new RegExp(`NOTIFY of example\\.com\\. to 127\\.0\\.0\\.1:${port} was refused with (NOTAUTH|REFUSED)`);
    await eventually(
      async () => primary.server.output,
      (seen) => line.test(seen),
    );
  }
  expect((await primary.server.get('/metrics')).text).toMatch(/edgewise_notify_total{result="acknowledged"} [1-9]/);
});
