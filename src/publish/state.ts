import { forNetwork } from '../config/paths.ts';
import { writeState } from '../health/state/state-file-io.ts';
import type { DurableSink } from './sink.ts';

/**
 * The network's state file: live set, serials and memory of the rotation limit. `statefile` as in the configuration.
 */
export function stateSink(statefile: string): DurableSink {
  return {
    name: 'state',
    phase: 'durable',
    apply: (network, state) => writeState(forNetwork(statefile, network), state),
  };
}
