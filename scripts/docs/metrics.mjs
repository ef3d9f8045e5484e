/** docs/metrics.md: every metric of `/metrics`, as it describes itself. */
export async function documents() {
  const { createMetrics } = await import('../../dist/server/control/metrics/metrics.js');
  const { metricsReference } = await import('../../dist/server/control/metrics/reference.js');
  // Nothing is collected, so that there need be no server to look at.
  return [{ file: 'docs/metrics.md', make: () => metricsReference(createMetrics({}).subjects) }];
}
