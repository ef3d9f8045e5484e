import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** The repository's Markdown files and what is in them: headings, links, code blocks. */

export const ROOT = new URL('../..', import.meta.url).pathname;

/** Fenced with backticks. */
export type Block = {
  /** The path of its document, from the repository's root. */
  readonly file: string;
  /** Of the opening fence. */
  readonly line: number;
  /** The first word behind the fence; empty: none. */
  readonly language: string;
  /** What follows it: the name under which a test of its own finds the block. */
  readonly name: string;
  /** Why no test runs it: the comment `<!-- not run: REASON -->` before the fence. */
  readonly notRun: string | null;
  /** Without the indentation of a list that it is part of. */
  readonly text: string;
};

/** Every Markdown file that readers see. */
export function documents(): readonly string[] {
  const docs = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).map((file) => `docs/${file}`);
  const top = readdirSync(ROOT).filter((file) => !file.startsWith('.'));
  return [...top, ...docs].filter((file) => file.endsWith('.md')).sort();
}

export function readDocument(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

const FENCE = /^( *)```(\S*)[ ]*(.*)\n((?:.*\n)*?) *```$/gm;

export function blocksOf(file: string): readonly Block[] {
  const text = readDocument(file);
  return [...text.matchAll(FENCE)].map((found) => {
    const before = text.slice(0, found.index);
    const [, indent, language, name, content] = found;
    return {
      file,
      line: before.split('\n').length,
      language,
      name,
      notRun: /<!-- not run: ([^>]+) -->\s*$/.exec(before)?.[1] ?? null,
      text: content.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
    };
  });
}

/** The one block of a document with these words behind its fence, such as `named.conf` or `sh peers`. */
export function block(file: string, words: string): Block {
  const found = blocksOf(file).filter(({ language, name }) => `${language} ${name}`.trim() === words);
  if (found.length !== 1) throw new Error(`${file} has ${found.length} blocks "${words}", not one`);
  return found[0];
}

/** The text without code blocks, in which nothing is a heading or a link. */
function prose(file: string): string {
  return readDocument(file).replaceAll(FENCE, '');
}

/** The anchors of its headings, as GitHub makes them. */
export function anchorsOf(file: string): ReadonlySet<string> {
  const seen = new Map<string, number>();
  const anchors = [...prose(file).matchAll(/^#{1,6} +(.+?) *$/gm)].map(([, heading]) => {
    const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll('`', '');
    const slug = plain
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
      .replaceAll(' ', '-');
    const before = seen.get(slug) ?? 0;
    seen.set(slug, before + 1);
    return before === 0 ? slug : `${slug}-${before}`;
  });
  const own = [...prose(file).matchAll(/<a (?:id|name)="([^"]+)">/g)].map(([, id]) => id);
  return new Set([...anchors, ...own]);
}

export type Link = { readonly text: string; readonly target: string };

/** Links to other files and anchors; those to other servers are left out. */
export function linksOf(file: string): readonly Link[] {
  const text = prose(file).replaceAll(/`[^`\n]*`/g, (code) => code.replaceAll(/[[\]()]/g, ' '));
  return [...text.matchAll(/\[([^\]]*)\]\(([^)\s]+)\)/g)]
    .map(([, label, target]) => ({ text: label, target }))
    .filter(({ target }) => !/^[a-z]+:/i.test(target));
}

/** What is wrong with a link of this document; null: nothing. */
export function linkFault(file: string, target: string): string | null {
  const [path, anchor] = target.split('#', 2);
  const to = path === '' ? file : relative(ROOT, join(ROOT, file, '..', path));
  if (to.startsWith('..')) return 'leads out of the repository';
  if (!existsSync(join(ROOT, to))) return 'there is no such file';
  if (anchor === undefined) return null;
  if (!to.endsWith('.md')) return null;
  return anchorsOf(to).has(anchor) ? null : `${to} has no heading with this anchor`;
}
