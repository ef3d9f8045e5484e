/** Small pieces of markup that several sections have. */
import { type Content, type Html, html } from './html.ts';
import { addressOf, type Order, type PageQuery } from './query.ts';

/** `good`, `bad`, `warn` or neither: said by colour, and besides by a sign and a word. */
export type Tone = 'good' | 'bad' | 'warn' | 'plain';

const SIGNS: { readonly [tone in Tone]: string } = { good: '✓', bad: '✗', warn: '!', plain: '·' };

/** A state: sign, word, colour. */
export function chip(tone: Tone, word: string, title = ''): Html {
  const hint = title === '' ? null : html` title="${title}"`;
  return html`<span class="chip ${tone}"${hint}><span aria-hidden="true">${SIGNS[tone]}</span> ${word}</span>`;
}

/** For `id` and, after a `#`, for a link: names may have any character. */
export function anchor(kind: 'network' | 'edge' | 'zone', ...names: readonly string[]): string {
  return [kind, ...names.map(encodeURIComponent)].join('-');
}

export type Column<Key extends string> = {
  readonly title: string;
  /** Null: no order goes by it. */
  readonly sort: Key | null;
  readonly isNumber?: boolean;
  readonly unit?: string;
};

/** A heading that orders the table by its column; once more, the other way round. */
export function columnHead<Key extends string>(
  { title, sort, isNumber = false, unit = '' }: Column<Key>,
  order: Order<Key>,
  addressFor: (order: Order<Key>) => string,
): Html {
  const kind = isNumber ? html` class="n"` : null;
  const measure = unit === '' ? null : html` <small>${unit}</small>`;
  if (sort === null) return html`<th scope="col"${kind}>${title}${measure}</th>`;
  const isIt = order.by === sort;
  const sorted = isIt ? html` aria-sort="${order.down ? 'descending' : 'ascending'}"` : null;
  const sign = isIt ? html` <span aria-hidden="true">${order.down ? '▾' : '▴'}</span>` : null;
  const address = addressFor({ by: sort, down: isIt && !order.down });
  return html`<th scope="col"${kind}${sorted}><a href="${address}" data-go>${title}${measure}${sign}</a></th>`;
}

/** A link to this page in another order or part. `/` where that is the whole of it. */
export function pageLink(query: PageQuery, change: Partial<PageQuery>, id = ''): string {
  return `/${addressOf({ ...query, ...change })}${id === '' ? '' : `#${id}`}`;
}

/** A list of sentences in a box; nothing without one. */
export function sentences(tone: Tone, title: string, texts: readonly string[]): Html | null {
  if (texts.length === 0) return null;
  const items = texts.map((text) => html`<li>${text}</li>`);
  return html`<div class="box ${tone}"><h3>${SIGNS[tone]} ${title}</h3><ul>${items}</ul></div>`;
}

export type Pager = {
  readonly kind: 'zones' | 'secondaries';
  /** The same for people. */
  readonly word: string;
  readonly query: PageQuery;
  readonly page: number;
  readonly pages: number;
};

/** Links to the parts of a long list; nothing where it has one. */
export function pager({ kind, word: what, query, page, pages }: Pager): Content {
  if (pages === 1) return null;
  const link = (to: number, word: string, rel: string): Html =>
    to < 1 || to > pages
      ? html`<span class="quiet">${word}</span>`
      : html`<a href="${pageLink(query, { [kind]: to }, kind)}" data-go rel="${rel}">${word}</a>`;
  const numbers = pagesShown(page, pages).map((each) =>
    each === null
      ? html`<span aria-hidden="true">…</span>`
      : each === page
        ? html`<b aria-current="page">${each}</b>`
        : html`<a href="${pageLink(query, { [kind]: each }, kind)}" data-go aria-label="${what}, part ${each}">${each}</a>`,
  );
  return html`<nav class="pager" aria-label="Parts of the ${kind}">${link(page - 1, 'previous', 'prev')} ${numbers.map((each) => html`${each} `)}${link(page + 1, 'next', 'next')}</nav>`;
}

/** The first, the last and those around; null: some are left out. */
function pagesShown(page: number, pages: number): readonly (number | null)[] {
  const shown: (number | null)[] = [];
  for (let each = 1; each <= pages; each++) {
    if (pages <= 30 || each === 1 || each === pages || Math.abs(each - page) <= 3) shown.push(each);
    else if (shown.at(-1) !== null) shown.push(null);
  }
  return shown;
}
