/** The parts of the page that are kept current one by one: each is rendered once a version, for everybody. */

import { EMPTY_HISTORY } from '../../../health/judge/history.ts';
import { networkDetail } from '../api/network.ts';
import { publishRow } from '../api/operations/publish.ts';
import { secondaryRow } from '../api/operations/secondaries.ts';
import { status } from '../api/operations/server.ts';
import { zoneRow } from '../api/operations/zones.ts';
import { vantageJson } from '../views/vantage-view.ts';
import type { NetworkView, StatusView } from '../views/views.ts';
import { changeLink, networkForm, noticeForm } from './action-forms.ts';
import { edgeAddress } from './edge-page.ts';
import { type Html, html } from './html.ts';
import { networkSection } from './network-section.ts';
import { type NoticeRow, publishSection, secondariesSection, vantageSection } from './publish-section.ts';
import type { PageQuery } from './query.ts';
import { type Summary, summarySection } from './summary-section.ts';
import { zonesSection } from './zones-section.ts';

/** `network/NAME`, or one of those that are always there. */
export type SectionKey = 'summary' | 'zones' | 'secondaries' | 'publish' | 'vantage' | `network/${string}`;

/** Samples that a chart shows. */
const SAMPLES_SHOWN = 40;

/** In the order of the page. */
export function sectionKeys(view: StatusView): readonly SectionKey[] {
  const networks = view.networks().map(({ name }): SectionKey => `network/${name}`);
  return ['summary', ...networks, 'zones', 'secondaries', 'publish', 'vantage'];
}

export type SectionContext = {
  readonly view: StatusView;
  readonly query: PageQuery;
  readonly rate: Summary['rate'];
  /** Whether whoever looks may change things. */
  readonly mayWrite: boolean;
};

/** The whole element; null: there is no such section. One without contents is hidden, and may get some. */
export function renderSection(key: SectionKey, version: string, context: SectionContext): Html | null {
  const contents = contentsOf(key, context);
  if (contents === undefined) return null;
  const hidden = contents === null ? html` hidden` : null;
  return html`<section data-section="${key}" data-version="${version}"${hidden}>${contents}</section>\n`;
}

function contentsOf(key: SectionKey, { view, query, rate, mayWrite }: SectionContext): Html | null | undefined {
  const now = view.now();
  switch (key) {
    case 'summary':
      return summarySection({ status: status(view), now, rate, down: downCounts(view.networks()) });
    case 'zones':
      return zonesSection(view.zones().map(zoneRow), query, now);
    case 'secondaries':
      return secondariesSection(view.secondaries().map(secondaryRow), query, now);
    case 'publish':
      return publishSection(view.providers().map(publishRow), noticeRows(view), now, mayWrite ? noticeForm : null);
    case 'vantage': {
      const source = view.vantage();
      return vantageSection(source === null ? null : vantageJson(source, view.networks(), now));
    }
    default: {
      const network = view.networks().find(({ name }) => `network/${name}` === key);
      if (network === undefined) return undefined;
      return networkSection(networkDetail(network, now), {
        query,
        samples: (edge) => network.members.get(edge)?.recent(SAMPLES_SHOWN) ?? EMPTY_HISTORY,
        actions: mayWrite ? ({ edge }) => changeLink(network.name, edge) : null,
        link: edgeAddress,
        networkActions: mayWrite ? networkForm : null,
      });
    }
  }
}

/** Edges that are judged down, by network. */
function downCounts(networks: readonly NetworkView[]): ReadonlyMap<string, number> {
  return new Map(
    networks.map(({ name, decision, members }) => {
      const down = (decision?.verdicts ?? []).filter(({ edge, judgement }) => {
        const up = members.get(edge)?.uptime.up ?? null;
        return (up ?? judgement !== 'fail') === false;
      });
      return [name, down.length];
    }),
  );
}

function noticeRows(view: StatusView): readonly NoticeRow[] {
  const faults = view.partFaults().filter(({ part }) => part === 'notices');
  return [...view.notices()].map(([target, counts]) => ({
    target,
    ...counts,
    problem: faults.find(({ message }) => /^[ :]/.test(afterHead(message, `notices: ${target}`)))?.message ?? null,
  }));
}

/** What follows `head`; empty where the text does not begin with it. */
function afterHead(text: string, head: string): string {
  return text.startsWith(head) ? text.slice(head.length) : '';
}
