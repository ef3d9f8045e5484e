import type { ServerConfig } from '../../config/types.ts';
import type { PacketBuffers } from './packet-buffers.ts';
import type { ZoneUpdate } from './zone-update.ts';

/** Numbers for the statistics and for what an answer may do. */
export const TRANSPORT = { udp4: 0, udp6: 1, tcp: 2, tls: 3 } as const;

/** Who asked. One object a socket or batch place, filled anew for each query: the query path allocates nothing. */
export type Client = {
  transport: number; // of TRANSPORT
  /** 16 octets; an IPv4 client is written ::ffff:a.b.c.d. */
  readonly address: Uint8Array;
  port: number;
  /** Over TLS: whether the connection may carry transfers (RFC 9103 §7). */
  carriesTransfers?: boolean;
};

/**
 * What a front end needs of the responder. After `respond` the `last…` fields tell what was answered; they are numbers
 * and flags, so that nothing is allocated.
 */
export type Answerer = {
  /** Length of the answer in `out`; 0: no reply; SPECIAL: ask the `SpecialHandler`. */
  respond(query: Uint8Array, length: number, out: Uint8Array, client: Client): number;
  /** A first look at the first `count` queries of a UDP front end, before `respondIn` is asked to answer them. */
  look(packets: PacketBuffers, count: number): void;
  /** The same as `respond` for query `i`, into answer `k`; answers that come again may be kept. */
  respondIn(packets: PacketBuffers, i: number, k: number, client: Client): number;
  apply(updates: readonly ZoneUpdate[]): void;
  configure(server: ServerConfig): void;
  /** Of KIND. */
  readonly lastKind: number;
  /** A hash of the name that answers of this kind have in common. */
  readonly lastHash: number;
  /** The query carried a server cookie of ours, so its source address is not forged. */
  readonly lastHadGoodCookie: boolean;
};
