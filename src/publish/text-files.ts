import { forNetwork } from '../config/paths.ts';
import type { Config } from '../config/types.ts';
import type { Decision, LiveMember } from '../health/judge/types.ts';
import { attempt } from '../health/pools/faults.ts';
import type { Fault } from '../system/fault.ts';
import { writeLiveList } from './live-list.ts';
import { writePrometheusFile } from './prometheus-file.ts';

/** Files that tell others of the live set as it is served: the live list and the one for Prometheus, where wanted. */
export async function writeLists(
  config: Config,
  decision: Decision,
  live: readonly LiveMember[],
): Promise<readonly Fault[]> {
  const { liveList, prometheusLogs } = config;
  const names = live.map(({ edge }) => edge);
  const faults: Fault[] = [];
  if (liveList !== null && names.length > 0) {
    const file = forNetwork(liveList, decision.network);
    faults.push(...(await attempt('live-list', () => writeLiveList(file, names))));
  }
  if (prometheusLogs !== null) {
    faults.push(...(await attempt('prometheus-file', () => writePrometheusFile(prometheusLogs, decision, names))));
  }
  return faults;
}
