import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { EdgewiseServer, eventually } from '../support/edgewise.ts';
import { Installation, NETWORK } from '../support/installation.ts';
import { MockFleet } from '../support/mock-fleet.ts';
import { freePort } from '../support/ports.ts';
import { listenKeys, publishingKeys } from '../support/serve-keys.ts';
import { dashboardExpressions } from './dashboard.ts';

/** A Prometheus with the scrape configuration and the rules of conf/, on a server whose edges die. */

const CONF = join(import.meta.dirname, '../../conf');
const EDGES = ['127.98.1.1', '127.98.1.2'];

let fleet: MockFleet;
let site: Installation;
let server: EdgewiseServer | null = null;
let prometheus: Prometheus | null = null;

type Rule = {
  readonly name: string;
  readonly query: string;
  readonly health: string;
  readonly lastError?: string;
  readonly alerts: readonly { readonly state: string; readonly annotations: { readonly [name: string]: string } }[];
};

class Prometheus {
  private readonly child: ChildProcess;
  private readonly url: string;
  private output = '';

  private constructor(child: ChildProcess, url: string) {
    this.child = child;
    this.url = url;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.output = (this.output + text).slice(-4000);
    });
  }

  static async start(config: string, storage: string): Promise<Prometheus> {
    const address = `127.0.0.1:${await freePort()}`;
    const args = [`--config.file=${config}`, `--storage.tsdb.path=${storage}`, `--web.listen-address=${address}`];
    const started = new Prometheus(
      spawn('prometheus', args, { stdio: ['ignore', 'ignore', 'pipe'] }),
      `http://${address}`,
    );
    await eventually(
      () =>
        fetch(`${started.url}/-/ready`).then(
          ({ status }) => status,
          () => started.output,
        ),
      (status) => status === 200,
    );
    return started;
  }

  /** `data` of an answer of its API. */
  async get<Data>(path: string, query: { readonly [name: string]: string } = {}): Promise<Data> {
    const answer = await fetch(`${this.url}/api/v1/${path}?${new URLSearchParams(query)}`);
    const { status, data, error } = (await answer.json()) as { status: string; data: Data; error?: string };
    if (status !== 'success') throw new Error(`${JSON.stringify(query)}: ${error}`);
    return data;
  }

  async rules(): Promise<readonly Rule[]> {
    const { groups } = await this.get<{ readonly groups: readonly { readonly rules: readonly Rule[] }[] }>('rules');
    return groups.flatMap(({ rules }) => rules);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exit = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exit;
  }
}

beforeAll(async () => {
  fleet = await MockFleet.start(EDGES, 'anything');
  site = await Installation.make({
    edges: EDGES,
    port: fleet.port,
    zones: { 'good.test': '' },
    keys: { ...publishingKeys(fleet.port, EDGES), run_frequency: 1, ...(await listenKeys()) },
  });
  server = await EdgewiseServer.start(site.path('edgemanage.yaml'));
  // As they are, but for the port, and faster: fifteen seconds and minutes are for people.
  const config = readFileSync(join(CONF, 'prometheus/prometheus.yaml'), 'utf8');
  const rules = readFileSync(join(CONF, 'prometheus/edgewise.rules.yaml'), 'utf8');
  expect(config.match(/127\.0\.0\.1:8053/g)).toHaveLength(1);
  await site.write(
    'prometheus.yaml',
    config.replace('127.0.0.1:8053', server.http.replace('http://', '')).replace(/_interval: 15s/g, '_interval: 500ms'),
  );
  await site.write('edgewise.rules.yaml', rules.replace(/^( +for): \d+m$/gm, '$1: 1s'));
  prometheus = await Prometheus.start(site.path('prometheus.yaml'), site.path('prometheus'));
});
afterAll(async () => {
  await prometheus?.stop();
  await server?.stop('SIGKILL');
  await site?.remove();
  await fleet?.close();
});

function running(): { readonly server: EdgewiseServer; readonly prometheus: Prometheus } {
  if (server === null || prometheus === null) throw new Error('not started');
  return { server, prometheus };
}

/** Samples of /metrics by name and labels. */
async function metrics(): Promise<ReadonlyMap<string, number>> {
  const { text } = await running().server.get('/metrics');
  return new Map(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}

const series = (name: string, edge: string): string => `edgewise_${name}{network="${NETWORK}",edge="${edge}"}`;

test('Prometheus scrapes it, and takes every rule', async () => {
  const { prometheus } = running();
  type Targets = { readonly activeTargets: readonly { readonly health: string; readonly lastError: string }[] };
  const { activeTargets } = await eventually(
    () => prometheus.get<Targets>('targets'),
    (data) => data.activeTargets.some(({ health }) => health === 'up'),
  );
  expect(activeTargets).toMatchObject([{ health: 'up', lastError: '', labels: { job: 'edgewise' } }]);
  const names = [...readFileSync(join(CONF, 'prometheus/edgewise.rules.yaml'), 'utf8').matchAll(/- alert: (\w+)/g)];
  const rules = await eventually(
    () => prometheus.rules(),
    (seen) => seen.every(({ health }) => health !== 'unknown'),
  );
  expect(rules.map(({ name }) => name).sort()).toEqual(names.map(([, name]) => name).sort());
  expect(rules.filter(({ health, lastError = '' }) => health !== 'ok' || lastError !== '')).toEqual([]);
});

test('every expression of the rules and of the dashboard is sound, and asks for what is exported only', async () => {
  const { prometheus } = running();
  type Metadata = { readonly [name: string]: readonly { readonly type: string }[] };
  // Of whatever has a head in the scrape, with samples or without.
  const exported = await eventually(
    () => prometheus.get<Metadata>('metadata'),
    (data) => 'edgewise_ready' in data,
  );
  const isKnown = (name: string): boolean => {
    const base = name.replace(/_(?:bucket|sum|count)$/, '');
    const type = exported[base]?.[0].type ?? '';
    if (base !== name && (type === 'histogram' || (type === 'summary' && !name.endsWith('_bucket')))) return true;
    return name in exported || name === 'up' || name === 'ALERTS';
  };
  const dashboard = dashboardExpressions();
  const expressions = [...dashboard, ...(await prometheus.rules()).map(({ query }) => query)];
  expect(expressions.length).toBeGreaterThan(100);
  for (const expression of expressions) {
    await prometheus.get('query', { query: expression });
    const names = [...expression.matchAll(/(?<![\w$])(?:(?:edgewise|nodejs|process)_\w+|\w+(?=\{))/g)].map(
      ([name]) => name,
    );
    expect(names.length, expression).toBeGreaterThan(0);
    expect(
      names.filter((name) => !isKnown(name)),
      expression,
    ).toEqual([]);
  }
});

test("its own linter has nothing to say about a real server's metrics", async () => {
  const { text: input } = await running().server.get('/metrics');
  expect(input).toContain('edgewise_check_duration_seconds_bucket{');
  expect(execFileSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8', stdio: 'pipe' })).toBe('');
});

test('an edge that falls and rises between two scrapes is seen in the counters', async () => {
  const [edge] = EDGES;
  const before = await eventually(metrics, (seen) => seen.get(series('edge_up', edge)) === 1);
  const count = (seen: ReadonlyMap<string, number>, name: string): number =>
    (seen.get(series(name, edge)) ?? 0) - (before.get(series(name, edge)) ?? 0);
  // This server's own log says when it has fallen, so that nothing is scraped meanwhile.
  const { server } = running();
  const since = server.output.length;
  await fleet.behave(edge, { kind: 'refuse' });
  await server.prints(new RegExp(`${edge.replaceAll('.', '\\.')}[^\\n]*refused`), since);
  await fleet.behave(edge, { kind: 'ok' });
  const after = await eventually(
    metrics,
    (seen) => count(seen, 'edge_transitions_total') >= 2 && seen.get(series('edge_up', edge)) === 1,
  );
  expect(count(after, 'edge_fetch_failures_total')).toBeGreaterThanOrEqual(1);
  expect(count(after, 'edge_down_seconds_total')).toBeGreaterThan(0);
});

test('when all edges are dead the alert fires, with sentences and a line of the run-book', async () => {
  const { prometheus } = running();
  const alertOf = async (name: string): Promise<Rule['alerts']> =>
    (await prometheus.rules()).find((rule) => rule.name === name)?.alerts ?? [];
  await eventually(metrics, (seen) => EDGES.every((edge) => seen.get(series('edge_up', edge)) === 1));
  await eventually(
    () => alertOf('EdgewiseNoPassingEdge'),
    (alerts) => alerts.length === 0,
  );
  await fleet.behave(EDGES, { kind: 'refuse' });
  const [alert] = await eventually(
    () => alertOf('EdgewiseNoPassingEdge'),
    (alerts) => alerts.some(({ state }) => state === 'firing'),
  );
  expect(alert.annotations['description']).toContain(`None of the edges of network ${NETWORK} passes on 127.0.0.1:`);
  const runbook = alert.annotations['runbook_url'] ?? '';
  expect(runbook).toBe('docs/alerts.md#edgewisenopassingedge');
  expect(readFileSync(join(CONF, '../docs/alerts.md'), 'utf8')).toContain('\n### EdgewiseNoPassingEdge\n');
  // The last set is kept, so that what fails is answered.
  await eventually(
    () => alertOf('EdgewiseFailingMemberLive'),
    (alerts) => alerts.some(({ state }) => state === 'firing'),
  );
});

test('no annotation has a template that cannot be filled in', async () => {
  for (const { name, alerts } of await running().prometheus.rules()) {
    for (const { annotations } of alerts)
      expect(JSON.stringify(annotations), name).not.toMatch(/error expanding|<no value>/);
  }
  expect(parse(readFileSync(join(CONF, 'prometheus/prometheus.yaml'), 'utf8'))).toHaveProperty('rule_files');
});
