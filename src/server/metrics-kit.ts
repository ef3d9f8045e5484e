/** Metrics whose samples are made at scrape time, from scratch: what is gone from the server is gone from the output. */
import { Counter, Gauge, type Registry } from 'prom-client';

export type Labels<Name extends string> = { [name in Name]: string };
/** Adds one sample. Null and undefined values are left out: "not known" is no number. No label set may come twice. */
export type Put<Name extends string> = (labels: Labels<Name>, value: number | boolean | null | undefined) => void;

type Options<Name extends string> = {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly Name[];
  readonly collect: (put: Put<Name>) => void;
};

export function gauge<Name extends string>(registry: Registry, options: Options<Name>): void {
  const { name, help, labels } = options;
  fromScratch(new Gauge({ name: `edgewise_${name}`, help, labelNames: [...labels], registers: [registry] }), options);
}

/** `collect` gives sums since the start, which only grow. */
export function counter<Name extends string>(registry: Registry, options: Options<Name>): void {
  const { name, help, labels } = options;
  fromScratch(new Counter({ name: `edgewise_${name}`, help, labelNames: [...labels], registers: [registry] }), options);
}

/**
 * Gives the library the samples themselves instead of setting them one by one: it would look each label set up in a
 * table of the last scrape's, which for ten thousand zones took half a second of the main thread.
 */
function fromScratch<Name extends string>(metric: Gauge<Name> | Counter<Name>, { collect }: Options<Name>): void {
  const describe = metric.get.bind(metric);
  metric.get = async () => {
    const values: { labels: Labels<Name>; value: number }[] = [];
    collect((labels, value) => {
      if (value !== null && value !== undefined) values.push({ labels, value: Number(value) });
    });
    return { ...(await describe()), values };
  };
}
