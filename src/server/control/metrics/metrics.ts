/**
 * `/metrics`: everything is read from the running server when it is scraped, nothing is counted here. Names begin with
 * `edgewise_`, carry their unit, and their labels are bounded by the configuration, never by what clients send.
 */
import { setImmediate } from 'node:timers/promises';
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { StatusView } from '../views/views.ts';
import { addDnsMetrics } from './dns.ts';
import type { Family } from './metric-family.ts';
import { addNetworkMetrics } from './network.ts';
import { addNoticeMetrics } from './notices.ts';
import { addProviderMetrics } from './providers.ts';
import { addServerMetrics } from './server.ts';
import { addVantageMetrics } from './vantage.ts';
import { MetricsWriter } from './writer.ts';

export type Metrics = {
  readonly contentType: string;
  /** The exposition text of this moment. `zones` false: without the metrics that have a sample for each zone. */
  body(wanted?: { readonly zones: boolean }): Promise<Uint8Array>;
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
  const families: Family[] = [];
  let last = 0; // octets
  addServerMetrics(families, view);
  addNoticeMetrics(families, view);
  addNetworkMetrics(families, view);
  addProviderMetrics(families, view);
  addVantageMetrics(families, view);
  addDnsMetrics(families, view);
  return {
    contentType: registry.contentType,
    async body({ zones } = { zones: true }) {
      const writer = new MetricsWriter(last + (last >> 4));
      writer.text(await registry.metrics());
      for (const family of families) {
        if (family.perZone && !zones) continue;
        // One metric a turn of the event loop: ten thousand zones must not hold up a decision until all are printed.
        await setImmediate();
        writer.text('\n');
        family.write(writer);
      }
      last = writer.written.length;
      return writer.written;
    },
  };
}
