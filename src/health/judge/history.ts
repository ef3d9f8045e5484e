/** Samples kept of one edge (specification section 3). */
export const HISTORY_MAX = 2000;
/** Entries of `historical_average`: one more than samples, as edgemanage keeps them. */
export const AVERAGES_MAX = 2001;
/** Samples of this age in seconds or less make up the window. */
const WINDOW_SECONDS = 300;

/**
 * Samples of one edge, newest last, at most HISTORY_MAX: when each was taken (epoch seconds), how long it took. It never
 * changes. Both arrays may be copies made for the caller: take each once, and ask `sampleCount` for their length.
 */
export type History = { readonly times: readonly number[]; readonly seconds: readonly number[] };

/** A history summed up to what judging compares; null where no sample is behind it. */
export type Figures = {
  readonly last: number | null;
  /** Over samples aged 300 s or less. */
  readonly windowAverage: number | null;
  readonly windowCount: number;
  /** Over all stored samples. */
  readonly average: number | null;
  readonly count: number;
};

export const EMPTY_HISTORY: History = { times: [], seconds: [] };

/** Epoch seconds as the stores stamp them: to the centisecond. */
function centiseconds(at: number): number {
  return Math.round(at * 100) / 100;
}

/** How long a sample took as the stores keep it: to the microsecond. Nobody measures finer, and files are a third shorter. */
export function microseconds(seconds: number): number {
  return Math.round(seconds * 1e6) / 1e6;
}

/**
 * The history with one sample more, at most `max`. A sample of the same centisecond is replaced, so that adding one
 * twice is adding it once (the very same history comes back). Samples later than `at` are dropped: the clock has been
 * set back since, and they would pass for the newest until it caught up.
 */
export function addSample(history: History, at: number, seconds: number, max = HISTORY_MAX): History {
  return append(history, centiseconds(at), seconds, max);
}

/**
 * Adds to `historical_average`: a sample that lands in minute 0 of an hour (UTC) notes the overall average. Nothing
 * reads it but people who keep the files.
 */
export function noteAverage(averages: History, at: number, average: () => number): History {
  const minute = Math.floor(at / 60) % 60;
  return minute === 0 ? append(averages, centiseconds(at), average(), AVERAGES_MAX) : averages;
}

/** The newest samples, at most `most`, as copies. */
export function newestSamples(history: History, most: number): History {
  const { allTimes, allSeconds, from, to } = spanOf(history);
  const first = Math.max(from, to - most);
  return { times: allTimes.slice(first, to), seconds: allSeconds.slice(first, to) };
}

/** How many samples a history has. */
export function sampleCount(history: History): number {
  const { from, to } = spanOf(history);
  return to - from;
}

/** Samples `from` to (not including) `to` of arrays that may have more before and behind them. */
type Span = {
  readonly allTimes: readonly number[];
  readonly allSeconds: readonly number[];
  readonly from: number;
  readonly to: number;
};

/** Dropped samples that stay at the beginning of shared arrays before the others are copied out of them. */
const DROPPED_MAX = 500;

/**
 * A history that shares its arrays with the ones it was made of and those made of it, each of which reads its own span:
 * a copy of 2,000 samples for each edge in each round would be most of what the garbage collector has to do. The arrays
 * only ever grow at their end, by the one history that ends there; whatever else is to follow upon a history is copied.
 */
class SharedHistory implements History, Span {
  readonly allTimes: number[];
  readonly allSeconds: number[];
  readonly from: number;
  readonly to: number;

  constructor(allTimes: number[], allSeconds: number[], from: number) {
    this.allTimes = allTimes;
    this.allSeconds = allSeconds;
    this.from = from;
    this.to = allTimes.length;
  }

  get times(): readonly number[] {
    return this.allTimes.slice(this.from, this.to);
  }

  get seconds(): readonly number[] {
    return this.allSeconds.slice(this.from, this.to);
  }

  /** Whether its arrays end with its own newest sample, so that one more may be added to them. */
  isNewest(): boolean {
    return this.to === this.allTimes.length;
  }
}

function spanOf(history: History): Span {
  if (history instanceof SharedHistory) return history;
  const { times, seconds } = history;
  return { allTimes: times, allSeconds: seconds, from: 0, to: times.length };
}

function append(history: History, stamp: number, value: number, max: number): History {
  const { allTimes, allSeconds, from: first, to: end } = spanOf(history);
  const count = end - first;
  if (count > 0 && count <= max && allTimes[end - 1] === stamp && allSeconds[end - 1] === value) return history;

  let keep = end;
  while (keep > first && allTimes[keep - 1] >= stamp) keep--;
  const from = Math.max(first, keep + 1 - max);
  if (history instanceof SharedHistory && keep === end && history.isNewest() && from <= DROPPED_MAX) {
    history.allTimes.push(stamp);
    history.allSeconds.push(value);
    return new SharedHistory(history.allTimes, history.allSeconds, from);
  }
  const newTimes = allTimes.slice(from, keep);
  const newSeconds = allSeconds.slice(from, keep);
  newTimes.push(stamp);
  newSeconds.push(value);
  return new SharedHistory(newTimes, newSeconds, 0);
}

/** Sums a history up for the judge. `now` decides the window only. */
export function figuresOf(history: History, now: number): Figures {
  const { allTimes, allSeconds, from, to } = spanOf(history);
  const count = to - from;
  let windowFrom = to;
  // In whole centiseconds: epoch seconds are too large for a double to keep "exactly 300 s" apart from a hair more.
  while (windowFrom > from && Math.round((now - allTimes[windowFrom - 1]) * 100) <= WINDOW_SECONDS * 100) windowFrom--;
  return {
    last: count === 0 ? null : allSeconds[to - 1],
    windowAverage: mean(allSeconds, windowFrom, to),
    windowCount: to - windowFrom,
    average: averageOf(history),
    count,
  };
}

/** Of histories, which never change: the mean over two thousand samples is asked for in each decision. */
const averages = new WeakMap<History, number | null>();

/** Mean over all samples, seconds; null: there are none. */
export function averageOf(history: History): number | null {
  const known = averages.get(history);
  if (known !== undefined) return known;
  const { allSeconds, from, to } = spanOf(history);
  const average = mean(allSeconds, from, to);
  averages.set(history, average);
  return average;
}

/**
 * Mean of the values `from` to (not including) `to`, rounded to the nanosecond; null when there are none. Taken as
 * distances from the last value and rounded, so that ten times 0.7 s average to 0.7 s, not to a hair under a `goodenough`
 * of 0.7.
 */
function mean(values: readonly number[], from: number, to: number): number | null {
  const count = to - from;
  if (count <= 0) return null;
  const origin = values[to - 1];
  let sum = 0;
  for (let i = from; i < to; i++) sum += values[i] - origin;
  return Math.round((origin + sum / count) * 1e9) / 1e9;
}
