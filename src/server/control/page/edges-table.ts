/** The table of a network's edges: pure, from the API's values. */
import type { History } from '../../../health/judge/history.ts';
import type { EdgeJson, MemberJson, NetworkJson, SayJson } from '../api/json.ts';
import { authorOf, codeOf, HEALTH_TONE, healthOf, isShown, JUDGEMENTS, type Judged, sortEdges } from './edge-state.ts';
import { codeMeaning } from './fail-code.ts';
import { type Content, type Html, html } from './html.ts';
import { duration, figure, moment } from './moment.ts';
import { anchor, type Column, chip, columnHead, pageLink } from './parts.ts';
import type { EdgeOrder, PageQuery } from './query.ts';
import { sparkline } from './sparkline.ts';

/** What a row is made of besides the network. */
export type EdgeTools = {
  readonly query: PageQuery;
  readonly samples: (edge: string) => History;
  /** Forms for changing things; null where nobody may. */
  readonly actions: ((edge: EdgeJson) => Html) | null;
  /** The edge's own page; null: there is none. */
  readonly link: ((network: string, edge: string) => string) | null;
};

const COLUMNS: readonly Column<EdgeOrder>[] = [
  { title: 'Edge', sort: 'edge' },
  { title: 'Answer', sort: 'live' },
  { title: 'Health', sort: 'health' },
  { title: 'Failure', sort: null },
  { title: 'Last', sort: 'last', isNumber: true, unit: 's' },
  { title: '300 s', sort: 'window', isNumber: true },
  { title: 'All', sort: 'average', isNumber: true },
  { title: 'Fetch times', sort: null },
  { title: 'Mode', sort: 'mode' },
  { title: 'Why', sort: null },
];

export function edgesTable(network: NetworkJson, tools: EdgeTools): Html {
  const { query } = tools;
  const name = network.network;
  const shown = sortEdges(
    network.edges.filter((edge) => isShown(edge, name, query)),
    query.sort,
  );
  if (shown.length === 0) {
    const none =
      network.edges.length === 0 ? 'No edge is listed.' : `None of the ${network.edges.length} edges matches.`;
    return html`<p class="empty">${none}</p>`;
  }
  const id = anchor('network', name);
  const heads = COLUMNS.map((column) => columnHead(column, query.sort, (sort) => pageLink(query, { sort }, id)));
  const hidden = network.edges.length - shown.length;
  const caption = `Edges of ${name}${hidden === 0 ? '' : `: ${shown.length} of ${network.edges.length}, by the filter`}`;
  const actions = tools.actions === null ? null : html`<th scope="col">Change</th>`;
  return html`<div class="scroll" role="region" aria-label="Edges of ${name}" tabindex="0"><table class="edges${tools.actions === null ? null : ' changeable'}"><caption>${caption}</caption><thead><tr>${heads}${actions}</tr></thead><tbody>${shown.map((edge) => edgeRow(network, edge, tools))}</tbody></table></div>`;
}

function edgeRow(network: NetworkJson, edge: EdgeJson, tools: EdgeTools): Html {
  const { now, goodenough, timeout } = network;
  const health = healthOf(edge);
  const isLive = edge.state === 'in';
  const id = anchor('edge', network.network, edge.edge);
  const { link, actions } = tools;
  const name =
    link === null
      ? html`<a href="#${id}">${edge.edge}</a>`
      : html`<a href="${link(network.network, edge.edge)}">${edge.edge}</a>`;
  const spark = sparkline({ samples: tools.samples(edge.edge), goodenough, timeout, now });
  const flip = `${edge.edge}: ${isLive ? 'in the answer' : 'not in the answer'}, ${health}`;
  return html`<tr id="${id}" class="row ${isLive ? 'in' : 'out'} ${health}" tabindex="-1" data-flip="${flip}"><th scope="row">${name}${addressLine(edge)}</th><td data-label="Answer">${isLive ? chip('good', 'in') : chip('plain', 'out')}</td><td data-label="Health">${healthCell(edge, now)}</td><td data-label="Failure">${failureCell(edge)}</td><td class="n" data-label="Last">${figure(edge.last)}</td><td class="n" data-label="300 s">${figure(edge.window_average)}</td><td class="n" data-label="All">${figure(edge.average)}</td><td class="chart" data-label="Fetch times">${spark}</td><td data-label="Mode">${modeCell(edge, now)}</td><td class="why" data-label="Why">${whyCell(edge, now)}</td>${actions === null ? null : html`<td class="change">${actions(edge)}</td>`}</tr>\n`;
}

/** Nothing for an edge that is named by its address. */
function addressLine({ edge, addresses: { v4, v6 } }: EdgeJson): Content {
  const known = [v4, v6].filter((address) => address !== null && address !== edge);
  return known.length === 0
    ? null
    : html`<span class="addr">${known.map((address) => html`<span>${address}</span> `)}</span>`;
}

/** Up or down, since when, and how far the next change is. */
export function healthCell(
  member: Judged & { readonly suspect?: boolean | undefined; readonly verification_failed: boolean },
  now: number,
): Html {
  const health = healthOf(member);
  const { since, position } = member.uptime;
  const judged = member.judgement === null ? 'not judged' : JUDGEMENTS[member.judgement][1];
  const at = since === null ? null : html` <span class="since">${moment(since, now)}</span>`;
  const towards =
    position === null
      ? null
      : html` <span class="pos" title="results in a row towards ${position.towards}">${position.count}/${position.of} to ${position.towards}</span>`;
  return html`${chip(HEALTH_TONE[health], health, judged)}${at}${towards}${member.suspect === true ? html` ${chip('warn', 'suspect', 'some vantage points see it down')}` : null}${member.verification_failed ? html` ${chip('warn', 'wrong object', 'it served another object than the expected one')}` : null}`;
}

export function failureCell(member: MemberJson): Html {
  const code = codeOf(member);
  if (code === null) return html`<span class="none" aria-label="none">–</span>`;
  return html`<abbr class="code" title="${codeMeaning(code)}: ${member.fail?.detail}">${code}</abbr>`;
}

const MODES: { readonly [mode in MemberJson['mode']]: string } = {
  available: 'available',
  force: 'forced in',
  blindforce: 'blindly forced in',
  unavailable: 'unavailable',
};

/** What an operator set, beside what is: an edge that is forced in and fails shows both. */
export function modeCell(member: MemberJson, now: number): Html {
  const { mode, comment, mode_since, mode_until } = member;
  const { author, text } = authorOf(comment);
  if (mode === 'available' && comment === '') return html`<span class="quiet">available</span>`;
  const word = mode === 'available' ? html`<span class="quiet">available</span>` : chip('warn', MODES[mode]);
  const by = author === null ? null : html` by <bdi>${author}</bdi>`;
  const since = mode_since === null ? null : html` since ${moment(mode_since, now)}`;
  const until = mode_until === null ? null : html`, until ${moment(mode_until, now)}`;
  const said = text === '' ? null : html` <q class="comment"><bdi>${text}</bdi></q>`;
  return html`${word}${said}<span class="by">${by}${since}${until}</span>`;
}

/** The reason in a line; unfolded, everything that is behind it. */
function whyCell(edge: EdgeJson, now: number): Html {
  const line = edge.reason ?? edge.why ?? 'no decision yet';
  return html`<details><summary>${line}</summary>${facts(edge, now)}</details>${saysLine(edge.says)}`;
}

const UP = ['good', '✓', 'up'] as const;
const DOWN = ['bad', '✗', 'down'] as const;
const NO_OPINION = ['plain', '·', 'no opinion'] as const;

function saysLine(says: readonly SayJson[] | undefined): Content {
  if (says === undefined || says.length === 0) return null;
  const each = says.map(({ vantage, up, detail }) => {
    const [tone, sign, word] = up === null ? NO_OPINION : up ? UP : DOWN;
    return html`<li title="${vantage}: ${word}, ${detail}">${vantage} <span class="say ${tone}" aria-hidden="true">${sign}</span> <span class="visually-hidden">${word}</span></li>`;
  });
  return html`<ul class="says" aria-label="What each vantage point says">${each}</ul>`;
}

function facts(edge: EdgeJson, now: number): Html {
  const { uptime, fail, checks, says } = edge;
  const code = codeOf(edge);
  const rows: (readonly [string, Content])[] = [
    ['Judged', edge.judgement === null ? 'not judged' : JUDGEMENTS[edge.judgement][0]],
    ['Because', edge.why],
    [
      'Failure',
      fail === null || code === null ? null : html`<code>${code}</code> ${codeMeaning(code)}: ${fail.detail}`,
    ],
    [
      'Fetched',
      edge.last_at === null
        ? null
        : html`${moment(edge.last_at, now)} from ${edge.address ?? 'no address'}, ${edge.attempts} tries`,
    ],
    ['Down lately', uptime.downtime_last_day > 0 ? `${duration(uptime.downtime_last_day)} of the last 24 h` : null],
    [
      'Last failure',
      uptime.last_failure === null
        ? null
        : html`${moment(uptime.last_failure.at, now)}: ${uptime.last_failure.reason}: ${uptime.last_failure.detail}`,
    ],
    [
      'Changes',
      uptime.transitions.length === 0
        ? null
        : uptime.transitions
            .slice(-5)
            .reverse()
            .map(({ at, up }) => html`<span class="step">${up ? 'up' : 'down'} ${moment(at, now)}</span> `),
    ],
    [
      'Checks',
      checks.length < 2
        ? null
        : checks.map(
            (check) =>
              html`<span class="step">${check.name} (${check.kind}) ${figure(check.seconds)} s${check.fail === null ? null : html`, ${check.fail.detail}`}</span> `,
          ),
    ],
    [
      'Vantage points',
      says === undefined || says.length === 0
        ? null
        : says.map(
            ({ vantage, up, detail }) =>
              html`<span class="step">${vantage}: ${up === null ? 'no opinion' : up ? 'up' : 'down'}, ${detail}</span> `,
          ),
    ],
  ];
  const known = rows.filter(([, value]) => value !== null && value !== '');
  return html`<dl class="facts">${known.map(([term, value]) => html`<dt>${term}</dt><dd>${value}</dd>`)}</dl>`;
}
