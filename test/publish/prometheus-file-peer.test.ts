import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PROMETHEUS_FILE, writePrometheusFile } from '../../src/publish/prometheus-file.ts';
import { decision } from './decision-fixture.ts';

test('the file passes promtool, with two networks in it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'edgewise-prometheus-'));
  try {
    await writePrometheusFile(folder, decision('one', { 'a.test': 0.2, '127.0.0.1': 10 }), ['a.test']);
    await writePrometheusFile(folder, decision('two', { 'b.test': 0.2 }), ['b.test']);
    const text = await readFile(join(folder, PROMETHEUS_FILE), 'utf8');
    expect(execFileSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8', stdio: 'pipe' })).toBe('');
  } finally {
    await rm(folder, { recursive: true });
  }
});
