/** Nobody has us wait longer, whatever is said. */
export const RETRY_AFTER_MAX_MS = 3_600_000;

/**
 * What the field `retry-after` of an HTTP answer says, seconds or a date (RFC 9110 §10.2.3), as milliseconds from `now`
 * (epoch milliseconds), at most an hour; null: it is not there, or says neither.
 */
export function retryAfterMs(field: unknown, now = Date.now()): number | null {
  const text = typeof field === 'string' ? field.trim() : '';
  if (text === '') return null;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isNaN(ms) ? null : Math.min(Math.max(0, ms), RETRY_AFTER_MAX_MS);
}
