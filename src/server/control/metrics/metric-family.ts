/**
 * Metrics whose samples are made at scrape time, from scratch: what is gone from the server is gone from the output.
 * The text is written directly, since ten thousand zones make fifty thousand samples and the main thread has other
 * work.
 */
import type { MetricsWriter } from './writer.ts';

export type Labels<Name extends string> = { readonly [name in Name]: string };
/** Adds one sample. Null and undefined values are left out: "not known" is no number. No label set may come twice. */
export type Put<Name extends string> = (labels: Labels<Name>, value: number | boolean | null | undefined) => void;

type Options<Name extends string> = {
  /** Without `edgewise_`. */
  readonly name: string;
  readonly help: string;
  readonly labels: readonly Name[];
  /** One sample a zone or more: left out of a scrape that excludes `zones`. */
  readonly perZone?: boolean;
  readonly collect: (put: Put<Name>) => void;
};

/** One metric. */
export type Family = {
  readonly perZone: boolean;
  /** Writes its head and its samples of this moment. */
  readonly write: (writer: MetricsWriter) => void;
};

export function gauge<Name extends string>(families: Family[], options: Options<Name>): void {
  families.push(family('gauge', options));
}

/** `collect` gives sums since the start, which only grow. */
export function counter<Name extends string>(families: Family[], options: Options<Name>): void {
  families.push(family('counter', options));
}

function family<Name extends string>(type: 'gauge' | 'counter', options: Options<Name>): Family {
  const { help, labels, collect, perZone = false } = options;
  const name = `edgewise_${options.name}`;
  const heads = labels.map((label, i) => `${i === 0 ? '{' : '",'}${label}="`);
  const tail = labels.length > 0 ? '"} ' : ' ';
  return {
    perZone,
    write(writer) {
      writer.text(`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`);
      collect((values, value) => {
        if (value === null || value === undefined) return;
        writer.text(name);
        for (let i = 0; i < labels.length; i++) {
          writer.text(heads[i]);
          writer.labelValue(values[labels[i]]);
        }
        writer.text(tail);
        writer.number(Number(value));
        writer.text('\n');
      });
    },
  };
}
