/** Where else the answers go: secondaries with their lag, sets at other people's DNS, notices, vantage points. */
import type { PublishJson, SecondaryJson, VantageJson } from '../api/json.ts';
import { compare } from './edge-state.ts';
import { type Content, type Html, html } from './html.ts';
import { duration, moment, number } from './moment.ts';
import { anchor, chip, pager, sentences, type Tone } from './parts.ts';
import type { PageQuery } from './query.ts';

/** Rows of secondaries at once. */
const PART = 200;

/** What a target of notices has come to since the start. */
export type NoticeRow = {
  readonly target: string;
  readonly sent: number;
  readonly failed: number;
  readonly pending: number;
  /** A sentence while it does not work. */
  readonly problem: string | null;
};

function table(id: string, caption: string, columns: readonly string[], rows: readonly Html[]): Html {
  const heads = columns.map((title) => html`<th scope="col">${title}</th>`);
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table class="${id}"><caption>${caption}</caption><thead><tr>${heads}</tr></thead><tbody>${rows}</tbody></table></div>`;
}

const SECONDARY: { readonly [state in SecondaryJson['state']]: readonly [Tone, string, number] } = {
  unknown: ['bad', 'no answer', 0],
  ahead: ['bad', 'ahead', 1],
  behind: ['warn', 'behind', 2],
  current: ['good', 'current', 3],
};

/** Nothing where there are no secondaries. */
export function secondariesSection(rows: readonly SecondaryJson[], query: PageQuery, now: number): Html | null {
  if (rows.length === 0) return null;
  const late = rows.filter(({ state }) => state !== 'current').length;
  const shown = rows
    .filter(({ secondary, zone, state, network, error }) => {
      if (query.state === 'failing' && state === 'current') return false;
      return [secondary, zone, network, state, error].some((text) => text?.toLowerCase().includes(query.q) === true);
    })
    .sort(
      (a, b) =>
        SECONDARY[a.state][2] - SECONDARY[b.state][2] ||
        (b.lag_seconds ?? 0) - (a.lag_seconds ?? 0) ||
        compare(a.secondary, b.secondary) ||
        compare(a.zone, b.zone),
    );
  const pages = Math.max(1, Math.ceil(shown.length / PART));
  const page = Math.min(query.secondaries, pages);
  const part = shown.slice((page - 1) * PART, page * PART);
  const from = (page - 1) * PART + 1;
  const range = pages === 1 ? '' : `: ${number(from)} to ${number(from + part.length - 1)} of ${number(shown.length)}`;
  const columns = ['Secondary', 'Zone', 'State', 'Its serial', 'Ours', 'Lag', 'Asked', 'Error'];
  return html`<h2 id="secondaries" tabindex="-1"><a href="#secondaries">Secondaries</a> <small>${number(rows.length)}</small> ${late === 0 ? chip('good', 'all current') : chip('warn', `${late} not current`)}</h2>
${
  part.length === 0
    ? html`<p class="empty">None of the ${number(rows.length)} matches.</p>`
    : table(
        'secondaries',
        `Secondaries and their lag${range}`,
        columns,
        part.map((row) => secondaryRow(row, now)),
      )
}
${pager({ kind: 'secondaries', word: 'Secondaries', query, page, pages })}`;
}

function secondaryRow(row: SecondaryJson, now: number): Html {
  const [tone, word] = SECONDARY[row.state];
  const lag = row.lag_seconds === null ? '–' : duration(row.lag_seconds);
  return html`<tr><th scope="row">${row.secondary}</th><td>${row.zone}</td><td>${chip(tone, word)}</td><td class="num">${row.serial ?? '–'}</td><td class="num">${row.our_serial}</td><td>${lag}</td><td>${moment(row.checked_at, now)}</td><td class="why">${row.error}</td></tr>\n`;
}

const PUBLISH: { readonly [state in PublishJson['state']]: readonly [Tone, string] } = {
  right: ['good', 'right'],
  unknown: ['plain', 'not known yet'],
  differs: ['warn', 'differs'],
  foreign: ['warn', 'changed by others'],
  failing: ['bad', 'failing'],
};

/** Providers and notices; nothing where there are none. `actions`: a form to test a target of notices. */
export function publishSection(
  publish: readonly PublishJson[],
  notices: readonly NoticeRow[],
  now: number,
  actions: ((target: string) => Html) | null,
): Html | null {
  if (publish.length === 0 && notices.length === 0) return null;
  const bad =
    publish.filter(({ state }) => PUBLISH[state][0] !== 'good' && state !== 'unknown').length +
    notices.filter(({ problem }) => problem !== null).length;
  const state = bad === 0 ? chip('good', 'all well') : chip('bad', `${bad} with trouble`);
  return html`<h2 id="publish" tabindex="-1"><a href="#publish">Providers and notices</a> ${state}</h2>
${
  publish.length === 0
    ? null
    : table(
        'publish',
        'Sets at other DNS providers',
        ['Target', 'Network', 'State', 'Names', 'Since', 'Last right', 'Corrections', 'Problem'],
        publish.map((row) => publishRow(row, now)),
      )
}
${
  notices.length === 0
    ? null
    : table(
        'notices',
        'Notices',
        ['Target', 'State', 'Sent', 'Failed', 'Waiting', 'Problem', ...(actions === null ? [] : ['Change'])],
        notices.map((row) => noticeRow(row, actions)),
      )
}`;
}

function publishRow(row: PublishJson, now: number): Html {
  const [tone, word] = PUBLISH[row.state];
  return html`<tr><th scope="row">${row.target} <small>${row.provider}</small></th><td><a href="#${anchor('network', row.network)}">${row.network}</a></td><td>${chip(tone, word)}</td><td>${row.names.join(', ')}</td><td>${moment(row.since, now)}</td><td>${moment(row.last_right, now)}</td><td class="n">${number(row.corrections)}</td><td class="why">${row.problem}</td></tr>\n`;
}

function noticeRow(row: NoticeRow, actions: ((target: string) => Html) | null): Html {
  const state = row.problem === null ? chip('good', 'works') : chip('bad', 'failing');
  return html`<tr><th scope="row">${row.target}</th><td>${state}</td><td class="n">${number(row.sent)}</td><td class="n">${number(row.failed)}</td><td class="n">${number(row.pending)}</td><td class="why">${row.problem}</td>${actions === null ? null : html`<td>${actions(row.target)}</td>`}</tr>\n`;
}

/** Several vantage points; nothing where this server decides alone. */
export function vantageSection(vantage: VantageJson | null): Html | null {
  if (vantage === null) return null;
  const { vantages, networks, decider, override, now, faults } = vantage;
  const away = vantages.filter(({ reachable }) => !reachable).length;
  const state =
    away === 0 && faults.length === 0 ? chip('good', 'all reachable') : chip('warn', `${away} not reachable`);
  const who =
    decider === null
      ? 'Each vantage point decides for itself.'
      : html`${decider.vantage ?? 'Nobody'} decides${decider.since === null ? null : html` since ${moment(decider.since, now)}`}.`;
  const columns = ['Vantage point', 'State', 'Heard', 'Version', 'Clock', 'Problem'];
  const rows = vantages.map(
    (each) =>
      html`<tr><th scope="row">${each.vantage}${each.is_self ? html` <small>this server</small>` : null}</th><td>${each.reachable ? chip('good', 'reachable') : chip('bad', 'not reachable')}</td><td>${each.last_heard === null ? 'never' : `${duration(each.last_heard)} ago`}</td><td>${each.version}</td><td>${clock(each.clock_offset)}</td><td class="why">${each.problem}</td></tr>\n`,
  );
  const agreed = networks.map(({ network, counting, needed, views, decided, suspects }) => {
    const left = views.filter(({ counts }) => !counts).map((view) => view.vantage);
    return html`<tr><th scope="row"><a href="#${anchor('network', network)}">${network}</a></th><td>${chip(counting >= needed ? 'good' : 'bad', `${counting} count, ${needed} needed`)}</td><td>${left.length === 0 ? '–' : left.join(', ')}</td><td>${decided === null ? '–' : html`<span class="num">${decided.serial}</span> by ${decided.by} ${moment(decided.at, now)}`}</td><td>${suspects.length === 0 ? '–' : suspects.map(({ edge }) => edge).join(', ')}</td></tr>\n`;
  });
  const alone: Content =
    override === null
      ? null
      : html`<div class="box warn"><h3>! This server decides alone</h3><p>${override.reason}, by <bdi>${override.by}</bdi> since ${moment(override.at, now)}${override.until === null ? null : html`, until ${moment(override.until, now)}`}</p></div>`;
  return html`<h2 id="vantage" tabindex="-1"><a href="#vantage">Vantage points</a> <small>${vantages.length}</small> ${state}</h2>
<p>${who}${vantage.connected === false ? html` ${chip('bad', 'etcd does not answer')}` : null}</p>
${alone}${sentences('warn', 'What does not work', faults)}
${table('vantages', 'Vantage points', columns, rows)}
${table('agreement', 'Agreement by network', ['Network', 'Views', 'Left out', 'Newest set', 'Suspect edges'], agreed)}`;
}

function clock(offset: number | null): Content {
  if (offset === null) return '–';
  return Math.abs(offset) < 0.5 ? 'right' : `${offset > 0 ? '+' : '−'}${Math.abs(offset).toFixed(1)} s`;
}
