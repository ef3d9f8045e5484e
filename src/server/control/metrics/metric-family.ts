/**
 * Metrics whose samples are made at scrape time, from scratch: what is gone from the server is gone from the output.
 * The text is written directly, since ten thousand zones make fifty thousand samples and the main thread has other
 * work.
 */
import { type Description, labelTexts, type SeriesBound } from './description.ts';
import type { MetricsWriter } from './writer.ts';

export type Labels<Name extends string> = { readonly [name in Name]: string };
/** Adds one sample. Null and undefined values are left out: "not known" is no number. No label set may come twice. */
export type Put<Name extends string> = (labels: Labels<Name>, value: number | boolean | null | undefined) => void;

/** Counted since the start. `counts`: of each bucket alone, one more than there are bounds. */
export type Distribution = { readonly counts: ArrayLike<number>; readonly sum: number };
/** Without quantiles. */
export type PutSummary<Name extends string> = (
  labels: Labels<Name>,
  value: { readonly count: number; readonly sum: number } | null,
) => void;
export type PutDistribution<Name extends string> = (labels: Labels<Name>, value: Distribution) => void;

type Options<Name extends string> = {
  /** Without `edgewise_`. */
  readonly name: string;
  readonly help: string;
  readonly labels: readonly Name[];
  /** What the values of a label are, where description.ts does not say it for all metrics. */
  readonly values?: { readonly [name in Name]?: string };
  readonly series: SeriesBound;
  /** One sample a zone or more: left out of a scrape that excludes `zones`. */
  readonly perZone?: boolean;
};

type ValueOptions<Name extends string> = Options<Name> & { readonly collect: (put: Put<Name>) => void };

type HistogramOptions<Name extends string> = Options<Name> & {
  /** Upper bounds, ascending, without infinity. */
  readonly buckets: readonly number[];
  readonly collect: (put: PutDistribution<Name>) => void;
};

/** One metric. */
export type Family = {
  readonly perZone: boolean;
  readonly description: Description;
  /** Writes its head and its samples of this moment. */
  readonly write: (writer: MetricsWriter) => void;
};

export function gauge<Name extends string>(families: Family[], options: ValueOptions<Name>): void {
  families.push(family('gauge', options));
}

/** `collect` gives sums since the start, which only grow. */
export function counter<Name extends string>(families: Family[], options: ValueOptions<Name>): void {
  families.push(family('counter', options));
}

/** `series` of the options: how many histograms. */
export function histogram<Name extends string>(families: Family[], options: HistogramOptions<Name>): void {
  const { labels, collect, buckets, series } = options;
  const lines = buckets.length + 3; // infinity, sum, count
  const description = describe('histogram', { ...options, series: { ...series, product: [...series.product, lines] } });
  const { name } = description;
  const bucket = new SampleHead(`${name}_bucket`, [...labels, 'le']);
  const sum = new SampleHead(`${name}_sum`, labels);
  const count = new SampleHead(`${name}_count`, labels);
  families.push({
    perZone: options.perZone ?? false,
    description,
    write(writer) {
      writeHead(writer, description);
      collect((values, { counts, sum: total }) => {
        let below = 0;
        for (let i = 0; i <= buckets.length; i++) {
          below += counts[i] ?? 0;
          bucket.write(writer, { ...values, le: i < buckets.length ? String(buckets[i]) : '+Inf' }, below);
        }
        sum.write(writer, values, total);
        count.write(writer, values, below);
      });
    },
  });
}

/** `series` of the options: how many summaries, of two lines each. */
export function summary<Name extends string>(
  families: Family[],
  options: Options<Name> & { readonly collect: (put: PutSummary<Name>) => void },
): void {
  const { labels, collect, series } = options;
  const description = describe('summary', { ...options, series: { ...series, product: [...series.product, 2] } });
  const sum = new SampleHead(`${description.name}_sum`, labels);
  const count = new SampleHead(`${description.name}_count`, labels);
  families.push({
    perZone: options.perZone ?? false,
    description,
    write(writer) {
      writeHead(writer, description);
      collect((values, value) => {
        if (value === null) return;
        sum.write(writer, values, value.sum);
        count.write(writer, values, value.count);
      });
    },
  });
}

function family<Name extends string>(type: 'gauge' | 'counter', options: ValueOptions<Name>): Family {
  const { labels, collect, perZone = false } = options;
  const description = describe(type, options);
  const head = new SampleHead(description.name, labels);
  return {
    perZone,
    description,
    write(writer) {
      writeHead(writer, description);
      collect((values, value) => {
        if (value !== null && value !== undefined) head.write(writer, values, Number(value));
      });
    },
  };
}

function describe<Name extends string>(type: Description['type'], options: Options<Name>): Description {
  const { help, labels, values = {}, series, perZone = false } = options;
  return { name: `edgewise_${options.name}`, type, help, labels: labelTexts(labels, values), series, perZone };
}

function writeHead(writer: MetricsWriter, { name, help, type }: Description): void {
  writer.text(`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`);
}

/** The fixed pieces of a metric's lines. */
class SampleHead<Name extends string> {
  private readonly name: string;
  private readonly labels: readonly Name[];
  private readonly heads: readonly string[];
  private readonly tail: string;

  constructor(name: string, labels: readonly Name[]) {
    this.name = name;
    this.labels = labels;
    this.heads = labels.map((label, i) => `${i === 0 ? '{' : '",'}${label}="`);
    this.tail = labels.length > 0 ? '"} ' : ' ';
  }

  write(writer: MetricsWriter, values: Labels<Name>, value: number): void {
    const { labels, heads } = this;
    writer.text(this.name);
    for (let i = 0; i < labels.length; i++) {
      writer.text(heads[i]);
      writer.labelValue(values[labels[i]]);
    }
    writer.text(this.tail);
    writer.number(value);
    writer.text('\n');
  }
}
