import { isSuspect } from '../../../health/judge/quorum.ts';
import type { StatusView } from '../views/views.ts';
import { counter, type Family, gauge } from './metric-family.ts';

/** Several vantage points that agree (`vantage:`); without them none of these has a sample. */
export function addVantageMetrics(families: Family[], view: StatusView): void {
  gauge(families, {
    name: 'vantage_up',
    help: 'Whether the vantage point can be reached',
    labels: ['vantage'],
    series: { product: ['vantages'] },
    collect: (put) => {
      for (const { name, reachable } of view.vantage()?.vantages ?? []) put({ vantage: name }, reachable);
    },
  });
  gauge(families, {
    name: 'vantage_view_age_seconds',
    help: "Age of the vantage point's newest view of the network, by our monotonic clock",
    labels: ['vantage', 'network'],
    series: { product: ['vantages', 'networks'] },
    collect: (put) => {
      const source = view.vantage();
      if (source === null) return;
      const known = new Set(source.vantages.map(({ name }) => name));
      for (const { name: network } of view.networks()) {
        for (const { view: one, age } of source.views(network)) {
          if (known.has(one.vantage)) put({ vantage: one.vantage, network }, age);
        }
      }
    },
  });
  gauge(families, {
    name: 'vantage_clock_offset_seconds',
    help: "The vantage point's clock less ours; reported, and nothing is decided by it",
    labels: ['vantage'],
    series: { product: ['vantages'] },
    collect: (put) => {
      for (const { name, isSelf, clockOffset } of view.vantage()?.vantages ?? []) {
        if (!isSelf) put({ vantage: name }, clockOffset);
      }
    },
  });
  counter(families, {
    name: 'peers_refused_total',
    help: 'Requests and answers between peers that were refused, by why (engine peers)',
    labels: ['kind'],
    values: { kind: 'why, as the log says it: `wrong-key`, `replayed`, …' },
    series: { product: [8] },
    collect: (put) => {
      for (const [kind, count] of view.vantage()?.refused ?? []) put({ kind }, count);
    },
  });
  gauge(families, {
    name: 'vantage_counting',
    help: 'Views that count for the network now, our own included',
    labels: ['network'],
    series: { product: ['networks'] },
    collect: (put) => {
      if (view.vantage() === null) return;
      for (const { name, agreement } of view.networks()) put({ network: name }, agreement?.counting ?? null);
    },
  });
  gauge(families, {
    name: 'cluster_decider',
    help: 'Whether this server decides for all vantage points; absent: each decides for itself',
    labels: [],
    series: { product: [] },
    collect: (put) => put({}, view.vantage()?.role?.isOurs ?? null),
  });
  gauge(families, {
    name: 'cluster_quorum',
    help: 'Whether enough views count for the network to be decided upon',
    labels: ['network'],
    series: { product: ['networks'] },
    collect: (put) => {
      if (view.vantage() === null) return;
      for (const { name, agreement } of view.networks()) {
        put({ network: name }, agreement === null ? null : agreement.counting >= agreement.needed);
      }
    },
  });
  gauge(families, {
    name: 'cluster_override',
    help: 'Whether an operator has this server decide alone',
    labels: [],
    series: { product: [] },
    collect: (put) => {
      const source = view.vantage();
      put({}, source === null ? null : source.override !== null);
    },
  });
  gauge(families, {
    name: 'edge_suspect',
    help: 'Whether some vantage point sees the edge down, and the quorum does not',
    labels: ['network', 'edge'],
    series: { product: ['edges'] },
    collect: (put) => {
      for (const { name, agreement } of view.networks()) {
        for (const [edge, quorum] of agreement?.quorums ?? []) put({ network: name, edge }, isSuspect(quorum));
      }
    },
  });
}
