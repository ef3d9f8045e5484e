import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { createMetrics } from '../../src/server/control/metrics/metrics.ts';
import type { StatusView } from '../../src/server/control/views/views.ts';
import { documents, readDocument } from '../support/documents.ts';

const root = join(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

type Rule = {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string; readonly runbook_url: string };
};
type Groups = { readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[] };

const RULES = (parse(read('conf/prometheus/edgewise.rules.yaml')) as Groups).groups.flatMap(({ rules }) => rules);
/** Each section of docs/alerts.md by its heading. */
const SECTIONS = new Map(
  read('docs/alerts.md')
    .split(/^### /m)
    .slice(1)
    .map((section) => {
      const [heading, ...lines] = section.split(/^## /m)[0].split('\n');
      return [heading, lines.join('\n')];
    }),
);
// Nothing is collected.
const METRICS = new Map(
  createMetrics({} as StatusView).subjects.flatMap(({ metrics }) => metrics.map((one) => [one.name, one])),
);

test('the run-book has a section for each alert, in their order, and no other', () => {
  expect([...SECTIONS.keys()]).toEqual(RULES.map(({ alert }) => alert));
});

test.each(RULES)('the run-book says of $alert what it means, where to look and what to do', (rule) => {
  const { alert, labels, annotations } = rule;
  const section = SECTIONS.get(alert) ?? '';
  const minutes = rule.for === undefined ? null : Number(rule.for.replace(/m$/, ''));
  const after = minutes === null ? '' : minutes === 1 ? ', after a minute' : `, after ${minutes} minutes`;
  expect(section).toContain(`*${labels.severity}${after}.* ${annotations.summary}.`);
  for (const what of ['What it means', 'Where to look', 'What to do']) {
    expect(section).toMatch(new RegExp(`^- \\*\\*${what}\\*\\*: \\S.{20}`, 'm'));
  }
  expect(annotations.runbook_url).toBe(`docs/alerts.md#${alert.toLowerCase()}`);
});

test.each(RULES)(
  '$alert asks for metrics that there are, and speaks of labels that they have',
  ({ expr, annotations }) => {
    const names = [...expr.matchAll(/\bedgewise_[a-z]\w+/g)].map(([name]) => name);
    for (const name of names) expect(METRICS.has(name), name).toBe(true);
    const labels = new Set([
      'instance',
      'job',
      ...names.flatMap((name) => [...(METRICS.get(name)?.labels.keys() ?? [])]),
    ]);
    for (const [, label] of annotations.description.matchAll(/\$labels\.(\w+)/g)) expect(labels).toContain(label);
  },
);

test.each(RULES)('$alert has a severity and sentences', ({ labels, annotations }) => {
  expect(['critical', 'warning', 'info']).toContain(labels.severity);
  expect(annotations.summary).toMatch(/^[A-Z/].{10,70}[^.]$/);
  expect(annotations.description).toMatch(/\.$/);
});

test.each(documents())('metrics that %s speaks of are exported', (file) => {
  const suffix = /_(?:bucket|sum|count)$/;
  const names = [...readDocument(file).matchAll(/\bedgewise_[a-z]\w+/g)].map(([name]) => name);
  // `edgewise_vantage_…` is none.
  const unknown = names.filter(
    (name) => !name.endsWith('_') && !METRICS.has(name) && !METRICS.has(name.replace(suffix, '')),
  );
  expect(unknown).toEqual([]);
});
