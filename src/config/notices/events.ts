/** What notices are about: a closed list, from which each target may choose. */

export const SEVERITIES = ['info', 'warning', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

export const EVENT_NAMES = [
  'edge_down',
  'live_set_changed',
  'hold',
  'below_min_up',
  'no_live_edge',
  'uplink_in_doubt',
  'zone_broken',
  'secondary_behind',
  'provider_failing',
  'certificate_expiry',
  'signatures_expiry',
  'reload_failed',
  'started',
  'stopped',
] as const;
/** An event that a target may choose. All but `live_set_changed`, `started` and `stopped` begin and end. */
export type ChosenEvent = (typeof EVENT_NAMES)[number];
