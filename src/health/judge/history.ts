/** Samples kept of one edge (specification section 3). */
export const HISTORY_MAX = 2000;
/** Entries of `historical_average`: one more than samples, as edgemanage keeps them. */
export const AVERAGES_MAX = 2001;
/** Samples of this age in seconds or less make up the window. */
const WINDOW_SECONDS = 300;

/** Samples of one edge, newest last, at most HISTORY_MAX: when each was taken (epoch seconds), how long it took. */
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

function append(history: History, stamp: number, value: number, max: number): History {
  const { times, seconds } = history;
  const end = times.length;
  if (end > 0 && end <= max && times[end - 1] === stamp && seconds[end - 1] === value) return history;

  let keep = end;
  while (keep > 0 && times[keep - 1] >= stamp) keep--;
  const from = Math.max(0, keep + 1 - max);
  // Copied whole, then extended: a spread would walk through thousands of samples for each edge in each round.
  const newTimes = times.slice(from, keep);
  const newSeconds = seconds.slice(from, keep);
  newTimes.push(stamp);
  newSeconds.push(value);
  return { times: newTimes, seconds: newSeconds };
}

/** Sums a history up for the judge. `now` decides the window only. */
export function figuresOf(history: History, now: number): Figures {
  const { times, seconds } = history;
  const count = seconds.length;
  let windowFrom = count;
  // In whole centiseconds: epoch seconds are too large for a double to keep "exactly 300 s" apart from a hair more.
  while (windowFrom > 0 && Math.round((now - times[windowFrom - 1]) * 100) <= WINDOW_SECONDS * 100) windowFrom--;
  return {
    last: count === 0 ? null : seconds[count - 1],
    windowAverage: mean(seconds, windowFrom),
    windowCount: count - windowFrom,
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
  const average = mean(history.seconds, 0);
  averages.set(history, average);
  return average;
}

/**
 * Mean of the values from `from` on, rounded to the nanosecond; null when there are none. Taken as distances from the
 * last value and rounded, so that ten times 0.7 s average to 0.7 s, not to a hair under a `goodenough` of 0.7.
 */
function mean(values: readonly number[], from: number): number | null {
  const count = values.length - from;
  if (count <= 0) return null;
  const origin = values[values.length - 1];
  let sum = 0;
  for (let i = from; i < values.length; i++) sum += values[i] - origin;
  return Math.round((origin + sum / count) * 1e9) / 1e9;
}
