import { CHECK_KINDS, REASONS } from '../../../health/checks/sample.ts';
import { FAMILY_NAME } from '../../../health/choose/families.ts';
import { recentChanges } from '../../../health/choose/limit.ts';
import { FAMILIES } from '../../../health/judge/edge.ts';
import { FETCH_BOUNDS, FETCH_PHASES, type FetchPhase } from '../../../health/pools/fetch-counters.ts';
import type { NetworkView, StatusView } from '../views/views.ts';
import { inCode } from './description.ts';
import { addEdgeMetrics } from './edges.ts';
import { counter, type Family, gauge, histogram } from './metric-family.ts';

const JUDGEMENTS = ['pass_threshold', 'pass_window', 'pass_average', 'pass', 'fail'] as const;

/** The networks: what is live, how it was judged, how the rounds go. */
export function addNetworkMetrics(families: Family[], view: StatusView): void {
  const perNetwork = (
    name: string,
    help: string,
    value: (network: NetworkView) => number | boolean | null | undefined,
  ): void =>
    gauge(families, {
      name: `network_${name}`,
      help,
      labels: ['network'],
      series: { product: ['networks'] },
      collect: (put) => {
        for (const network of view.networks()) put({ network: network.name }, value(network));
      },
    });

  perNetwork('live_edges', 'Edges that are answered with', ({ live }) => live.length);
  perNetwork('wanted_edges', 'Edges that should be live by the configuration', ({ wanted }) => wanted);
  perNetwork(
    'unfilled_places',
    'Places that stay empty because only edges that pass may take them (fill: none)',
    ({ decision }) => decision?.safety.unfilled,
  );
  perNetwork('min_up_edges', 'Edges that must not fail by min_up', ({ decision }) => decision?.safety.minUp?.needed);
  perNetwork(
    'below_min_up',
    'Whether fewer edges pass than min_up, so that the last set is kept or all are answered',
    ({ decision }) => {
      const minUp = decision?.safety.minUp ?? null;
      return minUp === null ? null : minUp.up < minUp.needed;
    },
  );
  perNetwork('hold_up_edges', 'Edges that pass and are not live yet because of hold_up', ({ decision }) =>
    decision === null ? null : decision.safety.heldUp.length,
  );
  perNetwork('serial', 'Serial of the live set', ({ serial }) => serial);
  perNetwork('held', 'Whether the rotation limit keeps a wanted change back', ({ decision }) =>
    decision === null ? null : decision.hold !== null,
  );
  perNetwork(
    'failing_held',
    'Edges that fail and are live only because the rotation limit holds them',
    ({ decision }) => (decision === null ? null : decision.heldFailing.length),
  );
  perNetwork('recent_rotations', 'Changes of the live set in the last 600 seconds', ({ decision }) =>
    decision === null ? null : recentChanges(decision.memory.rotations, view.now()).length,
  );
  perNetwork('rotation_limit', 'Changes of the live set allowed in 600 seconds', ({ maxfreq }) => maxfreq);
  perNetwork(
    'verification_failures',
    'Edges and canaries whose object was not the expected one in the last round',
    ({ decision }) => decision?.verificationFailures.length,
  );
  perNetwork(
    'round_duration_seconds',
    'How long the last turn took: about its interval, over which its checks are spread; late ones: see round_overlong',
    ({ round }) => round.seconds,
  );
  perNetwork('round_interval_seconds', 'How often a probing round should be made', ({ round }) => round.runFrequency);
  perNetwork('round_overdue', 'Whether a probing round is later than it should be', ({ round }) => round.overdue);
  perNetwork(
    'round_overlong',
    'Whether the probing round takes longer than its interval: edges hang and workers are too few',
    ({ round }) => round.overlong !== null,
  );
  perNetwork('round_timestamp_seconds', 'When the last probing round ended', ({ round }) => round.lastRun);

  gauge(families, {
    name: 'uplink_in_doubt',
    help: 'Whether most references fail, so that our own line is in doubt and the set is kept; absent: no references',
    labels: ['network'],
    series: { product: ['networks'] },
    collect: (put) => {
      for (const { name, decision } of view.networks()) put({ network: name }, decision?.safety.uplink?.inDoubt);
    },
  });
  counter(families, {
    name: 'network_rotations_total',
    help: 'Changes of the live set since the start',
    labels: ['network'],
    series: { product: ['networks'] },
    collect: (put) => {
      for (const { name, rotationsTotal } of view.networks()) put({ network: name }, rotationsTotal);
    },
  });
  counter(families, {
    name: 'network_hold_exceptions_total',
    help: 'Members replaced in spite of the rotation limit, because they failed three times in a row',
    labels: ['network'],
    series: { product: ['networks'] },
    collect: (put) => {
      for (const { name, holdExceptionsTotal } of view.networks()) put({ network: name }, holdExceptionsTotal);
    },
  });
  counter(families, {
    name: 'network_holds_total',
    help: 'Changes of the live set that the rotation limit began to keep back',
    labels: ['network'],
    series: { product: ['networks'] },
    collect: (put) => {
      for (const { name, holdsTotal } of view.networks()) put({ network: name }, holdsTotal);
    },
  });
  addCheckMetrics(families, view);
  gauge(families, {
    name: 'network_family_up',
    help: 'Whether what is answered over an address family passes; absent: no edge has such an address',
    labels: ['network', 'family'],
    values: { family: '`ipv4`, `ipv6`' },
    series: { product: ['networks', 2] },
    collect: (put) => {
      for (const { name, decision } of view.networks()) {
        for (const family of FAMILIES) {
          const state = decision?.families[family] ?? 'none';
          put(
            { network: name, family: FAMILY_NAME[family].toLowerCase() },
            state === 'none' ? null : state === 'passing',
          );
        }
      }
    },
  });
  gauge(families, {
    name: 'network_edges',
    help: 'Edges by their last judgement; none: unavailable or never fetched',
    labels: ['network', 'judgement'],
    values: { judgement: inCode([...JUDGEMENTS, 'none']) },
    series: { product: ['networks', JUDGEMENTS.length + 1] },
    collect: (put) => {
      for (const { name, decision } of view.networks()) {
        for (const judgement of [...JUDGEMENTS, null]) {
          const count = decision?.verdicts.filter((verdict) => verdict.judgement === judgement).length ?? 0;
          put({ network: name, judgement: judgement ?? 'none' }, count);
        }
      }
    },
  });
  addEdgeMetrics(families, view);
  gauge(families, {
    name: 'canary_active',
    help: 'Whether the canary stands in for an edge in its zone',
    labels: ['network', 'zone', 'address'],
    series: { product: ['canaries'] },
    collect: (put) => {
      for (const { name, decision } of view.networks()) {
        for (const { zone, address, active } of decision?.canaries ?? []) {
          put({ network: name, zone, address }, active !== null);
        }
      }
    },
  });
}

/** What checks came to, by network and kind: an edge each would be too many for histograms. */
function addCheckMetrics(families: Family[], view: StatusView): void {
  histogram(families, {
    name: 'check_duration_seconds',
    help: 'How long each phase of the checks took, of every address that is asked; total: of those that passed',
    labels: ['network', 'kind', 'phase'],
    values: { kind: inCode(CHECK_KINDS), phase: inCode(Object.values(PHASE_LABELS)) },
    series: { product: ['check kinds', FETCH_PHASES.length] },
    buckets: FETCH_BOUNDS,
    collect: (put) => {
      for (const { name, checkCounts } of view.networks()) {
        for (const [kind, { phases }] of checkCounts) {
          for (const [phase, durations] of phases) put({ network: name, kind, phase: PHASE_LABELS[phase] }, durations);
        }
      }
    },
  });
  counter(families, {
    name: 'checks_total',
    help: 'Checks of an address by what they came to; unknown: trouble of our own',
    labels: ['network', 'kind', 'result'],
    values: { kind: inCode(CHECK_KINDS), result: '`pass`, `unknown`, or the reason of the failure as in checks.md' },
    series: { product: ['check kinds', RESULTS_MAX] },
    collect: (put) => {
      for (const { name, checkCounts } of view.networks()) {
        for (const [kind, { results }] of checkCounts) {
          for (const [result, count] of results) put({ network: name, kind, result }, count);
        }
      }
    },
  });
}

const PHASE_LABELS: { readonly [phase in FetchPhase]: string } = {
  resolve: 'resolve',
  connect: 'connect',
  tls: 'tls',
  firstByte: 'first_byte',
  total: 'total',
};

/** Results of the kind of check that has most. */
const RESULTS_MAX = 2 + Math.max(...CHECK_KINDS.map((kind) => REASONS[kind].length));
