/** Views and sets as JSON text. */
import type { DecidedSet } from '../../health/agreement/decided-set.ts';
import type { VantageView } from '../../health/agreement/view.ts';

/** `problem`: what is wrong with the text, a short phrase. */
export type Decoded<T> = { readonly value: T; readonly problem: null } | { readonly problem: string };

export type EtcdCodec = {
  readonly encodeView: (view: VantageView) => string;
  readonly decodeView: (text: string) => Decoded<VantageView>;
  readonly encodeDecidedSet: (set: DecidedSet) => string;
  readonly decodeDecidedSet: (text: string) => Decoded<DecidedSet>;
};
