import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/edgewise.ts';
import { program } from '../support/installation.ts';
import { freePort } from '../support/ports.ts';
import { pageKey, pageTransfer } from './follow.ts';
import { Primary } from './primary.ts';
import { dig, Secondary } from './secondary.ts';

const ZONE = { name: 'example.com', keyed: true };
const started: Secondary[] = [];
let primary: Primary;
let port: number;

beforeAll(async () => {
  port = await freePort();
  primary = await Primary.start(96, {
    zones: { 'example.com': 'secret IN TXT "secret"\n', 'other.test': 'secret IN TXT "secret"\n' },
    transfer: {
      ...pageTransfer(port),
      allow: [
        { from: '127.0.0.1', key: 'edgewise-transfer', zones: ['example.com'] },
        { from: '127.0.0.2', zones: ['other.test'] },
      ],
      notify: [],
      watch: 0,
    },
    keys: { log_level: 'DEBUG' },
  });
});

afterAll(async () => {
  for (const secondary of started) await secondary.remove();
  await primary?.stop();
});

const WRONG_SECRET = 'AAAAg2ZzPuxOEcpbMOjTUHn4l1hgYc5rVFAfYgRzxbQ=';

test.each([
  [
    'another secret',
    (text: string) => text.replace(/secret "[^"]*"/, `secret "${WRONG_SECRET}"`),
    /(refresh|transfer of).*(BADSIG|tsig)/i,
  ],
  [
    'another key name',
    (text: string) => text.replaceAll('edgewise-transfer', 'stranger'),
    /(refresh|transfer of).*(BADKEY|NOTAUTH|tsig)/i,
  ],
  ['no key', (text: string) => text.replace(/ key "[^"]*"; };/, '; };'), /REFUSED/],
])('BIND with %s gets nothing and knows why', async (_, edit, why) => {
  const secondary = new Secondary('bind', await freePort(), primary.dnsPort, [ZONE], edit);
  started.push(secondary);
  await secondary.start();
  await eventually(
    async () => secondary.log,
    (log) => why.test(log),
  );
  expect(await dig(secondary.port, '+short', 'secret.example.com', 'TXT')).toEqual([]);
});

test.each(['nsd', 'knot', 'powerdns'] as const)('%s with another secret gets nothing', async (kind) => {
  const { secret } = (pageTransfer(0)['keys'] as readonly Record<string, string>[])[0];
  const wrong = (text: string): string => text.replaceAll(secret, WRONG_SECRET);
  const secondary = new Secondary(kind, await freePort(), primary.dnsPort, [ZONE], wrong);
  started.push(secondary);
  const since = primary.server.output.length;
  await secondary.start();
  await primary.server.prints(/refused, BADSIG with key edgewise-transfer\.: 127\.0\.0\.1"/, since);
  expect(await dig(secondary.port, '+short', 'secret.example.com', 'TXT')).toEqual([]);
  expect((await primary.server.get('/metrics')).text).toMatch(/dns_answers_total{[^}]*rcode="NOTAUTH"} [1-9]/);
  await secondary.stop();
});

test('from an address that no rule names: REFUSED, and no record; from the one that it names, the zone', async () => {
  const lines = async (address: string): Promise<number> =>
    (await dig(primary.dnsPort, '-b', address, '+noall', '+answer', 'other.test', 'AXFR')).length;
  const since = primary.server.output.length;
  expect(await lines('127.0.0.1')).toBe(0);
  await primary.server.prints(/other\.test\.: refused, no rule allows this transfer: 127\.0\.0\.1, not signed/, since);
  expect(await lines('127.0.0.3')).toBe(0);
  expect(await lines('127.0.0.2')).toBeGreaterThan(3);
});

test('a key opens no zone but those of its rule', async () => {
  const lines = async (zone: string): Promise<number> =>
    (await dig(primary.dnsPort, '-y', pageKey(), '+noall', '+answer', zone, 'AXFR')).length;
  expect(await lines('example.com')).toBeGreaterThan(3);
  expect(await lines('other.test')).toBe(0);
});

test('what named-checkzone makes of a transferred zone is the zone', async () => {
  const text = (
    await dig(primary.dnsPort, '-y', pageKey(), '+noall', '+answer', '+onesoa', 'example.com', 'AXFR')
  ).join('\n');
  await primary.site.write('transferred.zone', `${text}\n`);
  const args = ['-D', '-i', 'none', 'example.com', primary.site.path('transferred.zone')];
  const { stdout: out } = await program('named-checkzone', args);
  const squeeze = (all: string): readonly string[] =>
    all
      .split('\n')
      .filter((line) => /\sIN\s/.test(line))
      .map((line) => line.replace(/\s+/g, ' '))
      .sort();
  expect(squeeze(out)).toEqual(squeeze(text));
});
