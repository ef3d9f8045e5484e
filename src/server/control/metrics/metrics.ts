/**
 * `/metrics`: everything is read from the running server when it is scraped, nothing is counted here. Names begin with
 * `edgewise_` (the process's and Node's have their usual ones), carry their unit, and their labels are bounded by the
 * configuration, never by what clients send. docs/metrics.md is made of the descriptions (reference.ts).
 */
import { Turns } from '../../../system/turns.ts';
import { Slice } from '../../../system/yielding.ts';
import type { StatusView } from '../views/views.ts';
import type { Description } from './description.ts';
import { addDnsMetrics } from './dns.ts';
import type { Family } from './metric-family.ts';
import { addNetworkMetrics } from './network.ts';
import { addNoticeMetrics } from './notices.ts';
import { ProcessMetrics } from './process.ts';
import { addProviderMetrics } from './providers.ts';
import { scrapeView } from './scrape-view.ts';
import { addServerMetrics } from './server.ts';
import { addVantageMetrics } from './vantage.ts';
import { MetricsWriter } from './writer.ts';

export type Metrics = {
  readonly contentType: string;
  /** Every metric there can be, by subject, whether or not it has a sample now. */
  readonly subjects: readonly Subject[];
  /**
   * The exposition text, nothing of it older than the call. `zones` false: without the metrics that have a sample for each
   * zone. One is made at a time: calls that come meanwhile share the next, so that a hundred scrapes at once cost two.
   */
  body(wanted?: { readonly zones: boolean }): Promise<Uint8Array>;
};

/** Metrics about one thing, as the reference groups them. */
export type Subject = { readonly title: string; readonly metrics: readonly Description[] };

const SUBJECTS = [
  ['Server, zones and secondaries', addServerMetrics],
  ['Notices', addNoticeMetrics],
  ['Networks and edges', addNetworkMetrics],
  ['Providers (`publish:`)', addProviderMetrics],
  ['Vantage points (`vantage:`)', addVantageMetrics],
  ['DNS traffic', addDnsMetrics],
] as const;

export function createMetrics(view: StatusView): Metrics {
  const ofProcess = new ProcessMetrics();
  const scrape = scrapeView(view);
  const subjects = SUBJECTS.map(([title, add]) => {
    const families: Family[] = [];
    add(families, scrape.view);
    return { title, families };
  });
  let last = 0; // octets
  const turns = new Turns();
  const waiting = new Map<boolean, Promise<Uint8Array>>();

  const make = async (zones: boolean): Promise<Uint8Array> => {
    waiting.delete(zones);
    const writer = new MetricsWriter(last + (last >> 4));
    writer.text(await ofProcess.text());
    const slice = new Slice();
    try {
      for (const family of subjects.flatMap(({ families }) => families)) {
        if (family.perZone && !zones) continue;
        // Ten thousand zones must not hold up a decision until all metrics are printed.
        await slice.rest();
        writer.text('\n');
        family.write(writer);
      }
    } finally {
      scrape.forget();
    }
    last = writer.written.length;
    return writer.written;
  };

  return {
    contentType: ofProcess.contentType,
    subjects: [
      ...subjects.map(({ title, families }) => ({ title, metrics: families.map(({ description }) => description) })),
      { title: 'Process and Node', metrics: ofProcess.descriptions() },
    ],
    body({ zones } = { zones: true }) {
      const next = waiting.get(zones) ?? turns.take(() => make(zones));
      waiting.set(zones, next);
      return next;
    },
  };
}
