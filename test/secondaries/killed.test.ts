import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeQuery } from '../support/dns-query.ts';
import { EdgewiseServer, eventually } from '../support/edgewise.ts';
import { ixfrQuery, type Transfer, transfer } from '../support/transfer-client.ts';
import { Primary } from './primary.ts';

/**
 * The server is killed while it writes, its files are hurt, zones change while it is down. Whatever it then says to an
 * old serial, applied to that version, is the present one.
 */

const ZONE = 'example.com';
/** A few records of many change, so that a difference is shorter than the zone. */
const content = (round: number): string =>
  `${Array.from({ length: 40 }, (_, i) => `n${i} A 192.0.2.${i < 5 ? (round + i) % 250 : i}`).join('\n')}\nround TXT "${round}"\n`;
let primary: Primary;
const versions = new Map<number, readonly string[]>();

beforeAll(async () => {
  primary = await Primary.start(95, {
    zones: { [ZONE]: content(0) },
    transfer: { allow: [{ from: '127.0.0.1' }], watch: 0 },
  });
}, 60_000);

afterAll(() => primary?.stop());

const endpoint = (): { address: string; port: number } => ({ address: '127.0.0.1', port: primary.dnsPort });
const serialOf = ({ rows }: Transfer): number => Number(rows[0]?.text.split(' ')[2]);
/** The version that is served, noted under its serial. */
async function served(): Promise<{ readonly serial: number; readonly lines: readonly string[] }> {
  const whole = await transfer(endpoint(), encodeQuery({ name: ZONE, type: 'AXFR' }));
  const lines = whole.lines.slice(1, -1);
  versions.set(serialOf(whole), lines);
  return { serial: serialOf(whole), lines };
}

/** Every version that was seen leads to the present one. Returns how many by a difference. */
async function allLead(): Promise<number> {
  const { serial, lines } = await served();
  let differences = 0;
  for (const [old, before] of versions) {
    if (old === serial) continue;
    const answer = await transfer(endpoint(), ixfrQuery(ZONE, old));
    expect(serialOf(answer)).toBe(serial);
    const soas = answer.rows.flatMap(({ type }, i) => (type === 'SOA' ? [i] : []));
    if (soas.length === 2) continue; // the whole zone
    expect(Number(answer.rows[1].text.split(' ')[2])).toBe(old);
    differences += 1;
    const result = new Set(before);
    for (const line of answer.lines.slice(soas[1] + 1, soas[2])) expect(result.delete(line), line).toBe(true);
    for (const line of answer.lines.slice(soas[2] + 1, soas[3]))
      expect(result.has(line) || !result.add(line), line).toBe(false);
    expect([...result].sort()).toEqual([...lines].sort());
  }
  return differences;
}

async function start(): Promise<void> {
  primary.server = await EdgewiseServer.start(primary.site.path('edgemanage.yaml'));
}

const becomes = (round: number): Promise<unknown> =>
  eventually(
    () => primary.server.dig(`round.${ZONE}`, 'TXT'),
    (seen) => seen.join() === `"${round}"`,
  );

async function hurtFiles(keep: number): Promise<void> {
  const folder = primary.site.path('journal');
  for (const [i, file] of (await readdir(folder)).entries()) {
    const octets = await readFile(join(folder, file));
    if (i % 2 === 0) octets[Math.floor(octets.length * keep)] ^= 4;
    await writeFile(join(folder, file), i % 2 === 0 ? octets : octets.subarray(0, Math.floor(octets.length * keep)));
  }
}

test('changed while stopped: a difference', async () => {
  await served();
  await primary.server.stop();
  await primary.zone(ZONE, content(1));
  await start();
  await becomes(1);
  expect(await allLead()).toBe(1);
}, 60_000);

test.each([
  [2, 'as it writes'],
  [3, 'as it writes, and its files are hurt'],
])(
  'round %i: killed %s, and changed before it is back',
  async (round, how) => {
    await primary.flip(round % 2);
    await served();
    await primary.zone(ZONE, content(10 * round));
    await becomes(10 * round);
    await served();
    // At once: what is to be written is on its way.
    await primary.server.stop('SIGKILL');
    if (how.includes('hurt')) await hurtFiles(0.4);
    await primary.zone(ZONE, content(10 * round + 1));
    await start();
    await becomes(10 * round + 1);
    await allLead();
  },
  60_000,
);

test(`and from there on differences again`, async () => {
  await served();
  await primary.zone(ZONE, content(99));
  await becomes(99);
  expect(await allLead()).toBeGreaterThan(0);
}, 60_000);
