/**
 * `/metrics`: everything is read from the running server when it is scraped, nothing is counted here. Names begin with
 * `edgewise_`, carry their unit, and their labels are bounded by the configuration, never by what clients send.
 */
import { setImmediate } from 'node:timers/promises';
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { StatusView } from './api.ts';
import { addDnsMetrics } from './metrics-dns.ts';
import { addNetworkMetrics } from './metrics-network.ts';
import { addServerMetrics } from './metrics-server.ts';

export type Metrics = {
  readonly contentType: string;
  /** The exposition text of this moment. */
  text(): Promise<string>;
};

/**
 * The library's own process metrics that Prometheus' conventions object to (a gauge must not be called `_total`);
 * `edgewise_nodejs_active_resources` and its kin say the same under a sound name.
 */
const ILL_NAMED = ['handles', 'requests', 'resources'].map((what) => `edgewise_nodejs_active_${what}_total`);

export function createMetrics(view: StatusView): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'edgewise_' });
  for (const name of ILL_NAMED) registry.removeSingleMetric(name);
  addServerMetrics(registry, view);
  addNetworkMetrics(registry, view);
  addDnsMetrics(registry, view);
  return { contentType: registry.contentType, text: () => exposition(registry) };
}

/** One metric a turn of the event loop: ten thousand zones must not hold up a decision until they are all printed. */
async function exposition(registry: Registry): Promise<string> {
  const parts: string[] = [];
  for (const { name } of registry.getMetricsAsArray()) {
    parts.push(await registry.getSingleMetricAsString(name));
    await setImmediate();
  }
  return `${parts.join('\n\n')}\n`;
}
