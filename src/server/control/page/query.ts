/** What of the page is asked for: a filter, an order, a part of the zones. In the address, so that it can be handed on. */
import { z } from 'zod';

export const STATES = ['all', 'failing', 'live', 'out', 'set'] as const;
export const EDGE_ORDERS = ['edge', 'live', 'health', 'last', 'window', 'average', 'mode'] as const;
export const ZONE_ORDERS = ['trouble', 'zone', 'network', 'serial', 'records', 'loaded'] as const;

export type EdgeOrder = (typeof EDGE_ORDERS)[number];
export type ZoneOrder = (typeof ZONE_ORDERS)[number];
/** A column, and whether downwards. */
export type Order<Column> = { readonly by: Column; readonly down: boolean };

export type PageQuery = {
  /** In lower case; empty: everything. */
  readonly q: string;
  readonly state: (typeof STATES)[number];
  readonly sort: Order<EdgeOrder>;
  readonly zsort: Order<ZoneOrder>;
  /** Which part of the zones, from 1. */
  readonly zones: number;
  /** Which part of the secondaries, from 1. */
  readonly secondaries: number;
};

/** What the page shows without a query. */
export const WHOLE: PageQuery = {
  q: '',
  state: 'all',
  sort: { by: 'edge', down: false },
  zsort: { by: 'trouble', down: false },
  zones: 1,
  secondaries: 1,
};

/** Characters of a filter that are looked at. */
const TEXT_MAX = 100;

const text = z.union([z.string(), z.array(z.string()).transform((values) => values.at(-1) ?? '')]).catch('');

/** Of whatever stands in the address; what is no such thing is as if it were not there. */
export const pageQuery = z
  .object({ q: text, state: text, sort: text, zsort: text, zones: text, secondaries: text })
  .transform(
    ({ q, state, sort, zsort, zones, secondaries }): PageQuery => ({
      q: q.trim().slice(0, TEXT_MAX).toLowerCase(),
      state: STATES.find((each) => each === state) ?? WHOLE.state,
      sort: orderOf(sort, EDGE_ORDERS) ?? WHOLE.sort,
      zsort: orderOf(zsort, ZONE_ORDERS) ?? WHOLE.zsort,
      zones: partOf(zones) ?? WHOLE.zones,
      secondaries: partOf(secondaries) ?? WHOLE.secondaries,
    }),
  );

function partOf(text: string): number | null {
  return /^[1-9]\d{0,5}$/.test(text) ? Number(text) : null;
}

function orderOf<Column extends string>(value: string, columns: readonly Column[]): Order<Column> | null {
  const down = value.startsWith('-');
  const by = columns.find((each) => each === (down ? value.slice(1) : value));
  return by === undefined ? null : { by, down };
}

function orderText({ by, down }: Order<string>): string {
  return `${down ? '-' : ''}${by}`;
}

/** `?state=failing`; empty for what is shown anyway. */
export function addressOf(query: PageQuery): string {
  const fields = new URLSearchParams();
  if (query.q !== '') fields.set('q', query.q);
  if (query.state !== WHOLE.state) fields.set('state', query.state);
  if (orderText(query.sort) !== orderText(WHOLE.sort)) fields.set('sort', orderText(query.sort));
  if (orderText(query.zsort) !== orderText(WHOLE.zsort)) fields.set('zsort', orderText(query.zsort));
  if (query.zones !== WHOLE.zones) fields.set('zones', String(query.zones));
  if (query.secondaries !== WHOLE.secondaries) fields.set('secondaries', String(query.secondaries));
  const encoded = fields.toString();
  return encoded === '' ? '' : `?${encoded}`;
}

/** The query as the form sends it back: everything but the filter. */
export function hiddenFields(query: PageQuery): readonly (readonly [name: string, value: string])[] {
  const fields: (readonly [string, string])[] = [];
  if (orderText(query.sort) !== orderText(WHOLE.sort)) fields.push(['sort', orderText(query.sort)]);
  if (orderText(query.zsort) !== orderText(WHOLE.zsort)) fields.push(['zsort', orderText(query.zsort)]);
  return fields;
}
