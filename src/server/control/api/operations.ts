/** The reads of `/api/v1`, the health paths and the metrics. */
import type { AnyOperation } from '../http/operation.ts';
import { EDGES } from './operations/edges.ts';
import { HEALTH } from './operations/health.ts';
import { NETWORKS } from './operations/networks.ts';
import { PUBLISH } from './operations/publish.ts';
import { REPLAY } from './operations/replay.ts';
import { ROOT } from './operations/root.ts';
import { SECONDARIES } from './operations/secondaries.ts';
import { SERVER } from './operations/server.ts';
import { VANTAGE } from './operations/vantage.ts';
import { ZONES } from './operations/zones.ts';

export const OPERATIONS: readonly AnyOperation[] = [
  ...ROOT,
  ...HEALTH,
  ...SERVER,
  ...NETWORKS,
  ...EDGES,
  ...REPLAY,
  ...ZONES,
  ...SECONDARIES,
  ...VANTAGE,
  ...PUBLISH,
];
