/** Other settings tried on a network's recorded rounds. Without JavaScript: the form asks for the same page again. */
import { z } from 'zod';
import { askReplay } from '../api/replay.ts';
import type { ReplayJson } from '../api/schemas/replay.ts';
import { type AnyOperation, operation, type Reply } from '../http/operation.ts';
import { problem } from '../http/problem.ts';
import type { NetworkView, StatusView } from '../views/views.ts';
import { document, HTML_TYPE, PAGE_HEADERS, pathLine } from './document.ts';
import { type Html, html } from './html.ts';
import { duration, moment } from './moment.ts';
import { anchor, sentences } from './parts.ts';
import type { StaticFile } from './static-files.ts';

type Field = {
  readonly key: string;
  readonly label: string;
  readonly hint: string;
  /** What the network decides by now; null: the page does not know. */
  readonly now: (network: NetworkView) => string | null;
};

/** What can be tried, as `edgewise replay --set` names it. */
const FIELDS: readonly Field[] = [
  { key: 'goodenough', label: 'goodenough', hint: 'seconds', now: ({ goodenough }) => String(goodenough) },
  { key: 'timeout', label: 'timeout', hint: 'seconds', now: ({ timeout }) => String(timeout) },
  { key: 'edge_count', label: 'edge_count', hint: 'live edges', now: ({ wanted }) => String(wanted) },
  { key: 'dnschange_maxfreq', label: 'dnschange_maxfreq', hint: 'in 10 min', now: ({ maxfreq }) => String(maxfreq) },
  { key: 'rise', label: 'rise', hint: 'results, with fall', now: () => null },
  { key: 'fall', label: 'fall', hint: 'results, with rise', now: () => null },
  { key: 'canary_killer', label: 'canary_killer', hint: 'canaries', now: () => null },
  { key: 'fill', label: 'fill', hint: 'failing or none', now: () => null },
  { key: 'min_up', label: 'min_up', hint: 'edges or 50%', now: () => null },
  { key: 'below', label: 'below', hint: 'keep or all', now: () => null },
  { key: 'hold_up', label: 'hold_up', hint: 'seconds', now: () => null },
];

const VALUE_MAX = 40;

const value = z
  .union([z.string(), z.array(z.string()).transform((all) => all.at(-1) ?? '')])
  .catch('')
  .transform((text) => text.trim().slice(0, VALUE_MAX));

const fields: { readonly [key: string]: typeof value } = Object.fromEntries(
  ['since', 'until', ...FIELDS.map(({ key }) => key)].map((key) => [key, value]),
);

/** Every field of the form; empty: left as it was recorded. */
const replayQuery = z.object(fields);

type Asked = { readonly [key: string]: string };

export type ReplayPage = {
  readonly view: StatusView;
  readonly host: () => string;
  readonly address: (file: StaticFile) => string;
};

export function replayPage({ view, host, address }: ReplayPage): AnyOperation {
  return operation({
    method: 'GET',
    path: '/networks/{network}/replay',
    summary: 'Other settings tried on recorded rounds',
    tag: null,
    access: 'read',
    lane: 'none',
    params: z.object({ network: z.string() }),
    query: replayQuery,
    answers: { 200: { description: 'The page', type: 'text/html' } },
    handle: async (_, { params: { network: name }, query }): Promise<Reply> => {
      const network = view.networks().find((each) => each.name === name);
      if (network === undefined) return problem(404, `no network ${JSON.stringify(name)}`);
      const now = view.now();
      const { since = '', until = '' } = query;
      const set = FIELDS.flatMap(({ key }) => (query[key] === '' ? [] : [`${key}=${query[key]}`]));
      const asked = set.length > 0 || since !== '' || until !== '';
      const result = asked
        ? await askReplay(view, { network: name, set, since: since || null, until: until || null })
        : null;
      const title = `Replay of ${name}`;
      const body = document({
        title,
        host: host(),
        address,
        header: html`<p class="conn">as of ${moment(now, now)} UTC</p>
${pathLine(
  [
    ['/', 'Status'],
    [`/#${anchor('network', name)}`, name],
  ],
  title,
)}`,
        main: html`<section><h2>Other settings, tried on what was recorded</h2>
<p>Each recorded round of <b>${name}</b> is decided again with the fetch times it had. Nothing is changed by this. Fields that stay empty keep what was in force at the time.</p>
${form(network, query)}
</section>
${result === null ? null : html`<section id="result" aria-live="polite">${result.ok ? outcome(result.replay, now) : refusal(result.detail, result.isBusy === true)}</section>`}`,
      });
      return {
        status: result === null || result.ok ? 200 : result.status,
        type: HTML_TYPE,
        body: body.text,
        headers: PAGE_HEADERS,
      };
    },
  });
}

function form(network: NetworkView, asked: Asked): Html {
  const inputs = FIELDS.map(({ key, label, hint, now }) => {
    const present = now(network);
    const help = present === null ? hint : `${hint}; now ${present}`;
    return html`<div><label for="set-${key}">${label}</label> <input id="set-${key}" name="${key}" value="${asked[key]}" maxlength="${VALUE_MAX}" autocomplete="off" spellcheck="false" aria-describedby="hint-${key}"> <small id="hint-${key}">${help}</small></div>`;
  });
  const times = (['since', 'until'] as const).map(
    (key) =>
      html`<div><label for="set-${key}">${key}</label> <input id="set-${key}" name="${key}" value="${asked[key]}" maxlength="${VALUE_MAX}" autocomplete="off" spellcheck="false" aria-describedby="hint-${key}"> <small id="hint-${key}">${key === 'since' ? '2h, 18:00, 2026-11-22T18:00Z; a day ago' : 'likewise; now'}</small></div>`,
  );
  return html`<form method="get" class="settings">${inputs}${times}<button type="submit" class="main">Replay</button></form>`;
}

/** Nothing is wrong with what was asked where the server only has no time for it now: the same form asks again. */
function refusal(detail: string, isBusy: boolean): Html | null {
  if (!isBusy) return sentences('bad', 'This cannot be replayed', [detail]);
  return html`${sentences('warn', 'Not yet', [detail])}<p><a href="" class="again">Try again</a> with the same settings; they are kept above.</p>`;
}

function outcome(replay: ReplayJson, now: number): Html {
  const { rounds, since, until, set, recorded, replayed } = replay;
  if (since === null || until === null) {
    return html`<h2>Result</h2>${sentences('warn', 'Nothing is recorded for that time', ['Choose another since and until.'])}`;
  }
  const notes = [
    replay.timeout_cut ? 'a longer timeout cannot be replayed: fetches ended at the recorded one' : null,
    replay.breaks > 0 ? `the record does not continue the round before it at ${replay.breaks} places` : null,
    replay.left_out > 0 ? `${replay.left_out} older rounds were too many for one answer` : null,
  ].filter((note) => note !== null);
  return html`<h2>With ${set.length === 0 ? 'the recorded settings' : set.join(', ')}</h2>
<p>${rounds} ${rounds === 1 ? 'round' : 'rounds'} from ${moment(since, now)} to ${moment(until, now)}, ${duration(until - since)}. The live set differs in <b>${replay.differing_rounds}</b> of them.</p>
${sentences('warn', 'Notes', notes)}
<div class="scroll totals" tabindex="0" role="region" aria-label="Totals"><table><caption>Totals</caption>
<thead><tr><th scope="col">What</th><th scope="col" class="n">Recorded</th><th scope="col" class="n">Replayed</th></tr></thead>
<tbody>${TOTALS.map(([key, what]) => row(what, String(recorded[key]), String(replayed[key])))}</tbody></table></div>
${shares(replay)}
${differences(replay, now)}`;
}

const TOTALS: readonly (readonly [Exclude<keyof ReplayJson['recorded'], 'rounds_live'>, string])[] = [
  ['rotations', 'changes of the live set'],
  ['held_rounds', 'rounds held by dnschange_maxfreq'],
  ['hold_exceptions', 'members replaced in spite of it'],
  ['short_rounds', 'rounds short of edges'],
  ['empty_rounds', 'rounds without a live edge'],
  ['canary_changes', 'canary changes'],
];

function row(what: string, recorded: string, replayed: string): Html {
  const differs = recorded === replayed ? null : html` class="differs"`;
  return html`<tr${differs}><th scope="row">${what}</th><td class="n">${recorded}</td><td class="n">${replayed}</td></tr>`;
}

function shares({ rounds, recorded, replayed }: ReplayJson): Html {
  const names = [...new Set([...Object.keys(recorded.rounds_live), ...Object.keys(replayed.rounds_live)])].sort();
  const share = (count: number | undefined): string => `${((100 * (count ?? 0)) / rounds).toFixed(1)} %`;
  const rows = names.map((name) => row(name, share(recorded.rounds_live[name]), share(replayed.rounds_live[name])));
  return html`<div class="scroll totals" tabindex="0" role="region" aria-label="How long each edge was live"><table><caption>How much of the time each edge was live</caption>
<thead><tr><th scope="col">Edge</th><th scope="col" class="n">Recorded</th><th scope="col" class="n">Replayed</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}

function differences(replay: ReplayJson, now: number): Html | null {
  if (replay.differences.length === 0) return null;
  const items = replay.differences.map(({ from, until, rounds, recorded, replayed, why }) => {
    const reasons = Object.entries(why).map(
      ([edge, reason]) => html`<li><b>${replayed.includes(edge) ? '+' : '−'} ${edge}</b>: ${reason}</li>`,
    );
    return html`<li>${moment(from, now)} to ${moment(until, now)} (${rounds === 1 ? '1 round' : `${rounds} rounds`}): <b>${replayed.join(', ') || 'none'}</b> instead of ${recorded.join(', ') || 'none'}<ul>${reasons}</ul></li>`;
  });
  const more =
    replay.differences_left_out === 0
      ? null
      : html`<p>${replay.differences_left_out} more are left out here; <code>edgewise replay</code> has them all.</p>`;
  return html`<h3>Where it differs</h3><ol class="differences">${items}</ol>${more}`;
}
