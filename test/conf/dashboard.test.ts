import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createMetrics } from '../../src/server/control/metrics/metrics.ts';
import { statusView } from '../server/control/api/api-fixture.ts';
import { dashboard, dashboardExpressions } from './dashboard.ts';

/** What Grafana 10 and 11 need to show conf/grafana/edgewise.json; prometheus-peer.test.ts asks what it asks. */

/** Grafana's notation for the variable. */
const SELECTED = '$'.concat('{datasource}');

/** What is for questions of one's own. */
const NOT_SHOWN: readonly string[] = [
  'edgewise_zones_load_timestamp_seconds',
  'edgewise_secondary_serial',
  'edgewise_network_min_up_edges',
  'edgewise_network_round_timestamp_seconds',
  'edgewise_edge_last_fetch_seconds',
  'edgewise_edge_window_average_seconds',
  'edgewise_edge_average_seconds',
  'edgewise_edge_live_transitions_total',
  'edgewise_edge_state_since_timestamp_seconds',
  'edgewise_edge_last_failure_timestamp_seconds',
  'edgewise_vantage_counting',
];

const { panels, templating, schemaVersion, uid } = dashboard();

test('it is of a version that Grafana 10 reads, has a name of its own, and variables for source, server and network', () => {
  expect([uid, schemaVersion]).toEqual(['edgewise', 38]);
  expect(templating.list.map(({ name, type }) => `${name}: ${type}`)).toEqual([
    'datasource: datasource',
    'job: query',
    'instance: query',
    'network: query',
  ]);
});

test('a row for each subject', () => {
  expect(panels.filter(({ type }) => type === 'row').map(({ title }) => title)).toEqual([
    'Overview',
    'Live sets',
    'Edges',
    'Fetch phases',
    'DNS traffic',
    'Zones and secondaries',
    'Providers and notices',
    'Vantage points',
    'Process',
  ]);
});

test('panels have numbers of their own, titles, questions, and the selected source', () => {
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  for (const { type, title, targets = [], datasource } of panels) {
    expect(title).not.toBe('');
    if (type === 'row') continue;
    expect(targets.length, title).toBeGreaterThan(0);
    expect(new Set(targets.map(({ refId }) => refId)).size, title).toBe(targets.length);
    expect([datasource, ...targets.map((target) => target.datasource)].map((source) => source?.uid)).toEqual(
      [datasource, ...targets].map(() => SELECTED),
    );
  }
});

test('panels lie beside each other in the grid', () => {
  const taken = new Map<string, string>();
  for (const { title, gridPos } of panels) {
    expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        expect(taken.get(`${x} ${y}`), `${title} covers`).toBeUndefined();
        taken.set(`${x} ${y}`, title);
      }
    }
  }
});

test('an edge leads to its page at the server that reports it', () => {
  const label = (name: string): string => '$'.concat(`{__field.labels.${name}}`);
  const url = `http://${label('instance')}/networks/${label('network:percentencode')}/edges/${label('edge:percentencode')}`;
  const linked = panels.flatMap(({ title, fieldConfig }) =>
    (fieldConfig?.defaults.links ?? []).map((link) => `${title}: ${link.url}`),
  );
  expect(linked).toEqual(
    ['Who is answered', 'Up and down', 'Transitions', 'Failed fetches'].map((t) => `${t}: ${url}`),
  );
});

test('nothing of the server itself is exported without being shown or alerted upon', () => {
  const rules = readFileSync(join(import.meta.dirname, '../../conf/prometheus/edgewise.rules.yaml'), 'utf8');
  const used = [...dashboardExpressions(), rules].join('\n');
  const names = createMetrics(statusView())
    .subjects.filter(({ title }) => title !== 'Process and Node')
    .flatMap(({ metrics }) => metrics.map(({ name }) => name));
  expect(names.filter((name) => !used.includes(name))).toEqual(NOT_SHOWN);
});

test('every question goes to the servers that are selected, and uses no variable that is not there', () => {
  for (const { targets = [], title } of panels) {
    for (const { expr } of targets) {
      for (const [, name] of expr.matchAll(/\$(\w+)/g)) {
        expect(['job', 'instance', 'network', '__rate_interval'], title).toContain(name);
      }
      if (!expr.includes('ALERTS')) expect(expr.match(/job=~"\$job",instance=~"\$instance"/), title).not.toBeNull();
    }
  }
  expect(dashboardExpressions().join('\n')).not.toContain('$');
});
