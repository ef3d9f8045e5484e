import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/edgewise.ts';
import { freePort } from '../support/ports.ts';
import { pageTransfer } from './follow.ts';
import { Primary } from './primary.ts';
import { Secondary } from './secondary.ts';

const ZONE = { name: 'example.com', keyed: true };
const WRONG_SECRET = 'AAAAg2ZzPuxOEcpbMOjTUHn4l1hgYc5rVFAfYgRzxbQ=';
const SECRET = (pageTransfer(0)['keys'] as readonly Record<string, string>[])[0]['secret'];

/** What a secondary has that knows another secret, another key, or whose access list lacks us. */
const CASES = [
  [
    'bind',
    'another key',
    (text: string) => text.replaceAll('edgewise-transfer', 'stranger'),
    /NOTAUTH \(BADKEY.*, unsigned/,
  ],
  ['bind', 'another secret', (text: string) => text.replaceAll(SECRET, WRONG_SECRET), /NOTAUTH \(BADSIG.*, unsigned/],
  [
    'knot',
    'another key',
    (text: string) => text.replaceAll('edgewise-transfer', 'stranger'),
    /NOTAUTH \(BADKEY.*, unsigned/,
  ],
  ['knot', 'another secret', (text: string) => text.replaceAll(SECRET, WRONG_SECRET), /NOTAUTH \(BADSIG.*, unsigned/],
  ['nsd', 'another key', (text: string) => text.replaceAll('edgewise-transfer', 'stranger'), /NOTAUTH|REFUSED/],
  ['nsd', 'another secret', (text: string) => text.replaceAll(SECRET, WRONG_SECRET), /NOTAUTH|REFUSED/],
] as const;

let primary: Primary;
let ports: readonly number[];
const started: Secondary[] = [];

beforeAll(async () => {
  ports = await Promise.all(CASES.map(() => freePort()));
  primary = await Primary.start(97, {
    zones: { 'example.com': 'a A 192.0.2.1\n' },
    transfer: {
      ...pageTransfer(0),
      notify: ports.map((port) => ({ to: `127.0.0.1:${port}`, key: 'edgewise-transfer' })),
      watch: 1,
    },
  });
  for (const [i, [kind, , edit]] of CASES.entries()) {
    const secondary = new Secondary(kind, ports[i], primary.dnsPort, [ZONE], edit);
    started.push(secondary);
    await secondary.start();
  }
  await primary.flip(0);
}, 60_000);

afterAll(async () => {
  for (const secondary of started) await secondary.remove();
  await primary?.stop();
});

test.each(CASES.map(([kind, what, , text], i) => [kind, what, i, text] as const))(
  'a NOTIFY that %s refuses, which has %s, is said with its response code',
  async (_, __, i, text) => {
    const line = new RegExp(`NOTIFY of example\\.com\\. to 127\\.0\\.0\\.1:${ports[i]} was refused with .*`);
    const output = await eventually(
      async () => primary.server.output,
      (seen) => line.test(seen),
    );
    expect(line.exec(output)?.[0]).toMatch(text);
  },
);

test('each is a reason of /healthz', async () => {
  const { status, text } = await primary.server.get('/healthz');
  expect(status).toBe(503);
  for (const port of ports) expect(text).toContain(`NOTIFY of example.com. to 127.0.0.1:${port} was refused with`);
});

test('each is counted, and none is tried again, though each is seen not to follow', async () => {
  const refused = async (): Promise<string | undefined> => {
    const { text } = await primary.server.get('/metrics');
    const settled = /edgewise_notify_pending 0\n/.test(text);
    return settled ? /notify_total{result="refused"} (\d+)/.exec(text)?.[1] : undefined;
  };
  await eventually(refused, (seen) => Number(seen) >= CASES.length);
  /** Refusals before and after each secondary was seen three times to be behind. */
  const window = async (): Promise<readonly (string | undefined)[]> => {
    const before = await refused();
    const since = await looks();
    await eventually(looks, (times) => times.every((at, i) => at > (since[i] ?? 0) + 3));
    return [before, await refused()];
  };
  // The flip is a version of its own, and may come late; if each look led to another try, no window would be quiet.
  await eventually(window, ([before, after]) => before !== undefined && before === after);
});

/** When each secondary was last asked for its serial, epoch seconds. */
async function looks(): Promise<readonly number[]> {
  const { text } = await primary.server.get('/api/v1/secondaries');
  const { secondaries } = JSON.parse(text) as {
    readonly secondaries: readonly { readonly checked_at: number | null }[];
  };
  return secondaries.map(({ checked_at: at }) => at ?? 0);
}
