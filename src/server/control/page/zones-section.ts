/** The zones: those with trouble first, a hundred at once, all of them by filter and page. */
import type { ZoneJson } from '../api/json.ts';
import { compare } from './edge-state.ts';
import { type Content, type Html, html } from './html.ts';
import { duration, moment, number } from './moment.ts';
import { anchor, type Column, chip, columnHead, pageLink, pager, type Tone } from './parts.ts';
import type { PageQuery, ZoneOrder } from './query.ts';

/** Rows at once. */
const PART = 100;
/** Signatures that end sooner, seconds, are a warning. */
const SIGNATURES_WARN = 3 * 86_400;

const COLUMNS: readonly Column<ZoneOrder>[] = [
  { title: 'Zone', sort: 'zone' },
  { title: 'State', sort: 'trouble' },
  { title: 'Network', sort: 'network' },
  { title: 'Serial', sort: 'serial', isNumber: true },
  { title: 'Records', sort: 'records', isNumber: true },
  { title: 'Loaded', sort: 'loaded' },
  { title: 'Signatures', sort: null },
  { title: 'Faults', sort: null },
];

const STATES: { readonly [state in ZoneJson['state']]: readonly [Tone, string, string] } = {
  ok: ['good', 'ok', 'loaded'],
  stale: ['warn', 'stale', 'does not load; its last good version is served'],
  broken: ['bad', 'broken', 'does not load; it answers SERVFAIL'],
};

export function zonesSection(zones: readonly ZoneJson[], query: PageQuery, now: number): Html {
  const trouble = zones.filter((zone) => troubleOf(zone, now) > 0).length;
  const count = trouble === 0 ? chip('good', 'all well') : chip('warn', `${trouble} with trouble`);
  return html`<h2 id="zones" tabindex="-1"><a href="#zones">Zones</a> <small>${number(zones.length)}</small> ${zones.length === 0 ? null : count}</h2>
${zones.length === 0 ? html`<p class="empty">There are no zones.</p>` : zonesTable(zones, query, now)}`;
}

function zonesTable(zones: readonly ZoneJson[], query: PageQuery, now: number): Content {
  const shown = zones.filter((zone) => isShown(zone, query, now)).sort((a, b) => order(a, b, query, now));
  if (shown.length === 0) return html`<p class="empty">None of the ${number(zones.length)} zones matches.</p>`;
  const pages = Math.ceil(shown.length / PART);
  const page = Math.min(query.zones, pages);
  const part = shown.slice((page - 1) * PART, page * PART);
  const heads = COLUMNS.map((column) =>
    columnHead(column, query.zsort, (zsort) => pageLink(query, { zsort, zones: 1 }, 'zones')),
  );
  const from = (page - 1) * PART + 1;
  const range = pages === 1 ? '' : `${number(from)} to ${number(from + part.length - 1)} of `;
  const filtered = shown.length === zones.length ? '' : ` that match, of ${number(zones.length)}`;
  return html`<div class="scroll" role="region" aria-label="Zones" tabindex="0"><table class="zones"><caption>Zones: ${range}${number(shown.length)}${filtered}</caption><thead><tr>${heads}</tr></thead><tbody>${part.map((zone) => zoneRow(zone, now))}</tbody></table></div>${pager({ kind: 'zones', word: 'Zones', query, page, pages })}`;
}

function zoneRow(zone: ZoneJson, now: number): Html {
  const [tone, word, meaning] = STATES[zone.state];
  const network =
    zone.network === null
      ? html`<span class="quiet">static</span>`
      : html`<a href="#${anchor('network', zone.network)}">${zone.network}</a>`;
  return html`<tr id="${anchor('zone', zone.zone)}" class="row" tabindex="-1" data-flip="zone ${zone.zone}: ${word}"><th scope="row">${zone.zone}</th><td>${chip(tone, word, meaning)}</td><td>${network}</td><td class="n num">${zone.serial ?? '–'}</td><td class="n">${number(zone.records)}</td><td>${moment(zone.loaded_at, now)}</td><td>${signatures(zone.signatures_end, now)}</td><td class="why">${faultsCell(zone.faults)}</td></tr>\n`;
}

/** The first one's message; unfolded, all of them with the lines they are about. */
function faultsCell(faults: readonly string[]): Content {
  const [first] = faults;
  if (first === undefined) return null;
  const [head] = first.split('\n', 1);
  const more = faults.length === 1 ? null : html` <small>and ${faults.length - 1} more</small>`;
  if (more === null && head === first) return head;
  return html`<details><summary>${head}${more}</summary>${faults.map((fault) => html`<pre>${fault}</pre>`)}</details>`;
}

function signatures(end: number | null, now: number): Content {
  if (end === null) return html`<span class="quiet">none</span>`;
  const left = end - now;
  if (left <= 0) return html`${chip('bad', 'expired')} ${moment(end, now)}`;
  const life = `${duration(left)} left`;
  return left < SIGNATURES_WARN
    ? chip('warn', life)
    : html`<span title="until ${new Date(end * 1000).toISOString()}">${life}</span>`;
}

/** The higher, the sooner somebody should look at it; 0: all is well. */
function troubleOf({ state, faults, signatures_end: end }: ZoneJson, now: number): number {
  if (state === 'broken') return 4;
  if (end !== null && end <= now) return 3;
  if (state === 'stale') return 2;
  return faults.length > 0 || (end !== null && end - now < SIGNATURES_WARN) ? 1 : 0;
}

function isShown(zone: ZoneJson, { q, state }: PageQuery, now: number): boolean {
  if (state === 'failing' && troubleOf(zone, now) === 0) return false;
  if (q === '') return true;
  return [zone.zone, zone.network, zone.state, ...zone.faults].some((text) => text?.toLowerCase().includes(q) === true);
}

function order(a: ZoneJson, b: ZoneJson, { zsort: { by, down } }: PageQuery, now: number): number {
  return (down ? -1 : 1) * compareBy(by, a, b, now) || compare(a.zone, b.zone);
}

function compareBy(by: ZoneOrder, a: ZoneJson, b: ZoneJson, now: number): number {
  switch (by) {
    case 'trouble':
      return troubleOf(b, now) - troubleOf(a, now);
    case 'zone':
      return compare(a.zone, b.zone);
    case 'network':
      return compare(a.network ?? '', b.network ?? '');
    case 'serial':
      return (a.serial ?? 0) - (b.serial ?? 0);
    case 'records':
      return a.records - b.records;
    case 'loaded':
      return (a.loaded_at ?? 0) - (b.loaded_at ?? 0);
  }
}
