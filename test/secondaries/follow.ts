import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { eventually } from '../support/edgewise.ts';
import { freePort } from '../support/ports.ts';
import { Primary } from './primary.ts';
import { dig, Secondary, type SecondaryKind } from './secondary.ts';
import { SECONDARY_ADDRESS, snippet } from './snippets.ts';

const RECORDS = 100_000;
const ZONES = [
  { name: 'example.com', keyed: true },
  { name: 'plain.test', keyed: false },
  { name: 'big.test', keyed: true },
];
const CONTENT = 'mail IN A 192.0.2.25\n@ IN MX 10 mail\n@ IN TXT "one" "two"\n_sip._tcp IN SRV 1 2 5060 mail\n';
const big = (last: string): string =>
  `${Array.from({ length: RECORDS }, (_, i) => `host${i} A 192.0.2.${i % 250}`).join('\n')}\nlast TXT "${last}"\n`;

/** What the primary of the page's set-up has in its `transfer` section, for a secondary on this loopback port. */
export function pageTransfer(port: number): Record<string, unknown> {
  const text = snippet('yaml transfer')
    .replace(`to: ${SECONDARY_ADDRESS}`, `to: "127.0.0.1:${port}"`)
    .replace(SECONDARY_ADDRESS, '127.0.0.1');
  return (parse(text) as { transfer: Record<string, unknown> }).transfer;
}

/** `dig -y` of the page's key. */
export function pageKey(): string {
  const [{ name, algorithm, secret }] = pageTransfer(0)['keys'] as readonly Record<string, string>[];
  return `${algorithm}:${name}:${secret}`;
}

/** The whole story of one kind of secondary. `block`: of the edges' addresses. */
export function followsEdgewise(kind: SecondaryKind, block: number): void {
  let primary: Primary;
  let secondary: Secondary;
  const serialOf = async (port: number, zone: string): Promise<string | undefined> =>
    (await dig(port, '+short', zone, 'SOA'))[0]?.split(' ')[2];
  const caughtUp = (zone: string): Promise<unknown> =>
    eventually(
      async () => [await serialOf(primary.dnsPort, zone), await serialOf(secondary.port, zone)],
      ([ours, theirs]) => ours !== undefined && ours === theirs,
    );
  const answers = (zone: string, addresses: readonly string[]): Promise<unknown> =>
    eventually(
      () => secondary.dig(zone, 'A'),
      (seen) => seen.join() === [...addresses].sort().join(),
    );

  beforeAll(async () => {
    const port = await freePort();
    const page = pageTransfer(port);
    const { allow, notify } = page as { allow: object[]; notify: object[] };
    primary = await Primary.start(block, {
      zones: { 'example.com': CONTENT, 'plain.test': CONTENT, 'big.test': big('first') },
      transfer: {
        ...page,
        allow: [
          ...allow.map((rule) => ({ ...rule, zones: ['example.com', 'big.test'] })),
          { from: '127.0.0.1', zones: ['plain.test'] },
        ],
        notify: [
          ...notify.map((target) => ({ ...target, zones: ['example.com', 'big.test'] })),
          { to: `127.0.0.1:${port}`, zones: ['plain.test'] },
        ],
        watch: 1,
      },
      keys: { log_level: 'DEBUG' },
    });
    secondary = new Secondary(kind, port, primary.dnsPort, ZONES);
    await secondary.start();
  }, 60_000);

  afterAll(async () => {
    await secondary?.remove();
    await primary?.stop();
  });

  /** The same records on both sides, whatever their order. */
  const sameZone = async (zone: string, keyed: boolean): Promise<number> => {
    await caughtUp(zone);
    const key = keyed ? ['-y', pageKey()] : [];
    const whole = ['+time=20', '+noall', '+answer', '+onesoa', zone, 'AXFR'];
    const squeeze = (lines: readonly string[]): readonly string[] =>
      lines.map((line) => line.replace(/\s+/g, ' ')).sort();
    const [ours, theirs] = await Promise.all([dig(primary.dnsPort, ...key, ...whole), dig(secondary.port, ...whole)]);
    const [here, there] = [new Set(squeeze(ours)), new Set(squeeze(theirs))];
    // Only what differs: nobody reads a report of a hundred thousand lines.
    expect([...here].filter((line) => !there.has(line)).slice(0, 20)).toEqual([]);
    expect([...there].filter((line) => !here.has(line)).slice(0, 20)).toEqual([]);
    return ours.length;
  };

  describe(`${kind} as a secondary`, () => {
    test('first transfer, with and without TSIG', async () => {
      for (const { name } of ZONES) await answers(name, primary.edges.slice(0, 2));
      for (const { name, keyed } of ZONES.slice(0, 2)) expect(await sameZone(name, keyed)).toBeGreaterThan(8);
    });

    test('a zone of 100,000 records is the same on both sides', async () => {
      expect(await sameZone('big.test', true)).toBeGreaterThan(RECORDS);
    });

    test('a flip is answered by it, after a NOTIFY and an IXFR', async () => {
      const since = primary.server.output.length;
      const live = await primary.flip(0);
      for (const { name } of ZONES) {
        await answers(name, live);
        await answers(`www.${name}`, live);
      }
      // The same story for all zones: a difference, not a hundred thousand records.
      for (const { name } of ZONES) await primary.server.prints(new RegExp(`${name}\\.: IXFR`), since);
      expect(primary.server.output.slice(since)).not.toMatch(/: AXFR/);
      for (const { name, keyed } of ZONES.slice(0, 2)) await sameZone(name, keyed);
    });

    test('changes of contents follow', async () => {
      const since = primary.server.output.length;
      await primary.zone('example.com', `${CONTENT}new IN A 192.0.2.99\n`);
      await primary.zone('plain.test', CONTENT.replace('10 mail', '20 mail'));
      await primary.zone('big.test', big('second'));
      await eventually(
        () => secondary.dig('new.example.com', 'A'),
        (seen) => seen.join() === '192.0.2.99',
      );
      await eventually(
        () => secondary.dig('last.big.test', 'TXT'),
        (seen) => seen.join() === '"second"',
      );
      await eventually(
        () => secondary.dig('plain.test', 'MX'),
        (seen) => seen.join() === '20 mail.plain.test.',
      );
      for (const { name } of ZONES) await primary.server.prints(new RegExp(`${name}\\.: IXFR`), since);
      for (const { name, keyed } of ZONES) await sameZone(name, keyed);
    });

    test('it goes down, the world changes, it comes back and follows', async () => {
      await secondary.stop();
      const live = await primary.flip(1);
      await primary.zone('example.com', CONTENT);
      await eventually(
        () => dig(primary.dnsPort, '+short', 'new.example.com', 'A'),
        (seen) => seen.length === 0,
      );
      await secondary.start();
      for (const { name } of ZONES) await answers(name, live);
      for (const { name, keyed } of ZONES.slice(0, 2)) await sameZone(name, keyed);
    });

    test('Edgewise starts again and goes on with differences', async () => {
      await primary.restart();
      for (const { name } of ZONES) await caughtUp(name);
      const since = primary.server.output.length;
      const live = await primary.flip(0);
      for (const { name } of ZONES) await answers(name, live);
      for (const { name } of ZONES) await primary.server.prints(new RegExp(`${name}\\.: IXFR`), since);
      for (const { name, keyed } of ZONES.slice(0, 2)) await sameZone(name, keyed);
    });
  });
}
