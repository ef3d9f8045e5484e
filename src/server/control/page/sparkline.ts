/** Fetch times as a small chart, with its figures in words. */
import type { History } from '../../../health/judge/history.ts';
import { type Html, html } from './html.ts';

const WIDTH = 120;
const HEIGHT = 22;
/** Seconds that the judge's window reaches back. */
const WINDOW = 300;

export type Chart = {
  readonly samples: History;
  readonly goodenough: number;
  /** A sample of this length or more failed. */
  readonly timeout: number;
  readonly now: number;
};

/**
 * Time from left to right up to the newest sample. The height is that of the longest fetch that did not fail, at least a
 * quarter more than `goodenough`, whose line is dotted; failures are bars over the full height. What is within the
 * judge's window is shaded.
 */
export function sparkline({ samples, goodenough, timeout, now }: Chart): Html {
  const { times, seconds } = samples;
  if (times.length === 0) return html`<span class="none">–</span>`;
  const first = times[0];
  const end = times[times.length - 1];
  const span = Math.max(end - first, 1);
  const passed = seconds.filter((each) => each < timeout);
  const top = Math.max(goodenough * 1.25, ...passed);
  const x = (at: number): string => (((at - first) / span) * (WIDTH - 4) + 2).toFixed(1);
  const y = (value: number): string => (HEIGHT - 2 - (Math.min(value, top) / top) * (HEIGHT - 4)).toFixed(1);

  let line = '';
  let bars = '';
  let isBroken = true;
  for (let i = 0; i < times.length; i++) {
    if (seconds[i] >= timeout) {
      bars += `M${x(times[i])} 1V${HEIGHT - 1}`;
      isBroken = true;
      continue;
    }
    line += `${isBroken ? 'M' : 'L'}${x(times[i])} ${y(seconds[i])}`;
    // A lone sample between two failures is a dot.
    if (isBroken) line += 'h.1';
    isBroken = false;
  }
  const windowFrom = Math.max(first, Math.min(end, now - WINDOW));
  const windowWidth = (WIDTH - 2 - Number(x(windowFrom))).toFixed(1);
  return html`<svg class="spark" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="${inWords(samples, timeout)}"><rect class="w" x="${x(windowFrom)}" y="0" width="${windowWidth}" height="${HEIGHT}"/><path class="g" d="M0 ${y(goodenough)}H${WIDTH}"/><path class="l" d="${line}"/><path class="f" d="${bars}"/></svg>`;
}

function inWords({ times, seconds }: History, timeout: number): string {
  const passed = seconds.filter((each) => each < timeout);
  const failed = seconds.length - passed.length;
  const failures = failed === 0 ? '' : `, ${failed} failed`;
  const range = passed.length === 0 ? '' : `, ${Math.min(...passed).toFixed(3)} to ${Math.max(...passed).toFixed(3)} s`;
  const minutes = Math.round((times[times.length - 1] - times[0]) / 60);
  return `${times.length} fetches in ${minutes} min${range}${failures}`;
}
