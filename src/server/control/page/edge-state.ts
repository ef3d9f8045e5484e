/** What the page says of an edge or a canary in one word each, made of the API's value. */
import { failCode } from '../../../health/checks/fail-code.ts';
import type { EdgeJson, MemberJson, VerdictJson } from '../api/json.ts';
import type { Tone } from './parts.ts';
import type { PageQuery } from './query.ts';

export type Judged = MemberJson & VerdictJson;

/** Up or down by the judge; while nothing was judged, `unknown`. */
export type Health = 'up' | 'down' | 'unknown';

export function healthOf({ uptime, judgement }: Pick<Judged, 'uptime' | 'judgement'>): Health {
  const up = uptime.up ?? (judgement === null ? null : judgement !== 'fail');
  return up === null ? 'unknown' : up ? 'up' : 'down';
}

export const HEALTH_TONE: { readonly [health in Health]: Tone } = { up: 'good', down: 'bad', unknown: 'plain' };

/** `pass_threshold` as people say it, and what it means. */
export const JUDGEMENTS: { readonly [judgement in NonNullable<VerdictJson['judgement']>]: readonly [string, string] } =
  {
    pass_threshold: ['fast', 'the last fetch is faster than goodenough'],
    pass_window: ['fast lately', 'the average of the last 300 s is faster than goodenough'],
    pass_average: ['fast on average', 'the average of all samples is faster than goodenough'],
    pass: ['passes', 'it answers, slower than goodenough'],
    fail: ['fails', 'the last fetch failed, or results in a row call it down'],
  };

/** Of the newest fetch; null: it did not fail. */
export function codeOf({ fail, check, checks }: MemberJson): string | null {
  if (fail === null) return null;
  return failCode({ ...fail, kind: checks.find(({ name }) => name === check)?.kind ?? null });
}

/** `[ops] disk full` is by `ops`; a comment without it is by somebody unknown. */
export function authorOf(comment: string): { readonly author: string | null; readonly text: string } {
  const found = /^\[([^[\]]{1,64})\]\s*([\s\S]*)$/.exec(comment);
  return found === null ? { author: null, text: comment } : { author: found[1], text: found[2] };
}

/** The higher, the sooner somebody should look at it. */
export function urgency(edge: EdgeJson): number {
  const health = healthOf(edge);
  const isLive = edge.state === 'in';
  if (isLive && health === 'down') return 5;
  if (health === 'down') return 4;
  if (edge.suspect === true || edge.verification_failed) return 3;
  if (edge.fail !== null) return 2;
  if (edge.mode !== 'available' || health === 'unknown') return 1;
  return 0;
}

export function isShown(edge: EdgeJson, network: string, { q, state }: PageQuery): boolean {
  if (state === 'failing' && urgency(edge) < 2) return false;
  if (state === 'live' && edge.state !== 'in') return false;
  if (state === 'out' && edge.state !== 'out') return false;
  if (state === 'set' && edge.mode === 'available') return false;
  if (q === '') return true;
  const { v4, v6 } = edge.addresses;
  const texts = [edge.edge, network, v4, v6, edge.mode, edge.comment, codeOf(edge), edge.fail?.detail, edge.reason];
  return texts.some((text) => text?.toLowerCase().includes(q) === true);
}

export function sortEdges(edges: readonly EdgeJson[], { by, down }: PageQuery['sort']): readonly EdgeJson[] {
  const key = KEYS[by];
  const sign = down ? -1 : 1;
  return [...edges].sort((a, b) => sign * compare(key(a), key(b)) || compare(a.edge, b.edge));
}

/** What comes first upwards; what is not known comes last. */
const KEYS: { readonly [by in PageQuery['sort']['by']]: (edge: EdgeJson) => string | number } = {
  edge: ({ edge }) => edge,
  live: ({ state }) => (state === 'in' ? 0 : 1),
  health: (edge) => -urgency(edge),
  last: ({ last }) => last ?? Number.POSITIVE_INFINITY,
  window: (edge) => edge.window_average ?? Number.POSITIVE_INFINITY,
  average: ({ average }) => average ?? Number.POSITIVE_INFINITY,
  mode: ({ mode }) => (mode === 'available' ? 1 : 0),
};

export function compare<Value extends string | number>(a: Value, b: Value): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
