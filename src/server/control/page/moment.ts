/** Times and figures as the page writes them. Epoch seconds and seconds in. */
import { type Html, html } from './html.ts';

const DATES_END = 253_402_300_800; // the year 10000
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;
const DAY = 86_400;

/**
 * `17:20:03` of the same day (UTC), `Nov 20 17:20` within half a year, else the date. The script of the page makes it an
 * age, `3 min ago`.
 */
export function moment(at: number | null, now: number): Html {
  if (at === null) return html`<span class="none">–</span>`;
  if (!(Math.abs(at) < DATES_END)) return html`${at} s after 1970`;
  const iso = new Date(Math.round(at) * 1000).toISOString();
  const exact = `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
  return html`<time datetime="${iso.slice(0, 19)}Z" title="${exact}" data-age>${shortMoment(iso, at, now)}</time>`;
}

function shortMoment(iso: string, at: number, now: number): string {
  if (Math.floor(at / DAY) === Math.floor(now / DAY)) return iso.slice(11, 19);
  if (Math.abs(now - at) > 180 * DAY) return iso.slice(0, 10);
  return `${MONTHS[Number(iso.slice(5, 7)) - 1]} ${iso.slice(8, 10)} ${iso.slice(11, 16)}`;
}

/** `42 s`, `3 min`, `5 h 20 min`, `3 d 4 h`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 120) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return hours % 24 === 0 ? `${Math.floor(hours / 24)} d` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** `0.204`; a dash where nothing is known. */
export function figure(seconds: number | null): Html {
  return seconds === null ? html`<span class="none">–</span>` : html`${seconds.toFixed(3)}`;
}

/** `12,345`. */
export function number(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}
