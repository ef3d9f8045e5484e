/** The status page around its sections. */
import { connectionLine, document, FORM_DIALOG, WITHOUT_SCRIPT } from './document.ts';
import { FAIL_CODES } from './fail-code.ts';
import { type Html, html } from './html.ts';
import { anchor } from './parts.ts';
import { hiddenFields, type PageQuery, STATES } from './query.ts';
import type { StaticFile } from './static-files.ts';

export type Layout = {
  /** The machine's name, or that of its vantage point. */
  readonly host: string;
  readonly now: number;
  readonly version: string;
  readonly query: PageQuery;
  readonly networks: readonly string[];
  /** Which of the sections that may be empty are not. */
  readonly present: { readonly secondaries: boolean; readonly publish: boolean; readonly vantage: boolean };
  readonly address: (file: StaticFile) => string;
  readonly sections: readonly Html[];
  /** Who is signed in, and what they may press; null: nobody can sign in here. */
  readonly session: Html | null;
};

/** Networks that have a link of their own at the top. */
const LINKS_MAX = 12;

const STATE_NAMES: { readonly [state in PageQuery['state']]: string } = {
  all: 'everything',
  failing: 'with trouble',
  live: 'live edges',
  out: 'edges that are not live',
  set: 'edges with a mode set',
};

const KEYS: readonly (readonly [key: string, does: string])[] = [
  ['j', 'next row'],
  ['k', 'previous row'],
  ['Enter', 'unfold the row'],
  ['/', 'filter'],
  ['Esc', 'leave the filter; once more empties it'],
  ['f', 'only what has trouble, or everything'],
  ['?', 'this help'],
];

export function layout(page: Layout): Html {
  const { host, now, address, sections, query, session } = page;
  return document({
    title: host,
    host,
    address,
    header: html`${connectionLine(now)}
${filterForm(query)}
${session}
${contents(page)}
${WITHOUT_SCRIPT}`,
    main: sections,
    footer: html`<footer>
${legend()}
<p>As JSON: <a href="/api/v1/status">status</a>, <a href="/api/v1/networks">networks</a>, <a href="/api/v1/zones">zones</a>. All paths: <a href="/index.txt">index</a>. <span class="script-only">Press <kbd>?</kbd> for keys.</span></p>
</footer>
${FORM_DIALOG}
<dialog id="help" aria-labelledby="help-title"><h2 id="help-title">Keys</h2><dl class="keys">${KEYS.map(([key, does]) => html`<dt><kbd>${key}</kbd></dt><dd>${does}</dd>`)}</dl><form method="dialog"><button>Close</button></form></dialog>`,
    script: { now, version: page.version, follows: null },
  });
}

function filterForm(query: PageQuery): Html {
  const options = STATES.map(
    (state) =>
      html`<option value="${state}"${state === query.state ? html` selected` : null}>${STATE_NAMES[state]}</option>`,
  );
  const hidden = hiddenFields(query).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  );
  return html`<form id="filter" method="get" action="/" role="search" aria-label="Edges and zones that are shown">
<label for="q">Filter</label> <input id="q" name="q" type="search" value="${query.q}" placeholder="name, address, code" autocomplete="off" spellcheck="false" maxlength="100">
<label for="state">Show</label> <select id="state" name="state">${options}</select>
${hidden}<button type="submit">Apply</button>
</form>`;
}

function contents({ networks, present }: Layout): Html {
  const links = networks
    .slice(0, LINKS_MAX)
    .map((name) => html`<li><a href="#${anchor('network', name)}">${name}</a></li>`);
  const more =
    networks.length > LINKS_MAX ? html`<li><a href="#summary">all ${networks.length} networks</a></li>` : null;
  return html`<nav aria-label="Contents"><ul>${links}${more}<li><a href="#zones">Zones</a></li>${present.secondaries ? html`<li><a href="#secondaries">Secondaries</a></li>` : null}${present.publish ? html`<li><a href="#publish">Providers</a></li>` : null}${present.vantage ? html`<li><a href="#vantage">Vantage points</a></li>` : null}</ul></nav>`;
}

function legend(): Html {
  const rows = Object.entries(FAIL_CODES).map(
    ([code, meaning]) => html`<dt><code>${code}</code></dt><dd>${meaning}</dd>`,
  );
  return html`<details class="legend"><summary>What the letters of failures mean</summary><dl>${rows}</dl></details>`;
}
