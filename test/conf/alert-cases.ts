/**
 * What each alert of conf/prometheus/edgewise.rules.yaml is about, as series by the minute in promtool's notation
 * (`0+1x9`: 0, 1, … 9; `_`: no sample), without `instance` and `job`. `fires`: the alert fires after `minutes`, and it
 * does not for any of `quiet`.
 */
export type AlertCase = {
  readonly alert: string;
  readonly minutes: number;
  readonly fires: Series;
  readonly quiet: readonly Series[];
};
type Series = { readonly [series: string]: string };

const HOUR = 'x70';
const DAY = 86_400;
/** A metric that is 1 while the trouble lasts; `labels` as `a="b"`. */
const flag = (alert: string, metric: string, labels: string, minutes: number): AlertCase => ({
  alert,
  minutes,
  fires: { [`${metric}{${labels}}`]: `1${HOUR}` },
  quiet: [{ [`${metric}{${labels}}`]: `0${HOUR}` }, { [`${metric}{${labels}}`]: '0x55 1x1' }],
});
const NET = 'network="n"';
const EDGE = 'network="n",edge="e"';

export const ALERT_CASES: readonly AlertCase[] = [
  { alert: 'EdgewiseDown', minutes: 3, fires: { up: '1 0x9' }, quiet: [{ up: '1x9' }, { up: '1x1 0 1x9' }] },
  {
    alert: 'EdgewiseNotReady',
    minutes: 5,
    fires: { edgewise_ready: '0x9' },
    quiet: [{ edgewise_ready: '0x1 1x9' }],
  },
  {
    alert: 'EdgewiseUnhealthy',
    minutes: 8,
    fires: { edgewise_healthy: '0x9' },
    quiet: [{ edgewise_healthy: '0x3 1x9' }],
  },
  {
    alert: 'EdgewisePartFaults',
    minutes: 12,
    fires: { 'edgewise_part_faults{part="publish"}': '2x20' },
    quiet: [{ 'edgewise_part_faults{part="publish"}': '2x5 _x20' }],
  },
  {
    alert: 'EdgewiseBugContained',
    minutes: 70,
    fires: { 'edgewise_contained_errors_total{part="http"}': '_x60 1x20' },
    quiet: [{ 'edgewise_contained_errors_total{part="http"}': '1x90' }, {}],
  },
  {
    alert: 'EdgewiseServfail',
    minutes: 20,
    fires: {
      'edgewise_dns_answers_total{transport="udp4",rcode="NOERROR"}': '0+90x30',
      'edgewise_dns_answers_total{transport="tcp",rcode="SERVFAIL"}': '0+10x30',
    },
    quiet: [
      {
        'edgewise_dns_answers_total{transport="udp4",rcode="NOERROR"}': '0+990x30',
        'edgewise_dns_answers_total{transport="udp4",rcode="SERVFAIL"}': '0+10x30',
      },
      { 'edgewise_dns_answers_total{transport="udp4",rcode="NOERROR"}': '7x30' },
    ],
  },
  {
    alert: 'EdgewiseWrongTokens',
    minutes: 15,
    fires: { 'edgewise_http_refused_total{reason="token"}': '0x5 0+20x10' },
    quiet: [
      { 'edgewise_http_refused_total{reason="token"}': '0x5 3x10' },
      { 'edgewise_http_refused_total{reason="malformed"}': '0+20x20' },
    ],
  },
  {
    alert: 'EdgewiseDnstapLost',
    minutes: 25,
    fires: {
      'edgewise_dnstap_dropped_total{reason="disconnected"}': '0+100x30',
      'edgewise_dnstap_dropped_total{reason="queue_full"}': '0x30',
      'edgewise_dnstap_dropped_total{reason="rate_limit"}': '0x30',
      edgewise_dnstap_messages_total: '7x30',
    },
    quiet: [
      {
        'edgewise_dnstap_dropped_total{reason="rate_limit"}': '0+900x30',
        'edgewise_dnstap_dropped_total{reason="queue_full"}': '0+1x30',
        edgewise_dnstap_messages_total: '0+100x30',
      },
      {},
    ],
  },
  {
    alert: 'EdgewiseNetworkEmpty',
    minutes: 3,
    fires: { [`edgewise_network_live_edges{${NET}}`]: '0x9' },
    quiet: [{ [`edgewise_network_live_edges{${NET}}`]: '1x9' }],
  },
  {
    alert: 'EdgewiseNoPassingEdge',
    minutes: 3,
    fires: {
      [`edgewise_network_edges{${NET},judgement="pass"}`]: '0x9',
      [`edgewise_network_edges{${NET},judgement="pass_window"}`]: '0x9',
      [`edgewise_network_edges{${NET},judgement="fail"}`]: '4x9',
    },
    quiet: [
      {
        [`edgewise_network_edges{${NET},judgement="pass"}`]: '0x9',
        [`edgewise_network_edges{${NET},judgement="pass_window"}`]: '1x9',
        [`edgewise_network_edges{${NET},judgement="fail"}`]: '3x9',
      },
      // Before the first decision.
      {
        [`edgewise_network_edges{${NET},judgement="pass"}`]: '0x9',
        [`edgewise_network_edges{${NET},judgement="fail"}`]: '0x9',
      },
    ],
  },
  {
    alert: 'EdgewiseBelowMinUp',
    minutes: 3,
    fires: { [`edgewise_network_below_min_up{${NET}}`]: '1x9' },
    quiet: [{ [`edgewise_network_below_min_up{${NET}}`]: '0x9' }],
  },
  {
    alert: 'EdgewiseNetworkShort',
    minutes: 12,
    fires: {
      [`edgewise_network_live_edges{${NET}}`]: '1x20',
      [`edgewise_network_wanted_edges{${NET}}`]: '2x20',
    },
    quiet: [
      { [`edgewise_network_live_edges{${NET}}`]: '2x20', [`edgewise_network_wanted_edges{${NET}}`]: '2x20' },
      { [`edgewise_network_live_edges{${NET}}`]: '0x20', [`edgewise_network_wanted_edges{${NET}}`]: '2x20' },
    ],
  },
  {
    alert: 'EdgewiseFailingMemberLive',
    minutes: 8,
    fires: { [`edgewise_edge_live{${EDGE}}`]: '1x20', [`edgewise_edge_up{${EDGE}}`]: '0x20' },
    quiet: [
      { [`edgewise_edge_live{${EDGE}}`]: '1x20', [`edgewise_edge_up{${EDGE}}`]: '1x20' },
      { [`edgewise_edge_live{${EDGE}}`]: '0x20', [`edgewise_edge_up{${EDGE}}`]: '0x20' },
      { [`edgewise_edge_live{${EDGE}}`]: '1x20', 'edgewise_edge_up{network="n",edge="other"}': '0x20' },
    ],
  },
  flag('EdgewiseLiveSetHeld', 'edgewise_network_held', NET, 12),
  {
    alert: 'EdgewiseEdgeDown',
    minutes: 20,
    fires: { [`edgewise_edge_up{${EDGE}}`]: '0x30' },
    quiet: [{ [`edgewise_edge_up{${EDGE}}`]: '1x30' }, { [`edgewise_edge_up{${EDGE}}`]: '_x30' }],
  },
  {
    alert: 'EdgewiseEdgeFlapping',
    minutes: 31,
    fires: { [`edgewise_edge_transitions_total{${EDGE}}`]: '0x10 1 2 4 6x30' },
    quiet: [
      { [`edgewise_edge_transitions_total{${EDGE}}`]: '9x40' },
      { [`edgewise_edge_transitions_total{${EDGE}}`]: '0x10 2x40' },
    ],
  },
  flag('EdgewiseUplinkInDoubt', 'edgewise_uplink_in_doubt', NET, 8),
  {
    alert: 'EdgewiseProberDown',
    minutes: 3,
    fires: { edgewise_prober_up: '0x9' },
    quiet: [{ edgewise_prober_up: '1x9' }],
  },
  {
    alert: 'EdgewiseProberTroubled',
    minutes: 60,
    fires: { edgewise_prober_troubles_total: '0+1x3 3x70' },
    quiet: [{ edgewise_prober_troubles_total: '0 1x70' }],
  },
  flag('EdgewiseProbingOverdue', 'edgewise_network_round_overdue', NET, 5),
  flag('EdgewiseProbingOverlong', 'edgewise_network_round_overlong', NET, 12),
  flag('EdgewiseEdgeSilent', 'edgewise_edge_silent', EDGE, 8),
  flag('EdgewiseZoneBroken', 'edgewise_zones', 'state="broken"', 3),
  flag('EdgewiseZoneStale', 'edgewise_zones', 'state="stale"', 8),
  {
    alert: 'EdgewiseSignaturesEnding',
    minutes: 5,
    fires: { 'edgewise_zone_signatures_expiry_timestamp_seconds{zone="z"}': `${2 * DAY}x9` },
    quiet: [
      { 'edgewise_zone_signatures_expiry_timestamp_seconds{zone="z"}': `${4 * DAY}x9` },
      { 'edgewise_zone_signatures_expiry_timestamp_seconds{zone="z"}': '10x9' },
    ],
  },
  {
    alert: 'EdgewiseSignaturesEnded',
    minutes: 5,
    fires: { 'edgewise_zone_signatures_expiry_timestamp_seconds{zone="z"}': '10x9' },
    quiet: [{ 'edgewise_zone_signatures_expiry_timestamp_seconds{zone="z"}': `${DAY}x9` }],
  },
  {
    alert: 'EdgewiseCertificateEnding',
    minutes: 5,
    fires: { edgewise_tls_certificate_expiry_timestamp_seconds: `${13 * DAY}x9` },
    quiet: [{ edgewise_tls_certificate_expiry_timestamp_seconds: `${15 * DAY}x9` }],
  },
  flag('EdgewiseSecondaryLagging', 'edgewise_secondary_zones', 'secondary="s",state="behind"', 12),
  flag('EdgewiseSecondaryAhead', 'edgewise_secondary_zones', 'secondary="s",state="ahead"', 8),
  {
    alert: 'EdgewiseSecondaryUnreachable',
    minutes: 12,
    fires: {
      'edgewise_secondary_up{secondary="s",zone="a"}': '0x20',
      'edgewise_secondary_up{secondary="s",zone="b"}': '0x20',
    },
    quiet: [{ 'edgewise_secondary_up{secondary="s",zone="a"}': '1x20' }],
  },
  {
    alert: 'EdgewiseNotifyFailing',
    minutes: 40,
    fires: {
      'edgewise_notify_total{result="acknowledged"}': '0+1x60',
      'edgewise_notify_total{result="refused"}': '0+1x60',
    },
    quiet: [
      { 'edgewise_notify_total{result="acknowledged"}': '0+1x60', 'edgewise_notify_total{result="refused"}': '5x60' },
    ],
  },
  flag('EdgewiseProviderFailing', 'edgewise_provider_state', 'target="t",network="n",state="failing"', 12),
  {
    alert: 'EdgewiseProviderForeignChange',
    minutes: 30,
    fires: { 'edgewise_provider_foreign_changes_total{target="t",network="n"}': '0x20 1x20' },
    quiet: [
      { 'edgewise_provider_foreign_changes_total{target="t",network="n"}': '3x60' },
      { 'edgewise_provider_state{target="t",network="n",state="foreign"}': '0x60' },
    ],
  },
  {
    alert: 'EdgewiseNoticesFailing',
    minutes: 40,
    fires: {
      'edgewise_notices_failed_total{target="t"}': '0+1x60',
      'edgewise_notices_pending{target="t"}': '2x60',
    },
    quiet: [
      { 'edgewise_notices_failed_total{target="t"}': '7x60', 'edgewise_notices_pending{target="t"}': '2x60' },
      { 'edgewise_notices_failed_total{target="t"}': '0+1x60', 'edgewise_notices_pending{target="t"}': '0x60' },
    ],
  },
  {
    alert: 'EdgewiseVantageMissing',
    minutes: 8,
    fires: { 'edgewise_vantage_up{vantage="v"}': '0x9' },
    quiet: [{ 'edgewise_vantage_up{vantage="v"}': '1x9' }],
  },
  {
    alert: 'EdgewiseNoQuorum',
    minutes: 5,
    fires: { [`edgewise_cluster_quorum{${NET}}`]: '0x9' },
    quiet: [{ [`edgewise_cluster_quorum{${NET}}`]: '1x9' }],
  },
  {
    alert: 'EdgewiseNoDecider',
    minutes: 5,
    fires: { 'edgewise_cluster_decider{instance="a"}': '0x9', 'edgewise_cluster_decider{instance="b"}': '0x9' },
    quiet: [{ 'edgewise_cluster_decider{instance="a"}': '0x9', 'edgewise_cluster_decider{instance="b"}': '1x9' }, {}],
  },
  {
    alert: 'EdgewiseTwoDeciders',
    minutes: 5,
    fires: { 'edgewise_cluster_decider{instance="a"}': '1x9', 'edgewise_cluster_decider{instance="b"}': '1x9' },
    quiet: [
      { 'edgewise_cluster_decider{instance="a"}': '0x9', 'edgewise_cluster_decider{instance="b"}': '1x9' },
      {
        'edgewise_cluster_decider{instance="a"}': '1x9',
        'edgewise_cluster_decider{instance="b"}': '1x9',
        'edgewise_cluster_override{instance="b"}': '1x9',
      },
    ],
  },
  {
    alert: 'EdgewiseOverrideOn',
    minutes: 20,
    fires: { edgewise_cluster_override: '1x30' },
    quiet: [{ edgewise_cluster_override: '0x30' }],
  },
  {
    alert: 'EdgewiseFileDescriptors',
    minutes: 8,
    fires: { edgewise_process_open_fds: '90x9', edgewise_process_max_fds: '100x9' },
    quiet: [{ edgewise_process_open_fds: '70x9', edgewise_process_max_fds: '100x9' }],
  },
  {
    alert: 'EdgewiseEventLoopDelay',
    minutes: 15,
    fires: { edgewise_prober_loop_delay_seconds: '0.5x20', edgewise_nodejs_eventloop_lag_p99_seconds: '0.01x20' },
    quiet: [
      { edgewise_prober_loop_delay_seconds: '0.01x20', edgewise_nodejs_eventloop_lag_p99_seconds: '0.02x20' },
      { edgewise_nodejs_eventloop_lag_p99_seconds: '0.5x5 0.01x20' },
    ],
  },
  {
    alert: 'EdgewiseRestarting',
    minutes: 50,
    fires: { edgewise_process_start_time_seconds: '1000x10 2000x10 3000x40' },
    quiet: [
      { edgewise_process_start_time_seconds: '1000x60' },
      { edgewise_process_start_time_seconds: '1000x10 2000x60' },
    ],
  },
];
