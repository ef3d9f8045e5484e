import { boundText, type Description, LABEL_VALUES, QUANTITIES, unitOf } from './description.ts';
import type { Subject } from './metrics.ts';

const INTRODUCTION = `# Metrics

<!-- Made by \`npm run docs\` from src/server/control/metrics: change the descriptions there. -->

Prometheus scrapes \`/metrics\` of \`http.listen\`. Ready to use are
[conf/prometheus/prometheus.yaml](../conf/prometheus/prometheus.yaml) (a scrape configuration),
[conf/prometheus/edgewise.rules.yaml](../conf/prometheus/edgewise.rules.yaml) (alerts; [alerts.md](alerts.md) says what each means
and what to do) and [conf/grafana/edgewise.json](../conf/grafana/edgewise.json) (a Grafana dashboard).

Everything is read from the running server at the moment of the scrape. One scrape is made at a time; those that are asked for
meanwhile share the next, so that many at once cost no more than two. The form is Prometheus' text format 0.0.4, also where
OpenMetrics is asked for.

Counters begin at 0 when the process starts and only grow, so that \`increase()\` shows what came and went between two scrapes, too: an
edge that was down for two seconds is an increase of \`edgewise_edge_fetch_failures_total\` if a check fell into them (they come
every \`run_frequency\` seconds), and of \`edgewise_edge_transitions_total\` if that was enough to take it down (\`rise_fall\`; with
\`vantage:\`, others who see it). A counter's series is there before anything happens, except for queries by type and bugs by part,
whose series begin with the first. A value that is not known has no sample. What is gone from the configuration is gone from the
next scrape.

## How many series

No label takes what a client or an edge sends: query types without a mnemonic are \`other\`, and so are unknown response codes.
"Series" below is the most that a metric can have, in these quantities:

`;

const LABELS = `
Labels that mean the same in all metrics:

`;

const PER_ZONE = `
Metrics marked with † have a series for each zone: \`/metrics?exclude[]=zones\` (in Prometheus: \`params: {'exclude[]': [zones]}\`)
leaves them out, should ten thousand zones be too much for your Prometheus.
`;

/** docs/metrics.md. */
export function metricsReference(subjects: readonly Subject[]): string {
  const quantities = Object.entries(QUANTITIES).map(([name, text]) => `- **${name}**: ${text}`);
  const labels = Object.entries(LABEL_VALUES).map(([name, text]) => `- \`${name}\`: ${text}`);
  const parts = subjects.map(({ title, metrics }) => `\n## ${title}\n\n${HEAD}${metrics.map(row).join('')}`);
  return `${INTRODUCTION}${quantities.join('\n')}\n${LABELS}${labels.join('\n')}\n${PER_ZONE}${parts.join('')}`;
}

const HEAD = '| Metric | Type | Unit | Series | Meaning |\n|---|---|---|---|---|\n';

function row({ name, type, help, labels, series, perZone }: Description): string {
  const common: { readonly [name in string]?: string } = LABEL_VALUES;
  const own = [...labels].filter(([label, text]) => common[label] !== text);
  const meaning = [help.replace(/\.$/, ''), ...own.map(([label, text]) => `\`${label}\`: ${text}`)].join('. ');
  const names = labels.size === 0 ? '' : `{${[...labels.keys()].join(', ')}}`;
  const cells = [
    `\`${name}${names}\``,
    type === 'unknown' ? 'none' : type,
    unitOf(name),
    `${boundText(series)}${perZone ? ' †' : ''}`,
    meaning,
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
}
