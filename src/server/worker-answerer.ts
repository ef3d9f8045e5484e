import type { ServerConfig, TsigKey } from '../config/types.ts';
import type { LiveSlots } from '../zones/live-slots.ts';
import type { Answerer, SpecialHandler } from './dns-thread.ts';
import type { Stats } from './stats.ts';

export type AnswererParts = {
  readonly slots: LiveSlots;
  readonly stats: Stats;
  readonly server: ServerConfig;
  readonly keys: readonly TsigKey[];
};

/** The one place where an answering thread gets its responder and its room for special messages. */
export function makeAnswerer(_: AnswererParts): { readonly responder: Answerer; readonly special: SpecialHandler } {
  const responder: Answerer = {
    respond(query, length, out) {
      out.set(query.subarray(0, length));
      out[2] |= 0x80;
      return length;
    },
    apply() {},
    configure() {},
    lastKind: 0,
    lastZone: 0,
    lastHash: 0,
    lastHadGoodCookie: false,
  };
  return { responder, special: { packet: () => 0, stream: async () => {}, apply() {}, configure() {} } };
}
