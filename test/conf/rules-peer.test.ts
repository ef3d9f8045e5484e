import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ALERT_CASES } from './alert-cases.ts';

const RULES = join(import.meta.dirname, '../../conf/prometheus/edgewise.rules.yaml');
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgewise-rules-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function promtool(...args: string[]): string {
  // What it dislikes is on both outputs, and in the error that a status other than 0 throws.
  return execFileSync('promtool', args, { encoding: 'utf8', stdio: 'pipe' });
}

/** With `instance` and `job` as a scrape adds them, unless the series has them. */
function scraped(series: string): string {
  const [, name, labels = ''] = series.match(/^(\w+)(?:\{(.*)\})?$/) ?? [];
  const instance = labels.includes('instance=') ? [] : ['instance="ns1:8053"'];
  return `${name}{${[...(labels === '' ? [] : [labels]), ...instance, 'job="edgewise"'].join(',')}}`;
}

test('the example of a scrape configuration, and the rules that it loads, are sound', () => {
  expect(promtool('check', 'config', join(RULES, '../prometheus.yaml'))).toMatch(/SUCCESS: \d+ rules found/);
});

test('each alert has a case in which it fires and one in which it does not', () => {
  const alerts = [...readFileSync(RULES, 'utf8').matchAll(/- alert: (\w+)/g)].map(([, name]) => name);
  expect(ALERT_CASES.map(({ alert }) => alert)).toEqual(alerts);
  for (const { alert, quiet } of ALERT_CASES) expect(quiet.length, alert).toBeGreaterThan(0);
});

test("each alert fires for what it is about and for nothing else, by Prometheus' own unit tests", () => {
  const tests = ALERT_CASES.flatMap(({ alert, minutes, fires, quiet }) =>
    [fires, ...quiet].map((series, i) => ({
      name: `${alert} ${i === 0 ? 'fires' : `is quiet, ${i}`}`,
      interval: '1m',
      input_series: Object.entries(series).map(([name, values]) => ({ series: scraped(name), values })),
      promql_expr_test: [
        {
          expr: `count by (alertname) (ALERTS{alertname="${alert}",alertstate="firing"})`,
          eval_time: `${minutes}m`,
          exp_samples: i === 0 ? [{ labels: `{alertname="${alert}"}`, value: 1 }] : [],
        },
      ],
    })),
  );
  const file = join(folder, 'cases.yaml');
  // JSON is YAML.
  writeFileSync(file, JSON.stringify({ rule_files: [RULES], evaluation_interval: '1m', tests }));
  expect(promtool('test', 'rules', file)).toContain('SUCCESS');
});

test('an alert carries what people need: severity, sentences with its labels and value, and the run-book', () => {
  const cases = {
    rule_files: [RULES],
    evaluation_interval: '1m',
    tests: [
      {
        interval: '1m',
        input_series: [
          { series: scraped('edgewise_network_live_edges{network="n"}'), values: '1x20' },
          { series: scraped('edgewise_network_wanted_edges{network="n"}'), values: '3x20' },
        ],
        alert_rule_test: [
          {
            alertname: 'EdgewiseNetworkShort',
            eval_time: '15m',
            exp_alerts: [
              {
                exp_labels: { severity: 'warning', network: 'n', instance: 'ns1:8053', job: 'edgewise' },
                exp_annotations: {
                  summary: 'A network has fewer live edges than wanted',
                  description:
                    'Network n of ns1:8053 has had 1 live edge(s) for ten minutes, fewer than the configuration wants.',
                  runbook_url: 'docs/alerts.md#edgewisenetworkshort',
                },
              },
            ],
          },
        ],
      },
    ],
  };
  const file = join(folder, 'annotations.yaml');
  writeFileSync(file, JSON.stringify(cases));
  expect(promtool('test', 'rules', file)).toContain('SUCCESS');
});
