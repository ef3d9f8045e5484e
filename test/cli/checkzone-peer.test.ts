import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const EDGEWISE = fileURLToPath(new URL('../../bin/edgewise.js', import.meta.url));
const GOOD = '$TTL 300\n@ SOA ns host 7 7200 900 1209600 300\n@ NS ns\nns A 192.0.2.1\nWWW 60 CNAME ns\n';

test('a good zone, as named-checkzone says it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'edgewise-checkzone-'));
  const args = ['example.test', join(folder, 'good')];
  writeFileSync(args[1], GOOD);
  const ours = spawnSync(process.execPath, [EDGEWISE, 'checkzone', ...args], { encoding: 'utf8' });
  const peer = spawnSync('named-checkzone', args, { encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  for (const { status, stdout, stderr } of [ours, peer]) {
    expect({ status, stdout, stderr }).toEqual({
      status: 0,
      stdout: 'zone example.test/IN: loaded serial 7\nOK\n',
      stderr: '',
    });
  }
});
