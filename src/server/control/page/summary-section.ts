/** The head of the page: whether all is well, and each network in a line. */
import type { NetworkSummaryJson, StatusJson } from '../api/json.ts';
import { type Content, type Html, html } from './html.ts';
import { moment, number } from './moment.ts';
import { anchor, chip, sentences } from './parts.ts';

export type Summary = {
  readonly status: StatusJson;
  readonly now: number;
  /** Queries per second, over the last so many seconds; null: not known yet. */
  readonly rate: { readonly perSecond: number; readonly over: number } | null;
  /** Edges that are down, by network. */
  readonly down: ReadonlyMap<string, number>;
};

export function summarySection({ status, now, rate, down }: Summary): Html {
  const { reasons, warnings, networks, zones } = status;
  const ok = status.status === 'ok';
  const state = ok
    ? chip('good', 'all well')
    : chip('bad', `failing: ${reasons.length} ${reasons.length === 1 ? 'reason' : 'reasons'}`);
  const warned =
    warnings.length === 0
      ? null
      : html` ${chip('warn', `${warnings.length} ${warnings.length === 1 ? 'warning' : 'warnings'}`)}`;
  const certificate: Content =
    status.tls_certificate_ends === null
      ? null
      : html`<div><dt>Certificate until</dt><dd>${moment(status.tls_certificate_ends, now)}</dd></div>`;
  return html`<h2 id="summary" tabindex="-1" data-flip="${ok ? 'all well' : `failing: ${reasons.join('; ')}`}"><span class="visually-hidden">Health: </span>${state}${warned}</h2>
${sentences('bad', 'Reasons', reasons)}
${sentences('warn', 'Warnings', warnings)}
<dl class="figures">
<div><dt>DNS</dt><dd>${status.ready ? 'answers' : html`<b class="bad">not ready</b>`}</dd></div>
<div><dt>Queries</dt><dd title="${rate === null ? 'known after a few seconds' : `over ${Math.round(rate.over)} s`}">${rate === null ? '–' : html`${number(rate.perSecond)}/s`}</dd></div>
<div><dt>Zones</dt><dd>${number(zones.ok)} ok${zones.stale === 0 ? null : html`, <b class="warn">${number(zones.stale)} stale</b>`}${zones.broken === 0 ? null : html`, <b class="bad">${number(zones.broken)} broken</b>`}</dd></div>
<div><dt>Started</dt><dd>${moment(status.started_at, now)}</dd></div>
<div><dt>Version</dt><dd>${status.version}</dd></div>
${certificate}
<div><dt>Data of</dt><dd>${moment(now, now)}</dd></div>
</dl>
${networks.length < 2 ? null : overview(networks, down, now)}`;
}

function overview(networks: readonly NetworkSummaryJson[], down: ReadonlyMap<string, number>, now: number): Html {
  const rows = networks.map((network) => {
    const bad = down.get(network.network) ?? 0;
    const live = network.live.length;
    return html`<tr><th scope="row"><a href="#${anchor('network', network.network)}">${network.network}</a></th><td>${chip(live === 0 ? 'bad' : live < network.wanted ? 'warn' : 'good', `${live} of ${network.wanted}`)}</td><td class="why">${network.live.join(', ')}</td><td class="n">${network.edges}</td><td class="n">${bad === 0 ? '0' : html`<b class="bad">${bad}</b>`}</td><td>${network.held ? chip('warn', 'held') : null} ${network.overdue ? chip('bad', 'overdue') : null}</td><td class="n num">${network.serial}</td><td>${moment(network.last_run, now)}</td></tr>\n`;
  });
  return html`<div class="scroll" role="region" aria-label="Networks" tabindex="0"><table class="overview"><caption>Networks</caption><thead><tr><th scope="col">Network</th><th scope="col">Live</th><th scope="col">Edges that are live</th><th scope="col" class="n">Edges</th><th scope="col" class="n">Down</th><th scope="col">State</th><th scope="col" class="n">Serial</th><th scope="col">Last round</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}
