/**
 * The values that `/api/v1` answers, as types. Times are epoch seconds (fractions allowed), durations seconds; null
 * means "not known" or "not reached". Keys are never renamed or dropped within v1; new ones may come. What each key
 * means is in its schema.
 */
export type { EdgeDetailJson, EdgeModeJson } from './schemas/edge-detail.ts';
export type { HealthJson } from './schemas/health.ts';
export type {
  CanaryJson,
  CheckJson,
  EdgeJson,
  MemberJson,
  PhasesJson,
  SayJson,
  UptimeJson,
  VerdictJson,
} from './schemas/member.ts';
export type { ChangeJson, ChangeListJson, NetworkJson, NetworkSummaryJson, SafetyJson } from './schemas/network.ts';
export type { PublishJson } from './schemas/publish.ts';
export type { SampleJson } from './schemas/sample.ts';
export type { SecondaryJson } from './schemas/secondary.ts';
export type { StatusJson } from './schemas/server.ts';
export type { VantageJson } from './schemas/vantage.ts';
export type { ZoneJson, ZoneListJson } from './schemas/zone.ts';
