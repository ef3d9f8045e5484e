/** Keys of a watch on a terminal, and what they do to what is shown. */
import { SORTS, type Sort } from './network-lines.ts';

export type ScreenView = {
  readonly filter: string;
  /** What is being typed after `/`; null: nothing is. */
  readonly typing: string | null;
  readonly sort: Sort;
  /** Lines of the body above the first that is shown. */
  readonly top: number;
};

export const FIRST_VIEW: ScreenView = { filter: '', typing: null, sort: 'name', top: 0 };

const FILTER_MAX = 64; // characters

/** What ends a watch; `suspend`: Ctrl-Z. */
export type KeyEnd = 'quit' | 'suspend';

/** `page`: lines of a page; `lines`: of the whole body. */
type Extent = { readonly page: number; readonly lines: number };

const SEQUENCES: { readonly [sequence: string]: string } = {
  '\u001b[A': 'k',
  '\u001bOA': 'k',
  '\u001b[B': 'j',
  '\u001bOB': 'j',
  '\u001b[5~': 'page up',
  '\u001b[6~': 'page down',
  '\u001b[H': 'g',
  '\u001b[1~': 'g',
  '\u001b[F': 'G',
  '\u001b[4~': 'G',
};

/** The keys in what a terminal in raw mode sent; sequences that mean nothing here are left out. */
export function keysOf(text: string): readonly string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal's sequences begin with one
  const parts = text.match(/\u001b(?:\[[0-9;]*[A-Za-z~]|O[A-Za-z])|[\s\S]/gu) ?? [];
  return parts.flatMap((part) => {
    if (part.length > 1 && part.startsWith('\u001b')) return Object.hasOwn(SEQUENCES, part) ? [SEQUENCES[part]] : [];
    return [part];
  });
}

/** The view after a key; a word where it ends the watch. */
export function pressed(view: ScreenView, key: string, extent: Extent): ScreenView | KeyEnd {
  if (key === '\u0003') return 'quit';
  if (key === '\u001a') return 'suspend';
  return view.typing === null ? command(view, key, extent) : typed(view, view.typing, key);
}

function typed(view: ScreenView, text: string, key: string): ScreenView {
  if (key === '\r' || key === '\n') return { ...view, filter: text, typing: null, top: 0 };
  if (key === '\u001b') return { ...view, typing: null };
  if (key === '\u007f' || key === '\b') return { ...view, typing: [...text].slice(0, -1).join('') };
  if (key === '\u0015') return { ...view, typing: '' }; // Ctrl-U
  return /^[\p{L}\p{N}\p{P}\p{S} ]$/u.test(key) && text.length < FILTER_MAX ? { ...view, typing: text + key } : view;
}

function command(view: ScreenView, key: string, { page, lines }: Extent): ScreenView | KeyEnd {
  const last = Math.max(0, lines - page);
  const to = (top: number): ScreenView => ({ ...view, top: Math.max(0, Math.min(last, top)) });
  switch (key) {
    case 'q':
      return 'quit';
    case 'j':
      return to(view.top + 1);
    case 'k':
      return to(view.top - 1);
    case ' ':
    case 'page down':
      return to(view.top + page);
    case 'b':
    case 'page up':
      return to(view.top - page);
    case 'g':
      return to(0);
    case 'G':
      return to(last);
    case 's':
      return { ...view, sort: SORTS[(SORTS.indexOf(view.sort) + 1) % SORTS.length] };
    case '/':
      return { ...view, typing: '' };
    case '\u001b':
      return { ...view, filter: '', top: 0 };
    default:
      return view;
  }
}
