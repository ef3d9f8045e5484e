import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { edgewise, eventually } from '../support/edgewise.ts';
import { freePort } from '../support/ports.ts';
import { pageTransfer } from './follow.ts';
import { Primary } from './primary.ts';
import { Secondary } from './secondary.ts';
import { firstRow, nagiosCheck } from './watched.ts';

/** A date, as operators number zones by hand: it comes after the seconds that Edgewise counts until 2034. */
const THEIRS = 2_026_112_801;
let primary: Primary;
let secondary: Secondary;
let port: number;

beforeAll(async () => {
  port = await freePort();
  primary = await Primary.start(93, {
    zones: { 'example.com': 'a A 192.0.2.1\n' },
    transfer: { ...pageTransfer(port), watch: 1 },
  });
  secondary = new Secondary('bind', port, primary.dnsPort, [{ name: 'example.com', keyed: true }], (text) =>
    text.replace('type secondary;', 'type secondary; masterfile-format text;'),
  );
  const zone = `$TTL 60\n@ SOA ns.other. host.other. ${THEIRS} 3600 600 86400 60\n@ NS ns.other.\n`;
  writeFileSync(join(secondary.folder, 'example.com.zone'), zone);
  await secondary.start();
});

afterAll(async () => {
  await secondary?.remove();
  await primary?.stop();
});

const row = () => firstRow(primary);
const nagios = () => nagiosCheck(primary);

test('BIND with a serial ahead of ours is trouble everywhere, with what to do', async () => {
  const seen = await eventually(row, (found) => found?.state === 'ahead');
  expect(seen).toMatchObject({ serial: THEIRS, error: null });
  await primary.server.prints(/zone example\.com at secondary \S+ is ahead of us and takes no change: let it fetch/);
  await primary.flip(0); // nothing that it would take
  await eventually(row, (found) => found?.our_serial !== seen?.our_serial);
  await expect.poll(row).toMatchObject({ serial: THEIRS, state: 'ahead' });
  await expect.poll(nagios).toMatch(/^2 EDGE_SECONDARIES CRIT .*1 ahead of Edgewise, such as example\.com at/);
  const { status, stdout } = await edgewise(['status', '-c', primary.site.path('edgemanage.yaml')]);
  expect(`${status} ${stdout}`).toMatch(
    /^1 .*lacks 1, .*1 of them ahead of us\n.*ahead of our \d+ for .*rndc retransfer/s,
  );
  const { text } = await primary.server.get('/metrics');
  expect(text).toContain(`edgewise_secondary_zones{secondary="127.0.0.1:${port}",state="ahead"} 1`);
  expect(text).toContain(`edgewise_secondary_zones{secondary="127.0.0.1:${port}",state="current"} 0`);
});

test('fetched anew, it has our serial, and that is said', async () => {
  await secondary.stop();
  rmSync(join(secondary.folder, 'example.com.zone'));
  await secondary.start();
  await eventually(row, (found) => found?.state === 'current' && found.lag_seconds === 0);
  await primary.server.prints(/zone example\.com at secondary \S+ has our serial again/);
  await expect.poll(nagios).toMatch(/^0 /);
});
