const UNIT_SECONDS: ReadonlyMap<string, number> = new Map([
  ['s', 1],
  ['m', 60],
  ['h', 3600],
  ['d', 86_400],
  ['w', 604_800],
]);

/** A hundred years. Nobody means a longer span, and there are some whose end no clock can show. */
const SPAN_MAX = 100 * 365.25 * 86_400;

/**
 * `90s`, `45m`, `2h`, `1h30m`, `1.5d`; a bare number is seconds. Null: not a span of time, an empty one, or over 100
 * years.
 */
export function spanSeconds(text: string): number | null {
  if (!/^(?:\d+(?:\.\d+)?[smhdw])+$|^\d+(?:\.\d+)?$/.test(text)) return null;
  let total = 0;
  for (const [, number, unit = 's'] of text.matchAll(/(\d+(?:\.\d+)?)([smhdw])?/g)) {
    total += Number(number) * (UNIT_SECONDS.get(unit) ?? 1);
  }
  return total > 0 && total <= SPAN_MAX ? total : null;
}

/**
 * A moment in epoch seconds: `2026-11-22T18:00` with or without seconds and zone (`Z`, `+01:00`; local time without), a
 * blank in place of the `T`, a date alone (its midnight), `18:00` (the next time the clock shows it), or epoch seconds.
 * Null: none of these.
 */
export function momentSeconds(text: string, now: number): number | null {
  if (/^\d{9,11}(?:\.\d+)?$/.test(text)) return Number(text);
  const clock = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text);
  if (clock !== null) return nextClockTime(Number(clock[1]), Number(clock[2]), now);
  const form = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(Z|[+-]\d{2}:?\d{2})?)?$/.exec(text);
  if (form === null) return null;
  // A date alone would be read as UTC, unlike every other form without a zone.
  const milliseconds = Date.parse(`${form[1]}T${form[2] ?? '00:00'}${form[3] ?? ''}`);
  return Number.isNaN(milliseconds) ? null : milliseconds / 1000;
}

function nextClockTime(hours: number, minutes: number, now: number): number {
  const date = new Date(now * 1000);
  date.setHours(hours, minutes, 0, 0);
  if (date.getTime() <= now * 1000) date.setDate(date.getDate() + 1);
  return date.getTime() / 1000;
}
