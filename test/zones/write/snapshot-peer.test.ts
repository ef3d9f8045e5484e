import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LIVE, snapshot } from './snapshot-fixture.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgewise-snapshot-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each([
  ['nothing more', '', LIVE],
  ['one family only', 'mail A 192.0.2.25\n', { v4: LIVE.v4, v6: [] }],
  ['the other only', 'mail A 192.0.2.25\n', { v4: [], v6: LIVE.v6 }],
  [
    'names with odd octets',
    'a\\.b TXT "q\\"uote;\\\\"\nsp\\032ace TXT ";"\n\\000nul TXT "\\000"\n\\@ TXT x\n\\$x TXT x\n',
    LIVE,
  ],
  [
    'many types',
    '_sip._tcp SRV 1 2 5060 mail\nmail A 192.0.2.25\nu TYPE65280 \\# 4 0A000001\nh HTTPS 1 . alpn="h2,h3"\n@ CAA 0 issue "x"\n',
    LIVE,
  ],
  ['a delegation with glue and a wildcard', 'sub NS ns.sub\nns.sub A 192.0.2.53\n*.w TXT x\n', LIVE],
])('named-checkzone loads it: %s', (_name, text, live) => {
  const file = join(folder, 'zone');
  writeFileSync(file, snapshot(text, live));
  const { status, stdout, stderr } = spawnSync(
    'named-checkzone',
    ['-i', 'local', '-k', 'ignore', 'example.test', file],
    { encoding: 'utf8' },
  );
  expect(`${stdout}${stderr}`.trim().split('\n')).toEqual(['zone example.test/IN: loaded serial 1763778000', 'OK']);
  expect(status).toBe(0);
});
