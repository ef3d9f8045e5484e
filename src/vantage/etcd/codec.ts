/** Views and sets as JSON text. */
import type { DecidedSet } from '../../health/agreement/decided-set.ts';
import type { VantageView } from '../../health/agreement/view.ts';
import type { Decoded } from '../../health/state/vantage-view.ts';

export type EtcdCodec = {
  readonly encodeView: (view: VantageView) => string;
  readonly decodeView: (text: string) => Decoded<VantageView>;
  readonly encodeDecidedSet: (set: DecidedSet) => string;
  readonly decodeDecidedSet: (text: string) => Decoded<DecidedSet>;
};
