/**
 * The process and Node itself, under the names that prom-client gives them and existing dashboards use. They have no
 * `edgewise_` in front; the same under that prefix, as earlier versions had them, come with them.
 */
import { collectDefaultMetrics, Registry } from 'prom-client';
import { type Description, labelTexts } from './description.ts';

/**
 * Gauges that prom-client calls `_total`, which Prometheus' conventions keep for counters. Dashboards ask for these
 * names, so they are there, without a type.
 */
const WITHOUT_TYPE: ReadonlySet<string> = new Set(
  ['handles', 'requests', 'resources'].map((what) => `nodejs_active_${what}_total`),
);

const PREFIX = 'edgewise_';

const LABEL_VALUES = {
  version: "Node's version",
  major: 'its first number',
  minor: 'its second number',
  patch: 'its third number',
  kind: '`major`, `minor`, `incremental`, `weakcb`',
  space: "a space of V8's heap",
  type: 'a kind of handle, request or resource, as Node calls it',
} as const;

/** Series of the metrics that have labels. `nodejs_active_*`: kinds that Node has, some twenty. */
const SERIES: ReadonlyMap<string, number> = new Map([
  ['nodejs_gc_duration_seconds', 4 * 10],
  ['nodejs_heap_space_size_total_bytes', 16],
  ['nodejs_heap_space_size_used_bytes', 16],
  ['nodejs_heap_space_size_available_bytes', 16],
  ['nodejs_active_handles', 24],
  ['nodejs_active_requests', 24],
  ['nodejs_active_resources', 24],
]);

export class ProcessMetrics {
  private readonly registry = new Registry();

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  /** Of this moment, with line ends. */
  async text(): Promise<string> {
    const own: string[] = [];
    const prefixed: string[] = [];
    for (const text of (await this.registry.metrics()).split('\n\n')) {
      const name = text.match(/^# HELP (\S+)/)?.[1];
      if (name === undefined) continue;
      if (WITHOUT_TYPE.has(name)) {
        own.push(text.replace(/^(# TYPE \S+) gauge$/m, '$1 untyped').trimEnd());
      } else {
        own.push(text.trimEnd());
        prefixed.push(text.trimEnd().replace(/^(# HELP |# TYPE )?(?=\w)/gm, `$1${PREFIX}`));
      }
    }
    return `${[...own, ...prefixed].join('\n\n')}\n`;
  }

  descriptions(): readonly Description[] {
    const own = this.registry.getMetricsAsArray().map((metric): Description => {
      const { name, help } = metric;
      const { labelNames } = metric as unknown as { readonly labelNames: readonly string[] };
      const labels = labelTexts(labelNames, LABEL_VALUES);
      const type = WITHOUT_TYPE.has(name) ? 'unknown' : TYPES[metric.constructor.name];
      return { name, type, help, labels, series: { product: [SERIES.get(name) ?? 1] }, perZone: false };
    });
    const prefixed = own
      .filter(({ name }) => !WITHOUT_TYPE.has(name))
      .map((one) => ({ ...one, name: `${PREFIX}${one.name}`, help: `The same as ${one.name}` }));
    return [...own, ...prefixed];
  }
}

const TYPES: { readonly [name in string]: Description['type'] } = {
  Counter: 'counter',
  Gauge: 'gauge',
  Histogram: 'histogram',
  Summary: 'summary',
};
