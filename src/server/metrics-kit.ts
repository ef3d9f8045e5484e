/** Metrics whose samples are made at scrape time, from scratch: what is gone from the server is gone from the output. */
import { Counter, Gauge, type Registry } from 'prom-client';

export type Labels<Name extends string> = { readonly [name in Name]: string };
/** Adds one sample. Null and undefined values are left out: "not known" is no number. */
export type Put<Name extends string> = (labels: Labels<Name>, value: number | boolean | null | undefined) => void;

type Options<Name extends string> = {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly Name[];
  readonly collect: (put: Put<Name>) => void;
};

export function gauge<Name extends string>(registry: Registry, { name, help, labels, collect }: Options<Name>): void {
  new Gauge({
    name: `edgewise_${name}`,
    help,
    labelNames: [...labels],
    registers: [registry],
    collect() {
      this.reset();
      collect((values, value) => {
        if (value !== null && value !== undefined) this.set({ ...values }, Number(value));
      });
    },
  });
}

/** `collect` gives sums since the start, which only grow. */
export function counter<Name extends string>(registry: Registry, { name, help, labels, collect }: Options<Name>): void {
  new Counter({
    name: `edgewise_${name}`,
    help,
    labelNames: [...labels],
    registers: [registry],
    collect() {
      this.reset();
      collect((values, value) => {
        if (value !== null && value !== undefined) this.inc({ ...values }, Number(value));
      });
    },
  });
}
