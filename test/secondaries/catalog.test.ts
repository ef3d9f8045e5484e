import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/edgewise.ts';
import { NETWORK } from '../support/installation.ts';
import { freePort } from '../support/ports.ts';
import { pageKey, pageTransfer } from './follow.ts';
import { Primary } from './primary.ts';
import { CATALOG, dig, Secondary } from './secondary.ts';

const ZONES = Array.from({ length: 1000 }, (_, i) => `zone${i}.test`);
const SOME = [0, 1, 499, 500, 998, 999].map((i) => ZONES[i]);
let primary: Primary;
let secondaries: readonly Secondary[];

beforeAll(async () => {
  const ports = [await freePort(), await freePort()];
  const page = pageTransfer(ports[0]);
  primary = await Primary.start(99, {
    zones: Object.fromEntries(ZONES.map((zone) => [zone, 'mail IN A 192.0.2.25\n'])),
    transfer: {
      ...page,
      notify: ports.map((port) => ({ to: `127.0.0.1:${port}`, key: 'edgewise-transfer' })),
      watch: 1,
      catalog: { zone: `${CATALOG}.`, per: 'all' },
    },
  });
  const zone = { name: CATALOG, keyed: true };
  secondaries = [
    new Secondary('bind', ports[0], primary.dnsPort, [zone]),
    new Secondary('knot', ports[1], primary.dnsPort, [zone]),
  ];
  await Promise.all(secondaries.map((secondary) => secondary.start()));
}, 120_000);

afterAll(async () => {
  for (const secondary of secondaries ?? []) await secondary.remove();
  await primary?.stop();
});

const answers = async (zones: readonly string[], wanted: readonly string[], seconds: number): Promise<void> => {
  for (const secondary of secondaries) {
    for (const zone of zones) {
      await eventually(
        () => secondary.dig(zone, 'A'),
        (seen) => seen.join() === [...wanted].sort().join(),
        seconds,
      );
    }
  }
};

test('the catalog is what RFC 9432 wants', async () => {
  const lines = await dig(primary.dnsPort, '-y', pageKey(), '+noall', '+answer', '+onesoa', CATALOG, 'AXFR');
  const rows = lines.map((line) => line.replace(/\s+/g, ' '));
  expect(rows).toContain(`${CATALOG}. 0 IN NS invalid.`);
  expect(rows).toContain(`version.${CATALOG}. 0 IN TXT "2"`);
  expect(rows.filter((row) => / PTR zone\d+\.test\.$/.test(row))).toHaveLength(ZONES.length);
  expect(rows.filter((row) => row.startsWith('group.') && row.endsWith(`"${NETWORK}"`))).toHaveLength(ZONES.length);
});

test('and nobody reads it but by a transfer with the key', async () => {
  const status = async (...question: readonly string[]): Promise<string | undefined> =>
    /status: (\w+)/.exec(await primary.server.digText(...question))?.[1];
  expect(await status(CATALOG, 'SOA')).toBe('NOERROR');
  expect(await status(CATALOG, 'NS')).toBe('REFUSED');
  expect(await status(`version.${CATALOG}`, 'TXT')).toBe('REFUSED');
  expect(await dig(primary.dnsPort, '+noall', '+answer', CATALOG, 'AXFR')).toEqual([]);
});

describe('BIND and Knot with nothing but the catalog', () => {
  test('serve a thousand zones', () => answers(SOME, primary.edges.slice(0, 2), 60), 120_000);

  test('follow a flip of all of them', async () => {
    const live = await primary.flip(0);
    await answers(
      ZONES.filter((_, i) => i % 100 === 99),
      live,
      60,
    );
  }, 120_000);

  test('learn of a new zone, forget one that goes, and learn of it again', async () => {
    for (const last of ['25', '26']) {
      await primary.zone('new.test', `mail IN A 192.0.2.${last}\n`);
      await answers(['new.test'], primary.edges.slice(1), 50);
      if (last === '26') break;
      await rm(primary.site.path('zones', NETWORK, 'new.test.zone'));
      await answers(['new.test'], [], 50);
    }
  }, 220_000);

  test('keep a zone whose file is broken when Edgewise starts', async () => {
    const members = async (): Promise<readonly string[]> =>
      (await dig(primary.dnsPort, '-y', pageKey(), '+noall', '+answer', '+onesoa', CATALOG, 'AXFR')).filter((line) =>
        /\sPTR\s/.test(line),
      );
    const before = await members();
    expect(before.filter((line) => line.endsWith('new.test.'))).toHaveLength(1);
    await primary.server.stop();
    await primary.zone('new.test', 'mail IN A nowhere\n');
    await primary.restart();
    expect(await primary.server.digText('new.test', 'SOA')).toContain('status: SERVFAIL');
    expect(await members()).toEqual(before);
    // Secondaries hear of all zones after a restart, the catalog among them.
    await primary.zone('zone0.test', 'mail IN A 192.0.2.77\n');
    for (const secondary of secondaries) {
      await eventually(
        () => secondary.dig('mail.zone0.test', 'A'),
        (seen) => seen.join() === '192.0.2.77',
      );
    }
    for (const secondary of secondaries) expect(await secondary.dig('mail.new.test', 'A')).toEqual(['192.0.2.26']);
  }, 120_000);
});
