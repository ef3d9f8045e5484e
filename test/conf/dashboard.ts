import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export type Panel = {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource?: { readonly uid: string };
  readonly fieldConfig?: { readonly defaults: { readonly links?: readonly { readonly url: string }[] } };
  readonly targets?: readonly {
    readonly refId: string;
    readonly expr: string;
    readonly datasource: { readonly uid: string };
  }[];
};

type Variable = { readonly name: string; readonly type: string; readonly query: string | { readonly query: string } };

export type Dashboard = {
  readonly uid: string;
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly Variable[] };
  readonly annotations: { readonly list: readonly { readonly expr?: string }[] };
};

export function dashboard(): Dashboard {
  return JSON.parse(readFileSync(join(import.meta.dirname, '../../conf/grafana/edgewise.json'), 'utf8')) as Dashboard;
}

/** Everything that the dashboard asks Prometheus, as Grafana sends it with all of each variable selected. */
export function dashboardExpressions(): readonly string[] {
  const { panels, annotations, templating } = dashboard();
  const texts = [
    ...panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
    ...annotations.list.flatMap(({ expr }) => expr ?? []),
    // `label_values(METRIC, LABEL)` is Grafana's own; it asks for the metric.
    ...templating.list.flatMap(({ query }) =>
      typeof query === 'string' ? [] : [query.query.replace(/^label_values\((.*), \w+\)$/, '$1')],
    ),
  ];
  return texts.map((text) => text.replaceAll('$__rate_interval', '1m').replace(/\$(?:job|instance|network)\b/g, '.*'));
}
