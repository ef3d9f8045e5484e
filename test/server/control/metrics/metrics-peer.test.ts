import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { createMetrics } from '../../../../src/server/control/metrics/metrics.ts';
import { statusView } from '../api/api-fixture.ts';
import { ODD_LABELS, TROUBLED } from './metrics-fixture.ts';

test.each([
  ['what a server usually has', {}],
  ['problems and contained errors', TROUBLED],
  ['odd labels', ODD_LABELS],
])("Prometheus' own linter has nothing to say about %s", async (_name, over) => {
  const input = new TextDecoder().decode(await createMetrics(statusView(over)).body());
  // It prints what it dislikes and exits with 3.
  expect(execFileSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8', stdio: 'pipe' })).toBe('');
});
