import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Vantage, Vantages, ZONE } from '../chaos/vantages.ts';
import { eventually } from '../support/edgewise.ts';

/** Three servers whose zone file changes at different moments: any of them can be primary. */
let site: Vantages;
const START_MS = 120_000;
const run = promisify(execFile);

beforeAll(async () => {
  site = await Vantages.start({ block: 74 });
}, START_MS);
afterAll(() => site?.stop(), START_MS);

/** What `dig` gets, its lines sorted; one SOA stands at both ends. */
async function transfer({ dnsPort }: Vantage, type: string): Promise<readonly string[]> {
  const asked = ['@127.0.0.1', '-p', String(dnsPort), ZONE, type, '+tcp', '+nocmd', '+nostats', '+nocomments'];
  const { stdout } = await run('dig', asked);
  const lines = stdout.split('\n').map((line) => line.replace(/\s+/g, ' '));
  return lines.filter((line) => line !== '' && !line.startsWith(';')).sort();
}

/** The records of the zone on each, once all have the same and `holds` is true of them. */
async function same(holds: (lines: readonly string[]) => boolean): Promise<readonly string[]> {
  const seen = await eventually(
    () => Promise.all(site.all.map((vantage) => transfer(vantage, 'axfr'))),
    (all) => all.every((lines) => holds(lines) && lines.join('\n') === all[0]?.join('\n')),
    60,
  );
  return seen[0] ?? [];
}

const serialOf = (lines: readonly string[]): number =>
  Number(/ SOA \S+ \S+ (\d+) /.exec(lines.find((line) => line.includes(' SOA ')) ?? '')?.[1]);

test('one content has one serial everywhere, changed at different moments and beside flips', {
  timeout: START_MS,
}, async () => {
  const [a, b, c] = site.all as [Vantage, Vantage, Vantage];
  const first = await same((lines) => lines.some((line) => line.includes('192.0.2.25')));

  // Only one has the new file: all go on with the old one, and flips change that.
  await site.content(a, 'mail IN A 192.0.2.26\n');
  site.flip();
  await site.agreed(site.live);
  const flipped = await same((lines) => serialOf(lines) !== serialOf(first));
  expect(flipped.some((line) => line.includes('192.0.2.25'))).toBe(true);

  await site.content(b, 'mail IN A 192.0.2.26\n');
  await site.content(c, 'mail IN A 192.0.2.26\n');
  const changed = await same((lines) => lines.some((line) => line.includes('192.0.2.26')));
  expect(serialOf(changed)).toBeGreaterThan(serialOf(flipped));

  // A difference from one on top of a version from another: the same from each.
  const differences = await Promise.all(site.all.map((vantage) => transfer(vantage, `ixfr=${serialOf(flipped)}`)));
  expect(new Set(differences.map((lines) => lines.join('\n'))).size).toBe(1);
  expect(differences[0]?.filter((line) => line.includes('192.0.2.2'))).toHaveLength(2);

  // One restarts with what it has: under the same serial.
  await c.end();
  await c.begin();
  expect(await same(() => true)).toEqual(changed);
  expect(site.violations()).toEqual([]);
});
