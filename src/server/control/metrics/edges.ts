import type { Verdict } from '../../../health/judge/verdict.ts';
import type { EdgeFetches } from '../../../health/pools/fetch-counters.ts';
import type { NetworkView, StatusView, UptimeView } from '../views/views.ts';
import { counter, type Family, gauge, type Put, summary } from './metric-family.ts';

/** The listed edges, a series each: how they were judged last and what they went through. */
export function addEdgeMetrics(families: Family[], view: StatusView): void {
  const perEdge = (
    name: string,
    help: string,
    value: (verdict: Verdict, network: NetworkView, live: ReadonlySet<string>) => number | boolean | null,
  ): void =>
    gauge(families, {
      name: `edge_${name}`,
      help,
      labels: ['network', 'edge'],
      series: { product: ['edges'] },
      collect: (put: Put<'network' | 'edge'>) => {
        for (const network of view.networks()) {
          const live = new Set(network.live.map(({ edge }) => edge));
          for (const verdict of listedVerdicts(network)) {
            put({ network: network.name, edge: verdict.edge }, value(verdict, network, live));
          }
        }
      },
    });

  perEdge('up', 'Whether the last fetch passed; absent: unavailable or never fetched', ({ judgement }) =>
    judgement === null ? null : judgement !== 'fail',
  );
  perEdge('live', 'Whether the edge is answered with', ({ edge }, _, live) => live.has(edge));
  perEdge('last_fetch_seconds', 'How long the last fetch took; the timeout when it failed', ({ last }) => last);
  perEdge('window_average_seconds', 'Mean fetch time of the last 300 seconds', (verdict) => verdict.windowAverage);
  perEdge('average_seconds', 'Mean fetch time of all stored fetches', ({ average }) => average);
  gauge(families, {
    name: 'edge_silent',
    help: 'Whether no check of the edge has ended for three intervals: trouble of our own',
    labels: ['network', 'edge'],
    series: { product: ['edges'] },
    collect: (put) => {
      for (const { name, edges, silent, decision } of view.networks()) {
        if (decision === null && silent.size === 0) continue;
        for (const edge of edges) put({ network: name, edge }, silent.has(edge));
      }
    },
  });
  gauge(families, {
    name: 'edge_mode_info',
    help: 'Always 1; the label says which mode an operator gave the edge',
    labels: ['network', 'edge', 'mode'],
    values: { mode: '`available`, `unavailable`, `force`, `blindforce`' },
    series: { product: ['edges'] },
    collect: (put) => {
      for (const network of view.networks()) {
        const { name, members } = network;
        for (const { edge } of listedVerdicts(network)) {
          put({ network: name, edge, mode: members.get(edge)?.mode ?? 'available' }, 1);
        }
      }
    },
  });
  counter(families, {
    name: 'edge_live_transitions_total',
    help: 'How often the edge joined or left the live set since the start',
    labels: ['network', 'edge'],
    series: { product: ['edges'] },
    collect: (put) => {
      for (const network of view.networks()) {
        for (const { edge } of listedVerdicts(network)) {
          put({ network: network.name, edge }, network.liveTransitions.get(edge) ?? 0);
        }
      }
    },
  });
  addFetchMetrics(families, view);
  addUptimeMetrics(families, view);
}

/** Of the edges on the list in force: one that was taken off has no series any more, an unavailable one has. */
function listedVerdicts({ edges, decision }: NetworkView): readonly Verdict[] {
  const listed = new Set(edges);
  return (decision?.verdicts ?? []).filter(({ edge }) => listed.has(edge));
}

function addFetchMetrics(families: Family[], view: StatusView): void {
  const each = (
    use: (labels: { readonly network: string; readonly edge: string }, fetches: EdgeFetches) => void,
  ): void => {
    for (const network of view.networks()) {
      for (const { edge } of listedVerdicts(network)) {
        const fetches = network.members.get(edge)?.fetches;
        if (fetches !== undefined) use({ network: network.name, edge }, fetches);
      }
    }
  };
  counter(families, {
    name: 'edge_fetch_failures_total',
    help: 'Fetches from the edge that failed, each one, whatever rise_fall and the window make of it',
    labels: ['network', 'edge'],
    series: { product: ['edges'] },
    collect: (put) => each((labels, { failed }) => put(labels, failed)),
  });
  summary(families, {
    name: 'edge_fetch_duration_seconds',
    help: 'Fetches from the edge that passed: how many, and how long they took together',
    labels: ['network', 'edge'],
    series: { product: ['edges'] },
    collect: (put) => each((labels, { passed, seconds }) => put(labels, { count: passed, sum: seconds })),
  });
}

function addUptimeMetrics(families: Family[], view: StatusView): void {
  const perEdge = (value: (uptime: UptimeView) => number | null) => (put: Put<'network' | 'edge'>) => {
    for (const network of view.networks()) {
      for (const { edge } of listedVerdicts(network)) {
        const uptime = network.members.get(edge)?.uptime;
        if (uptime !== undefined) put({ network: network.name, edge }, value(uptime));
      }
    }
  };
  const labels = ['network', 'edge'] as const;
  gauge(families, {
    name: 'edge_state_since_timestamp_seconds',
    help: 'When the edge came up or went down last, or was judged first',
    labels,
    series: { product: ['edges'] },
    collect: perEdge(({ since }) => since),
  });
  counter(families, {
    name: 'edge_transitions_total',
    help: 'How often the edge came up or went down since the start',
    labels,
    series: { product: ['edges'] },
    collect: perEdge(({ counts }) => counts.transitions),
  });
  counter(families, {
    name: 'edge_down_seconds_total',
    help: 'How long the edge is known to have been down since the start, up to its newest fetch',
    labels,
    series: { product: ['edges'] },
    collect: perEdge(({ counts }) => counts.downSeconds),
  });
  gauge(families, {
    name: 'edge_last_failure_timestamp_seconds',
    help: 'When a fetch from the edge failed last',
    labels,
    series: { product: ['edges'] },
    collect: perEdge(({ lastFailure }) => lastFailure?.at ?? null),
  });
  gauge(families, {
    name: 'edge_contrary_results',
    help: 'Results in a row that speak against the state of the edge (rise_fall); absent: none',
    labels,
    series: { product: ['edges'] },
    collect: perEdge(({ position }) => position?.count ?? null),
  });
}
