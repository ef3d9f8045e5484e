/** One edge: why it is live or not, what would change that, and its recent samples phase by phase. */
import { z } from 'zod';
import { failCode } from '../../../health/checks/fail-code.ts';
import { edgeDetail } from '../api/edge.ts';
import type { EdgeDetailJson } from '../api/schemas/edge-detail.ts';
import { type AnyOperation, operation, type Reply } from '../http/operation.ts';
import { problem } from '../http/problem.ts';
import type { NetworkView, StatusView } from '../views/views.ts';
import { edgeForms } from './action-forms.ts';
import {
  connectionLine,
  document,
  FORM_DIALOG,
  HTML_TYPE,
  PAGE_HEADERS,
  pathLine,
  WITHOUT_SCRIPT,
} from './document.ts';
import { HEALTH_TONE, healthOf, JUDGEMENTS } from './edge-state.ts';
import { failureCell, healthCell, modeCell } from './edges-table.ts';
import { codeMeaning } from './fail-code.ts';
import { type Content, type Html, html } from './html.ts';
import { duration, figure, moment } from './moment.ts';
import { anchor, chip } from './parts.ts';
import { sparkline } from './sparkline.ts';
import type { StaticFile } from './static-files.ts';

/** In the chart. */
const SAMPLES_SHOWN = 120;

export type EdgePage = {
  readonly view: StatusView;
  readonly host: () => string;
  readonly version: () => string;
  readonly address: (file: StaticFile) => string;
};

/** `/networks/NET/edges/EDGE`. */
export function edgeAddress(network: string, edge: string): string {
  return `/networks/${encodeURIComponent(network)}/edges/${encodeURIComponent(edge)}`;
}

export function edgePage({ view, host, version, address }: EdgePage): AnyOperation {
  return operation({
    method: 'GET',
    path: '/networks/{network}/edges/{edge}',
    summary: 'One edge: its samples, and why it is live or not',
    tag: null,
    access: 'read',
    isPersonal: true,
    params: z.object({ network: z.string(), edge: z.string() }),
    answers: { 200: { description: 'The page', type: 'text/html' } },
    handle: async ({ actions }, { params, right }): Promise<Reply> => {
      const network = view.networks().find(({ name }) => name === params.network);
      const now = view.now();
      const detail = network === undefined ? null : await edgeDetail(network, params.edge, now);
      if (network === undefined || detail === null) {
        return problem(404, `no edge ${JSON.stringify(params.edge)} in a network ${JSON.stringify(params.network)}`);
      }
      const body = document({
        title: detail.edge,
        host: host(),
        address,
        header: html`${connectionLine(now)}
${pathLine(
  [
    ['/', 'Status'],
    [`/#${anchor('network', network.name)}`, network.name],
  ],
  detail.edge,
)}
${WITHOUT_SCRIPT}`,
        main: [
          edgeContents(network, detail),
          right === 'write' && actions !== null
            ? html`<section class="small">${edgeForms({ network: network.name, edge: detail, version: detail.mode_version, now, isOwnPage: true })}</section>`
            : null,
        ],
        footer: FORM_DIALOG,
        script: { now, version: version(), follows: `network/${network.name}` },
      });
      return { status: 200, type: HTML_TYPE, body: body.text, headers: PAGE_HEADERS };
    },
  });
}

export function edgeContents(network: NetworkView, edge: EdgeDetailJson): Content {
  return [
    html`<section>${summary(network, edge)}</section>`,
    html`<section>${explanation(edge)}</section>`,
    html`<section>${samples(edge)}</section>`,
    html`<section>${past(edge)}</section>`,
  ];
}

function summary(network: NetworkView, edge: EdgeDetailJson): Html {
  const { now, uptime } = edge;
  const health = healthOf(edge);
  // One that is not in the answer is known by where it was fetched from.
  const { v4, v6 } = edge.addresses;
  const addresses = new Set([v4, v6, edge.address].filter((each) => each !== null));
  const series = network.members.get(edge.edge)?.recent(SAMPLES_SHOWN);
  const chart =
    series === undefined
      ? null
      : html`<div class="wide"><dt>Fetch times</dt><dd class="chart">${sparkline({ samples: series, goodenough: network.goodenough, timeout: network.timeout, now })}</dd></div>`;
  const judged = edge.judgement === null ? 'not judged' : JUDGEMENTS[edge.judgement][0];
  return html`<h2 id="edge" data-flip="${edge.edge}: ${edge.state === 'in' ? 'in the answer' : 'not in the answer'}, ${health}">${edge.edge} ${edge.state === 'in' ? chip('good', 'in the answer') : chip('plain', 'not in the answer')} ${chip(HEALTH_TONE[health], health)}</h2>
<dl class="figures">
<div><dt>Addresses</dt><dd class="num">${[...addresses].join(' ') || 'none'}</dd></div>
<div><dt>Health</dt><dd>${healthCell(edge, now)}</dd></div>
<div><dt>Failure</dt><dd>${failureCell(edge)}</dd></div>
<div><dt>Judged</dt><dd>${judged}</dd></div>
<div><dt>Last</dt><dd>${figure(edge.last)} s</dd></div>
<div><dt>Last 300 s</dt><dd>${figure(edge.window_average)} s</dd></div>
<div><dt>All samples</dt><dd>${figure(edge.average)} s</dd></div>
<div><dt>Down in 24 h</dt><dd>${duration(uptime.downtime_last_day)}</dd></div>
<div class="wide"><dt>Mode</dt><dd>${modeCell(edge, now)}</dd></div>
${chart}
</dl>
${vantages(edge)}`;
}

function vantages({ says = [] }: EdgeDetailJson): Html | null {
  if (says.length === 0) return null;
  const rows = says.map(
    ({ vantage, up, detail }) =>
      html`<tr><th scope="row">${vantage}</th><td>${up === null ? chip('plain', 'no opinion') : up ? chip('good', 'up') : chip('bad', 'down')}</td><td>${detail}</td></tr>`,
  );
  return table('What each vantage point says', ['Vantage point', 'Says', 'Because'], rows);
}

function explanation({ explanation: found, now, reason, why }: EdgeDetailJson): Html {
  if (found === null) return html`<h2>Why</h2><p>${reason ?? why ?? 'Nothing was decided since the start.'}</p>`;
  const prospects = found.prospects.map(
    ({ live, text }) => html`<li>${live ? chip('good', 'in') : chip('plain', 'out')} ${text}</li>`,
  );
  return html`<h2>Why it is ${found.live ? 'in' : 'not in'} the answer</h2>
<p>${found.why}</p>
<p class="quiet">Decided ${moment(found.at, now)}${found.scope === 'event' ? ', between two turns, for edges that failed' : ''}.</p>
<h3>What would change this</h3>
${prospects.length === 0 ? html`<p>Nothing that could be told beforehand.</p>` : html`<ul class="prospects">${prospects}</ul>`}`;
}

const PHASES = ['resolve', 'connect', 'tls', 'first_byte', 'total'] as const;

function samples({ samples: all, now }: EdgeDetailJson): Html {
  const rows = [...all].reverse().flatMap(({ at, addresses, stalled_ms: stalled }) =>
    addresses.flatMap(({ address, checks }) =>
      checks.map(({ name, kind, fail, seconds, attempts, hops, phases }) => {
        const code = fail === null ? null : failCode({ ...fail, kind });
        const result =
          code === null || fail === null
            ? chip('good', 'passed')
            : html`<code class="code">${code}</code> ${codeMeaning(code)}: ${fail.detail}`;
        const besides = [
          attempts > 1 ? `${attempts} tries` : null,
          hops > 0 ? `${hops} redirects` : null,
          stalled > 0 ? `the prober stood still for ${Math.round(stalled)} ms` : null,
        ].filter((each) => each !== null);
        return html`<tr><th scope="row">${moment(at, now)}</th><td class="addr">${address}</td><td class="kind">${name === kind ? kind : `${name} (${kind})`}</td><td class="n">${figure(seconds)}</td>${PHASES.map((phase) => html`<td class="n">${figure(phases[phase])}</td>`)}<td class="result">${result}${besides.length === 0 ? null : html` <small>${besides.join(', ')}</small>`}</td></tr>`;
      }),
    ),
  );
  if (rows.length === 0) return html`<h2>Samples</h2><p>None since the start of the server.</p>`;
  return html`<h2>Samples</h2>${table(
    'The last samples, newest first; seconds',
    ['At', 'Address', 'Check', 'Counts as', 'Resolve', 'Connect', 'TLS', 'First octet', 'Total', 'Result'],
    rows,
    3,
    9,
  )}`;
}

function past({ uptime, mode_changes: changes, now }: EdgeDetailJson): Html {
  const steps = [...uptime.transitions]
    .reverse()
    .map(({ at, up }) => html`<li>${up ? chip('good', 'up') : chip('bad', 'down')} ${moment(at, now)}</li>`);
  const failure = uptime.last_failure;
  const last =
    failure === null
      ? null
      : html`<p>Last failure ${moment(failure.at, now)}: ${failure.reason}, ${failure.detail}${failure.check === null ? null : ` (${failure.check})`}</p>`;
  const rows = [...(changes ?? [])]
    .reverse()
    .map(
      ({ at, network, mode, until, comment }) =>
        html`<tr><th scope="row">${moment(at, now)}</th><td>${mode}</td><td>${moment(until, now)}</td><td>${network}</td><td><bdi>${comment}</bdi></td></tr>`,
    );
  const modes =
    changes === null
      ? html`<p>The history of modes cannot be read.</p>`
      : rows.length === 0
        ? html`<p>Its mode was never changed.</p>`
        : table('Changes of its mode, newest first', ['At', 'Mode', 'Until', 'Asked for in', 'Comment'], rows);
  return html`<h2>Its past</h2>${last}
<h3>Up and down</h3>${steps.length === 0 ? html`<p>No change was seen.</p>` : html`<ul class="steps">${steps}</ul>`}
<h3>Modes</h3>${modes}`;
}

/** Columns from `from` to before `to` are numbers. */
function table(caption: string, heads: readonly string[], rows: readonly Html[], from = 0, to = 0): Html {
  const columns = heads.map((head, i) =>
    i >= from && i < to ? html`<th scope="col" class="n">${head}</th>` : html`<th scope="col">${head}</th>`,
  );
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table><caption>${caption}</caption><thead><tr>${columns}</tr></thead><tbody>${rows}</tbody></table></div>`;
}
