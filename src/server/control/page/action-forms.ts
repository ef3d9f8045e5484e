/** Forms for those who may change things: plain forms, which the script of the page sends without leaving it. */
import type { EdgeJson } from '../api/json.ts';
import { codeOf, healthOf } from './edge-state.ts';
import { modeCell } from './edges-table.ts';
import { type Html, html } from './html.ts';

/** `/networks/NET/edges/EDGE/change` and its neighbours. */
export function edgePath(network: string, edge: string, action: 'change' | 'mode' | 'probe'): string {
  return `/networks/${encodeURIComponent(network)}/edges/${encodeURIComponent(edge)}/${action}`;
}

/** In an edge's row; the script opens it as a dialog. */
export function changeLink(network: string, edge: string): Html {
  return html`<a href="${edgePath(network, edge, 'change')}" data-dialog>Change<span class="visually-hidden"> ${edge}</span></a>`;
}

const MODES = [
  ['available', 'available: live when it is among the best'],
  ['force', 'force: live while it passes'],
  ['blindforce', 'blindforce: live whatever it does'],
  ['unavailable', 'unavailable: never live'],
] as const;

const SPANS = ['30m', '1h', '2h', '4h', '8h', '1d', '3d', '7d'] as const;

export type EdgeChange = {
  readonly network: string;
  readonly edge: EdgeJson;
  /** Of what is shown: the form sends it back, so that nobody changes what they have not seen. */
  readonly version: string;
  readonly now: number;
  /** On the edge's own page: it has the name already, and is where the forms lead back to. */
  readonly isOwnPage: boolean;
};

/** What is set now, the form for another mode, and the button for a probe. */
export function edgeForms({ network, edge, version, now, isOwnPage }: EdgeChange): Html {
  const name = edge.edge;
  const options = MODES.map(
    ([mode, text]) => html`<option value="${mode}"${mode === edge.mode ? html` selected` : null}>${text}</option>`,
  );
  const spans = SPANS.map((span) => html`<option value="${span}"></option>`);
  const health = `${edge.state === 'in' ? 'in the answer' : 'not in the answer'}, ${healthOf(edge)}`;
  const code = codeOf(edge);
  const back = isOwnPage ? html`<input type="hidden" name="back" value="edge">\n` : null;
  return html`${isOwnPage ? html`<h2>Change its mode</h2>` : html`<h2 id="change-title">${name}</h2>`}
<p class="quiet">Network ${network}: ${health}${code === null ? null : html`, <code>${code}</code>`}</p>
<p>Now ${modeCell(edge, now)}</p>
<form class="act" method="post" action="${edgePath(network, name, 'mode')}" data-act>
<input type="hidden" name="if_match" value="${version}">
${back}<p><label for="mode">Mode</label> <select id="mode" name="mode">${options}</select></p>
<p><label for="comment">Why (needed unless available)</label> <input id="comment" name="comment" maxlength="400" autocomplete="off"></p>
<p><label for="for">For how long (empty: until it is changed)</label> <input id="for" name="for" list="spans" placeholder="45m, 2h, 1d" autocomplete="off" maxlength="20"><datalist id="spans">${spans}</datalist></p>
<p><button type="submit" class="main">Set the mode</button></p>
</form>
<form class="act" method="post" action="${edgePath(network, name, 'probe')}" data-act>${back}<p><button type="submit">Probe now</button></p></form>`;
}

/** Decide by what is known now; past the rotation limit only if that is ticked. The reason is kept with the change. */
export function networkForm(network: string): Html {
  return html`<form class="act line" method="post" action="/networks/${encodeURIComponent(network)}/update" data-act><button type="submit">Decide now</button> <label><input type="checkbox" name="force" value="true"> past the rotation limit</label> <label>Why <input name="reason" maxlength="500" autocomplete="off"></label></form>`;
}

export function noticeForm(target: string): Html {
  return html`<form class="act line" method="post" action="/notices/${encodeURIComponent(target)}/test" data-act><button type="submit">Send a test<span class="visually-hidden"> to ${target}</span></button></form>`;
}

export type Session = {
  readonly author: string | null;
  readonly mayWrite: boolean;
  /** Whether anybody can sign in here. */
  readonly canSignIn: boolean;
};

/** Who is signed in; null: nobody can sign in. */
export function sessionLine({ author, mayWrite, canSignIn }: Session): Html | null {
  if (author === null) return canSignIn ? html`<p class="session"><a href="/login?to=/">Sign in</a></p>` : null;
  const reload = mayWrite
    ? html`<form class="act line" method="post" action="/reload" data-act><button type="submit">Reload the configuration</button></form>`
    : null;
  const out = canSignIn
    ? html`<form method="post" action="/logout"><button type="submit">Sign out</button></form>`
    : null;
  return html`<div class="session"><span><bdi>${author}</bdi>${mayWrite ? null : html` <small>reads only</small>`}</span>${reload}${out}</div>`;
}
