import { afterAll, beforeAll, expect, test } from 'vitest';
import { edgewise, eventually } from '../support/edgewise.ts';
import { freePort } from '../support/ports.ts';
import { pageTransfer } from './follow.ts';
import { Primary } from './primary.ts';
import { Secondary } from './secondary.ts';
import { firstRow, nagiosCheck } from './watched.ts';

let primary: Primary;
let secondary: Secondary;
let port: number;

beforeAll(async () => {
  port = await freePort();
  primary = await Primary.start(98, {
    zones: { 'example.com': 'a A 192.0.2.1\n' },
    transfer: { ...pageTransfer(port), watch: 1 },
  });
  secondary = new Secondary('knot', port, primary.dnsPort, [{ name: 'example.com', keyed: true }]);
  await secondary.start();
});

afterAll(async () => {
  await secondary?.remove();
  await primary?.stop();
});

const row = () => firstRow(primary);
const nagios = (...args: readonly string[]) => nagiosCheck(primary, ...args);
const status = async (): Promise<string> => {
  const { status: code, stdout } = await edgewise(['status', '-c', primary.site.path('edgemanage.yaml')]);
  return `${code} ${stdout}`;
};

test('a secondary that has our serial is well everywhere', async () => {
  const seen = await eventually(row, (found) => found?.lag_seconds === 0);
  expect(seen).toMatchObject({ secondary: `127.0.0.1:${port}`, zone: 'example.com', error: null });
  expect(seen?.serial).toBe(seen?.our_serial);
  // On a busy machine the first live set may be followed by another one, which it lacks for a moment.
  await expect
    .poll(async () => (await primary.server.get('/metrics')).text)
    .toContain(`edgewise_secondary_lag_seconds{secondary="127.0.0.1:${port}",zone="example.com"} 0`);
  await expect.poll(nagios).toMatch(/^0 EDGE_SECONDARIES OK 1 watched, longest lag 0\.0 seconds \| lag=0\.0s;10;60;0/);
  await expect.poll(status).toMatch(/^0 .*network mynet: 2 of 2 live.*1 zones, has every serial/s);
});

test('one that is down is seen at once, and its lag grows from the change it missed', async () => {
  await secondary.stop();
  await primary.flip(0);
  await eventually(row, (found) => found !== undefined && found.error !== null && (found.lag_seconds ?? 0) > 0.5);
  await expect
    .poll(nagios)
    .toMatch(/^2 EDGE_SECONDARIES CRIT 1 watched, .*1 without an answer, such as example\.com at/);
  await expect.poll(status).toMatch(/^1 .*lacks 1, for .*example\.com: has \d+, behind \d+ for/s);
});

test('back again, it catches up and is well', async () => {
  await secondary.start();
  await eventually(row, (found) => found?.lag_seconds === 0 && found.error === null);
  await expect.poll(() => nagios('-S', `127.0.0.1:${port}`)).toMatch(/^0 /);
});

test.each([
  ['-S 192.0.2.9:53', /^3 EDGE_SECONDARIES UNKNOWN no such secondary/],
  ['-A other', /^3 EDGE_SECONDARIES UNKNOWN/],
  ['-w nonsense', /^3 EDGE_SECONDARIES UNKNOWN/],
])('the check with %s', async (args, expected) => {
  expect(await nagios(...args.split(' '))).toMatch(expected);
});
