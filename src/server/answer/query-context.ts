import { Query } from '../../dns/decode.ts';
import type { Client } from './front-end.ts';
import { KIND, type Kind } from './outcome.ts';
import type { ServedZone } from './zone-table.ts';

const NO_OCTETS = new Uint8Array(0);
const NO_CLIENT: Client = { transport: 0, address: new Uint8Array(16), port: 0 };

/**
 * One query and its answer, while it is answered: handed from step to step, so that no step relies on what another one
 * left behind. One object a thread, filled anew for each query, because the query path allocates nothing.
 */
export class QueryContext {
  /** The query's octets, … */
  octets: Uint8Array = NO_OCTETS;
  length = 0;
  client: Client = NO_CLIENT;
  /** … what they say, once decoded, … */
  readonly query: Query = new Query();
  /** … and the COOKIE option of the answer; null: it gets none. */
  cookie: Uint8Array | null = null;
  hadGoodCookie = false;

  /** The answer: where it is written, `view` being of the whole of `out`, … */
  out: Uint8Array = NO_OCTETS;
  view: DataView = new DataView(this.out.buffer);
  /** … its rcode, extended bits included, … */
  rcode = 0;
  /** … its kind, and the hash of the name that answers of this kind share. */
  kind: Kind = KIND.error;
  nameHash = 0;
  /** Row of the zone in the statistics. */
  network = 0;
  isTruncated = false;
  /** The zone that alone the answer depends on; null: it depends on more or on less, so it is not to be cached. */
  zone: ServedZone | null = null;

  /** The same octets were asked for before, so the answer is worth caching; then … */
  isWanted = false;
  /** … the hash of the query, the cache's entry that holds a stale answer to it (-1: none does), … */
  hash = 0;
  entry = -1;
  /** … and the live sets' sequence, summed, as it was before any of them was read. */
  sequence = 0;

  /** A new query; what the cache knows about it is left alone. */
  begin(octets: Uint8Array, length: number, out: Uint8Array, view: DataView, client: Client): void {
    this.octets = octets;
    this.length = length;
    this.client = client;
    this.cookie = null;
    this.hadGoodCookie = false;
    this.out = out;
    this.view = view;
    this.kind = KIND.error;
    this.nameHash = 0;
    this.isTruncated = false;
    this.zone = null;
  }
}
