/** Small pieces of markup that several sections have. */
import { type Html, html } from './html.ts';
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
