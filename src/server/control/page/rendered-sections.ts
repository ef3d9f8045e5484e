/** Sections as they were rendered last: one rendering of a version serves every page that shows it. */
import { createHash } from 'node:crypto';
import type { StatusView } from '../views/views.ts';
import type { PageChanges } from './changes.ts';
import type { Html } from './html.ts';
import { addressOf, type PageQuery } from './query.ts';
import { renderSection, type SectionKey } from './sections.ts';

/** Characters of all that is kept: some twenty large sections. */
const KEPT_MAX = 8_000_000;

type Rendered = {
  readonly markup: Html;
  readonly octets: Uint8Array;
  /** Quoted. */
  readonly etag: string;
};

export class RenderedSections {
  private readonly view: StatusView;
  private readonly changes: PageChanges;
  /** By section and query; the one that was used last is at the end. */
  private readonly kept = new Map<string, Rendered & { readonly version: string }>();
  private size = 0;

  constructor(view: StatusView, changes: PageChanges) {
    this.view = view;
    this.changes = changes;
  }

  /** Null: there is no such section. */
  section(key: SectionKey, query: PageQuery, mayWrite: boolean): Rendered | null {
    const name = `${mayWrite ? 'write' : 'read'} ${key}${addressOf(query)}`;
    const version = this.changes.version(key);
    const kept = this.kept.get(name);
    if (kept !== undefined) this.forget(name, kept);
    if (kept?.version === version) {
      this.keep(name, kept);
      return kept;
    }
    const markup = renderSection(key, version, { view: this.view, query, rate: this.changes.rate(), mayWrite });
    if (markup === null) return null;
    const octets = Buffer.from(markup.text, 'utf8');
    const etag = `"${createHash('sha256').update(octets).digest('base64url').slice(0, 22)}"`;
    const rendered = { markup, octets, etag, version };
    this.keep(name, rendered);
    return rendered;
  }

  private keep(name: string, rendered: Rendered & { readonly version: string }): void {
    this.kept.set(name, rendered);
    this.size += rendered.octets.length;
    for (const [oldest, other] of this.kept) {
      if (this.size <= KEPT_MAX || oldest === name) return;
      this.forget(oldest, other);
    }
  }

  private forget(name: string, { octets }: Rendered): void {
    this.kept.delete(name);
    this.size -= octets.length;
  }
}
