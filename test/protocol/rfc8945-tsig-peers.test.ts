import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { testKey } from '../support/transfer-client.ts';
import { protocolServer } from './protocol-server.ts';

const ALGORITHMS = ['hmac-sha256', 'hmac-sha384', 'hmac-sha512', 'hmac-sha1', 'hmac-md5'] as const;
const KEYS = ALGORITHMS.map((algorithm) => testKey(`key-${algorithm}`, algorithm));
const [KEY] = KEYS;
const allow = [{ from: null, key: KEY.name, tls: false, networks: null, zones: null }];
const served = protocolServer([], {}, { keys: KEYS, allow, rows: [] });
const run = promisify(execFile);

test.each(KEYS)('dig believes the answer signed with $algorithm', async ({ algorithm, secret }) => {
  const { address, port } = served.server.endpoint;
  const key = `${algorithm}:key-${algorithm}:${Buffer.from(secret).toString('base64')}`;
  const { stdout } = await run('dig', [`@${address}`, '-p', String(port), '-y', key, 'example.test', 'SOA']);
  expect(stdout).toContain('status: NOERROR');
  expect(stdout).toContain('TSIG PSEUDOSECTION');
  expect(stdout).not.toMatch(/Couldn't verify|tsig verify failure/i);
});

describe('a key whose name ends as the zone does', () => {
  const under = testKey('xfr.example.test');
  const apex = testKey('example.test');
  const two = protocolServer([], {}, { keys: [under, apex], allow: [{ ...allow[0], key: under.name }], rows: [] });

  const secret = Buffer.from(under.secret).toString('base64');
  test.each([
    ['drill', ['-y', `xfr.example.test:${secret}:hmac-sha256.`]],
    ['dig', ['-y', `hmac-sha256:xfr.example.test:${secret}`]],
    ['kdig', ['-y', `hmac-sha256:xfr.example.test:${secret}`]],
  ] as const)('%s transfers the zone and asks, signed', async (program, options) => {
    const { address, port } = two.server.endpoint;
    const at = [`@${address}`, '-p', String(port)];
    const zone = await run(program, [...options, ...at, 'example.test', 'AXFR']);
    expect(zone.stdout).toMatch(/^www\.example\.test\.\s+300\s+IN\s+A\s+192\.0\.2\.80$/m);
    const one = await run(program, [...options, ...at, 'www.example.test', 'A']);
    expect(one.stdout).toContain('NOERROR');
    expect(one.stdout + one.stderr).not.toMatch(/verif|malformed/i);
  });
});
