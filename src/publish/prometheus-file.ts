/**
 * `<prometheus_logs>/edgemanage.prom` for node_exporter's textfile collector, under the names that edgemanage 3.1 uses:
 * `<edge>_response_time`, `_average_time`, `_timeslice` (the window's average, -1 without one), `_reachable_status` and
 * `_in_rotation`. All networks share the file, so each keeps a section of its own between two comment lines.
 */
import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import { join } from 'node:path';
import type { Decision } from '../health/choose/decision.ts';
import { writeAtomic } from '../system/atomic-write.ts';
import { FILE_MAX, fileError, readFile } from '../system/read-file.ts';
import type { FollowingSink } from './sink.ts';

export const PROMETHEUS_FILE = 'edgemanage.prom';

/** The metrics of each decision, where `prometheus_logs` names a folder. */
export const prometheusSink: FollowingSink = {
  name: 'prometheus-file',
  phase: 'follow',
  apply: async ({ config: { prometheusLogs }, update }) => {
    if (prometheusLogs === null || update === null) return [];
    const live = update.state.live.map(({ edge }) => edge);
    await writePrometheusFile(prometheusLogs, update.decision, live);
    return [];
  },
};

/** Replaces the network's section in the folder's file. Throws the system's error. */
export async function writePrometheusFile(folder: string, decision: Decision, live: readonly string[]): Promise<void> {
  const file = join(folder, PROMETHEUS_FILE);
  const old = await readFile(file, FILE_MAX.state);
  if (!old.ok && old.code !== 'ENOENT') throw fileError(file, old);
  const text = old.ok ? old.octets.toString('utf8') : '';
  await writeAtomic(file, withSection(text, decision.network, metricsOf(decision, live)));
}

export type Metric = { readonly name: string; readonly value: number };

/** The gauges of one network's edges; canaries have none, as in the original. `live`: the edges that are published. */
export function metricsOf({ verdicts }: Decision, live: readonly string[]): readonly Metric[] {
  const rotation = new Set(live);
  const prefixes = metricPrefixes(verdicts.map(({ edge }) => edge));
  return verdicts.flatMap(({ edge, judgement, last, windowAverage, average }) => {
    const prefix = prefixes.get(edge) ?? metricPrefix(edge);
    const gauges: Metric[] = [];
    if (last !== null) gauges.push({ name: `${prefix}_response_time`, value: last });
    if (average !== null) gauges.push({ name: `${prefix}_average_time`, value: average });
    if (last !== null) gauges.push({ name: `${prefix}_timeslice`, value: windowAverage ?? -1 });
    if (judgement !== null) gauges.push({ name: `${prefix}_reachable_status`, value: judgement === 'fail' ? 0 : 1 });
    gauges.push({ name: `${prefix}_in_rotation`, value: rotation.has(edge) ? 1 : 0 });
    return gauges;
  });
}

/**
 * Puts a network's metrics into the text of the file. An edge of two networks appears once, in the section written
 * last.
 */
export function withSection(text: string, network: string, metrics: readonly Metric[]): string {
  const names = new Set(metrics.map(({ name }) => name));
  const others = sectionsOf(text)
    .filter((section) => section.network !== network)
    .map((section) => ({ ...section, metrics: section.metrics.filter(({ name }) => !names.has(name)) }))
    .filter((section) => section.metrics.length > 0);
  return [...others, { network, metrics }]
    .sort((a, b) => (a.network < b.network ? -1 : 1))
    .map(printSection)
    .join('');
}

type Section = { readonly network: string; readonly metrics: readonly Metric[] };

const HELP: readonly (readonly [string, string])[] = [
  ['_response_time', 'Seconds of the last fetch.'],
  ['_average_time', 'Mean seconds of all fetches on record.'],
  ['_timeslice', 'Mean seconds of the fetches of the last 300 s, -1 without any.'],
  ['_reachable_status', '1: the edge passes, 0: it fails.'],
  ['_in_rotation', '1: the edge is live.'],
];

function printSection({ network, metrics }: Section): string {
  const help = (name: string): string => HELP.find(([suffix]) => name.endsWith(suffix))?.[1] ?? '';
  const lines = metrics.map(
    ({ name, value }) => `# HELP ${name} ${help(name)}\n# TYPE ${name} gauge\n${name} ${value}\n`,
  );
  return `# network ${network}\n${lines.join('')}# end of ${network}\n`;
}

/**
 * Only sections between our own comment lines are kept; a file that edgemanage itself wrote has none and is replaced.
 */
function sectionsOf(text: string): readonly Section[] {
  return [...text.matchAll(/^# network (.*)\n([\s\S]*?)^# end of \1\n/gm)].map(([, network, body]) => ({
    network,
    metrics: [...body.matchAll(/^([a-zA-Z_:][\w:]*) (\S+)$/gm)].map(([, name, value]) => ({
      name,
      value: Number(value),
    })),
  }));
}

/**
 * The prefix of an edge's metric names, as edgemanage 3.1.0 forms it: dots become underscores; an address becomes `md5`
 * and the first six digits of its MD5 sum. Other characters that a metric name may not have, on which edgemanage fails,
 * become underscores as well, and a leading digit gets an underscore before it.
 */
export function metricPrefix(edge: string): string {
  if (isIP(edge) !== 0) return `md5${md5Digits(edge)}`;
  const name = edge.replace(/[^a-zA-Z0-9_]/g, '_');
  return /^\d/.test(name) ? `_${name}` : name;
}

/**
 * The prefixes of edges that share a file. Names that differ only in such characters (`a-b.test`, `a.b.test`) would
 * give one metric twice, which makes the whole file invalid: all but the first in the order of names get their MD5
 * digits too.
 */
export function metricPrefixes(edges: readonly string[]): ReadonlyMap<string, string> {
  const prefixes = new Map<string, string>();
  const taken = new Set<string>();
  for (const edge of [...new Set(edges)].sort()) {
    const plain = metricPrefix(edge);
    const prefix = taken.has(plain) ? `${plain}_md5${md5Digits(edge)}` : plain;
    taken.add(prefix);
    prefixes.set(edge, prefix);
  }
  return prefixes;
}

function md5Digits(text: string): string {
  return createHash('md5').update(text).digest('hex').slice(0, 6);
}
