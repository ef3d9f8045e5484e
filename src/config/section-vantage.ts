/** The section `vantage`: which vantage point this is, and by what it agrees with the others. */

/** Which votes call an edge down: so many of the configured vantages. */
export type QuorumChoice = 'majority' | 'any' | 'all' | number;

/** How one reaches a server by TLS. Paths are absolute. */
export type VantageTls = {
  readonly caFile: string | null;
  readonly certFile: string | null;
  readonly keyFile: string | null;
};

export type EtcdVantage = {
  readonly engine: 'etcd';
  readonly name: string;
  /** `http(s)://host:port`, at least one. */
  readonly endpoints: readonly string[];
  /** Without slashes at its ends. */
  readonly prefix: string;
  /** All that have a vote, `name` among them; at least two. */
  readonly members: readonly string[];
  readonly quorum: QuorumChoice;
  readonly user: string | null;
  readonly passwordFile: string | null;
  readonly tls: VantageTls;
  /** Seconds after which a decider that is not heard of is replaced. */
  readonly lease: number;
  /** Seconds that a request may take. */
  readonly timeout: number;
};

export type PeersVantage = {
  readonly engine: 'peers';
  readonly name: string;
  /** `address:port`. */
  readonly listen: { readonly address: string; readonly port: number };
  readonly keyFile: string;
  readonly peers: readonly { readonly name: string; readonly url: string }[];
  readonly minPeersAgree: number;
  /** What our own listener speaks TLS with, and what peers' certificates are checked against. */
  readonly tls: VantageTls;
  readonly timeout: number;
};

/** Null in `Config`: this server decides alone. */
export type VantageConfig = EtcdVantage | PeersVantage;
