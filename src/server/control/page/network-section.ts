/** A network: what is live and how many are wanted, what is wrong with it, its edges, canaries and changes. */
import { operatorActionText } from '../../../health/choose/operator-action.ts';
import type { CanaryJson, ChangeJson, NetworkJson } from '../api/json.ts';
import { healthOf } from './edge-state.ts';
import { type EdgeTools, edgesTable, failureCell, healthCell, modeCell } from './edges-table.ts';
import { type Content, type Html, html } from './html.ts';
import { figure, moment } from './moment.ts';
import { anchor, chip, sentences } from './parts.ts';

/** Changes that are seen without unfolding. */
const CHANGES_SHOWN = 4;

export type NetworkTools = EdgeTools & {
  /** By the network's name. */ readonly networkActions: ((network: string) => Html) | null;
};

export function networkSection(network: NetworkJson, tools: NetworkTools): Html {
  const { network: name, live, wanted } = network;
  const id = anchor('network', name);
  const isShort = live.length < wanted;
  const count = chip(live.length === 0 ? 'bad' : isShort ? 'warn' : 'good', `${live.length} of ${wanted} live`);
  const states = [
    network.hold === null ? null : chip('warn', 'held'),
    network.round.overdue ? chip('bad', 'overdue') : null,
    network.safety?.uplink?.in_doubt === true ? chip('bad', 'uplink in doubt') : null,
  ].map((each) => (each === null ? null : html` ${each}`));
  return html`<h2 id="${id}" tabindex="-1"><a href="#${id}">${name}</a> <small>network</small> ${count}${states}</h2>
${factsLine(network)}
${boxes(network)}
${tools.networkActions?.(name)}
${edgesTable(network, tools)}
${canariesTable(network)}
${timeline(network.changes, network.now)}
<p><a href="/networks/${encodeURIComponent(name)}/replay">Try other settings on recorded rounds</a></p>`;
}

function factsLine(network: NetworkJson): Html {
  const { live, now, round, rotations, maxfreq, families } = network;
  const members = live.map(
    ({ edge, v4, v6, why }) =>
      html`<li title="${why}"><a href="#${anchor('edge', network.network, edge)}">${edge}</a> <span class="addr">${[v4, v6].filter((each) => each !== null && each !== edge).join(' ')}</span></li>`,
  );
  const down = network.edges.filter((edge) => healthOf(edge) === 'down').length;
  const family =
    families === null || (families.ipv4 === 'passing' && families.ipv6 === 'passing')
      ? null
      : html`<div><dt>Families</dt><dd>IPv4 ${families.ipv4}, IPv6 ${families.ipv6}</dd></div>`;
  return html`<dl class="figures">
<div class="wide"><dt>Live</dt><dd>${members.length === 0 ? 'none' : html`<ul class="live">${members}</ul>`}</dd></div>
<div><dt>Edges</dt><dd>${network.edges.length}${down === 0 ? null : html`, <b class="bad">${down} down</b>`}</dd></div>
<div><dt>Serial</dt><dd class="num">${network.serial}</dd></div>
<div><dt>Changes in 10 min</dt><dd>${rotations.last_600s} of ${maxfreq}</dd></div>
<div><dt>Decided</dt><dd>${moment(network.at, now)}</dd></div>
<div><dt>Last round</dt><dd>${moment(round.last_run, now)}${round.seconds === null ? null : html`, took ${round.seconds.toFixed(1)} s`}</dd></div>
<div><dt>Every</dt><dd>${round.run_frequency} s</dd></div>
<div><dt>goodenough</dt><dd>${figure(network.goodenough)} s</dd></div>
<div><dt>timeout</dt><dd>${figure(network.timeout)} s</dd></div>
${family}
</dl>`;
}

function boxes(network: NetworkJson): Content {
  const { hold, now, notes, safety, round } = network;
  return [
    hold === null ? null : heldBox(hold, now),
    sentences('warn', 'Notes', notes),
    safety?.min_up?.below == null
      ? null
      : sentences('bad', 'Too few work', [
          `${safety.min_up.up} do not fail, ${safety.min_up.needed} are needed: ${safety.min_up.below}`,
        ]),
    safety === null || safety.held_up.length === 0
      ? null
      : sentences('plain', 'Not live yet (hold_up)', [safety.held_up.join(', ')]),
    round.cancelled_canaries.length === 0
      ? null
      : sentences('plain', 'Canaries not fetched, as too many edges failed', [round.cancelled_canaries.join(', ')]),
  ];
}

function heldBox(hold: NonNullable<NetworkJson['hold']>, now: number): Html {
  const failing =
    hold.failing.length === 0 ? null : html`; <b>live only because of the hold: ${hold.failing.join(', ')}</b>`;
  const wanted = hold.wanted.length === 0 ? null : html`; wanted: ${hold.wanted.join(', ')}`;
  return html`<div class="box warn"><h3>! Held by the rotation limit</h3><p>until ${moment(hold.until, now)} (${hold.recent} of ${hold.limit} changes in 10 min)${wanted}${failing}</p></div>`;
}

function canariesTable({ canaries, now, network }: NetworkJson): Content {
  if (canaries.length === 0) return null;
  const heads = ['Zone', 'Canary', 'Used', 'Health', 'Failure'].map((title) => html`<th scope="col">${title}</th>`);
  const figures = ['Last', '300 s', 'All'].map((title) => html`<th scope="col" class="n">${title}</th>`);
  const active = canaries.filter(({ active }) => active).length;
  return html`<details class="sub"><summary>Canaries <small>${active} of ${canaries.length} used</small></summary><div class="scroll" role="region" aria-label="Canaries of ${network}" tabindex="0"><table><caption>Canaries of ${network}</caption><thead><tr>${heads}${figures}<th scope="col">Mode</th><th scope="col">Why</th></tr></thead><tbody>${canaries.map((canary) => canaryRow(canary, now))}</tbody></table></div></details>`;
}

function canaryRow(canary: CanaryJson, now: number): Html {
  const used = canary.active ? chip('good', 'used') : chip('plain', 'unused');
  const victim = canary.victim === null ? null : html` <small>for ${canary.victim}</small>`;
  const held = canary.held ? html` ${chip('warn', 'held')}` : null;
  return html`<tr><th scope="row">${canary.zone}</th><td class="addr">${canary.address}</td><td>${used}${victim}${held}</td><td>${healthCell(canary, now)}</td><td>${failureCell(canary)}</td><td class="n">${figure(canary.last)}</td><td class="n">${figure(canary.window_average)}</td><td class="n">${figure(canary.average)}</td><td>${modeCell(canary, now)}</td><td class="why">${canary.why}</td></tr>\n`;
}

/** Newest first. */
function timeline(changes: readonly ChangeJson[], now: number): Html {
  if (changes.length === 0) return html`<p class="empty">No change of the live set since the start.</p>`;
  const items = changes.toReversed().map((change) => changeItem(change, now));
  const older = items.slice(CHANGES_SHOWN);
  const rest =
    older.length === 0
      ? null
      : html`<details class="sub"><summary>${older.length} earlier changes</summary><ol class="changes">${older}</ol></details>`;
  return html`<h3>Changes of the live set</h3><ol class="changes">${items.slice(0, CHANGES_SHOWN)}</ol>${rest}`;
}

function changeItem({ at, serial, added, removed, live, reasons, actions }: ChangeJson, now: number): Html {
  const step = (edge: string, word: 'joined' | 'left'): Html =>
    html`<li class="${word}"><b><span aria-hidden="true">${word === 'joined' ? '+' : '−'}</span>${edge}</b> ${word}: ${reasons[edge] ?? 'no reason known'}</li>`;
  const moved = added.length + removed.length === 0 ? html`<li>addresses changed</li>` : null;
  const before = actions.map((action) => html`<li class="action"><bdi>${operatorActionText(action)}</bdi></li>`);
  return html`<li><span class="at">${moment(at, now)}</span><ul>${added.map((edge) => step(edge, 'joined'))}${removed.map((edge) => step(edge, 'left'))}${moved}${before}</ul><span class="after">${live.length} live, serial <span class="num">${serial}</span></span></li>`;
}
