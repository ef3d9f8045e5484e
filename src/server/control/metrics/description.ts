/** What the reference (docs/metrics.md) says of a metric beside its help: its unit, its labels, and how many series. */

/**
 * What series are counted by. Only the configuration and the operator's files decide how large these are, never what
 * clients or edges send.
 */
export const QUANTITIES = {
  networks: 'networks that are served',
  edges: 'names on the edge lists, summed over the networks',
  canaries: 'addresses on the canary lists, summed over the zones',
  zones: 'zones, the broken ones included',
  secondaries: 'secondaries that are watched (`secondaries:`, and the name servers of the zones that are notified)',
  'zone secondaries': 'pairs of a zone and a secondary that is watched for it',
  'publish targets': 'entries of `publish:`, one for each of their networks',
  'notice targets': 'entries of `notices:`',
  vantages: 'vantage points (`vantage:`), this one included',
  'check kinds': 'kinds of checks in use, summed over the networks: one for most, 5 at most each',
} as const;
export type Quantity = keyof typeof QUANTITIES;

/**
 * At most so many series: the product of the factors, and some more. A histogram's buckets, sum and count are added by
 * `histogram` itself.
 */
export type SeriesBound = { readonly product: readonly (Quantity | number)[]; readonly plus?: number };

/** What the values of a label are, where all metrics mean the same by it. */
export const LABEL_VALUES = {
  network: 'a network, as its file of edges is called',
  edge: 'a name on the list of edges',
  zone: 'a zone, without the final dot',
  address: 'an address of a canary',
  secondary: 'a secondary as `ADDRESS:PORT`',
  target: 'the name of an entry in `publish:` or `notices:`',
  vantage: 'the name of a vantage point',
  part: 'a part of the server (`dns`, `http`, `publish`, …), or `network NAME`',
  transport: '`udp4`, `udp6`, `tcp`, `tls`',
  version: 'the version that runs',
} as const;

export type Description = {
  readonly name: string;
  readonly type: 'gauge' | 'counter' | 'histogram' | 'summary' | 'unknown';
  readonly help: string;
  /** By name, in the order in which they are written, with what their values are. */
  readonly labels: ReadonlyMap<string, string>;
  readonly series: SeriesBound;
  /** Left out of a scrape with `?exclude=zones`. */
  readonly perZone: boolean;
};

/** A text for each label: its own, or what all metrics mean by its name. Throws for one that is nowhere described. */
export function labelTexts(
  labels: readonly string[],
  own: { readonly [name in string]?: string },
): ReadonlyMap<string, string> {
  const common: { readonly [name in string]?: string } = LABEL_VALUES;
  return new Map(
    labels.map((label) => {
      const text = own[label] ?? common[label];
      if (text === undefined) throw new Error(`no words for the values of the label ${label}`);
      return [label, text];
    }),
  );
}

/** For the text of a label's values. */
export function inCode(values: readonly string[]): string {
  return values.map((value) => `\`${value}\``).join(', ');
}

/** `edges × 6 + 2` */
export function boundText({ product, plus = 0 }: SeriesBound): string {
  const factors = product.filter((factor) => factor !== 1);
  const text = factors.length === 0 ? String(1 + plus) : factors.join(' × ');
  return plus === 0 || factors.length === 0 ? text : `${text} + ${plus}`;
}

/** The same as a number. */
export function boundValue({ product, plus = 0 }: SeriesBound, sizes: { readonly [name in Quantity]: number }): number {
  return product.reduce<number>((so, factor) => so * (typeof factor === 'number' ? factor : sizes[factor]), 1) + plus;
}

/** By the suffix that Prometheus' conventions ask for. */
export function unitOf(name: string): string {
  const base = name.replace(/_total$/, '');
  if (base.endsWith('_timestamp_seconds') || base.endsWith('_start_time_seconds')) return 'seconds since 1970 (UTC)';
  if (base.endsWith('_seconds')) return 'seconds';
  if (base.endsWith('_bytes')) return 'octets';
  return '';
}
