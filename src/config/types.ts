import type { WireName } from '../dns/name.ts';
import type { TsigKey } from '../dns/tsig-key.ts';
import type { Endpoint, Prefix } from '../system/address.ts';
import type { ZoneLimits } from './limits.ts';
import type { CheckPlan } from './section-checks.ts';
import type { DnstapConfig } from './section-dnstap.ts';
import type { JudgeConfig } from './section-judges.ts';
import type { NoticeConfig } from './section-notices.ts';
import type { PublishConfig } from './section-publish.ts';
import type { SafetyConfig } from './section-safety.ts';
import type { VantageConfig } from './section-vantage.ts';

/** Who may transfer. Both given: both needed. `tls`: over TLS only. `networks`/`zones` null: all. */
export type TransferRule = {
  readonly from: Prefix | null;
  readonly key: WireName | null;
  readonly tls: boolean;
  readonly networks: readonly string[] | null;
  readonly zones: readonly WireName[] | null;
};

export type NotifyTarget = {
  readonly to: Endpoint;
  /** The address that NOTIFY comes from; null: one that the server listens on, as the kernel would route. */
  readonly from: string | null;
  readonly key: WireName | null;
  readonly networks: readonly string[] | null;
  readonly zones: readonly WireName[] | null;
};

export type TransferConfig = {
  readonly keys: readonly TsigKey[];
  readonly allow: readonly TransferRule[];
  readonly notify: readonly NotifyTarget[];
  readonly notifyNs: boolean; // also the addresses of each zone's own NS
  readonly catalog: null | { readonly zone: WireName; readonly per: 'all' | 'network' };
  readonly watchSeconds: number; // how often each secondary is asked for its serial; 0: never
};

export type ServerConfig = {
  readonly listen: readonly Endpoint[];
  readonly tlsListen: readonly Endpoint[];
  readonly tlsCertificate: string | null;
  readonly tlsKey: string | null;
  readonly udpWorkers: number;
  /** Largest UDP answer, and what our OPT says: 1232 unless configured. */
  readonly ednsSize: number;
  readonly tcpIdleSeconds: number;
  readonly tcpMessageSeconds: number;
  readonly tcpConnections: number;
  readonly tcpConnectionsPerClient: number;
  /** NSID (RFC 5001); null: the option is not answered. */
  readonly nsid: Uint8Array | null;
  /** version.bind / id.server (RFC 4892); null: REFUSED. */
  readonly version: string | null;
  readonly id: string | null;
  /** Leave out authority and additional data that no resolver needs. */
  readonly minimal: boolean;
  readonly user: string | null;
  readonly startupTimeoutSeconds: number;
  readonly rateLimit: null | {
    readonly perSecond: number; // answers of one kind to one client prefix; 0 with no limit
    readonly slip: number; // every n-th dropped answer goes out truncated; 0: none
    readonly ipv4Prefix: number;
    readonly ipv6Prefix: number;
    readonly whitelist: readonly Prefix[];
    readonly size: number; // buckets
  };
  /** Server cookie secrets (16 octets each), the first signs, all verify; null: cookies off. */
  readonly cookieSecrets: null | readonly Uint8Array[];
  /** Null: off. */
  readonly dnstap: DnstapConfig | null;
};

export type HttpConfig = {
  readonly listen: Endpoint;
  /** Names under which it may be asked, besides addresses, names of one label and the machine's own. */
  readonly hosts: readonly string[];
  /** PEM files; null: in the clear. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
  /** Who may change things: whoever has a token of the file, or a certificate of these authorities. Null: nobody. */
  readonly admin: { readonly tokens: string | null; readonly clients: string | null } | null;
  /** Who may read, besides those who may change things; null: everybody. */
  readonly read: { readonly tokens: string } | null;
};

/** edgemanage.yaml, checked, with every path absolute. Keys keep edgemanage's names in camel case. */
export type Config = {
  readonly file: string;
  readonly testobject: {
    readonly host: string;
    readonly port: number;
    readonly proto: 'http' | 'https';
    readonly uri: string;
    readonly local: string;
    readonly verify: boolean;
    /** PEM file of the authorities to believe, where `verify` names one; null: the usual ones. */
    readonly ca: string | null;
  };
  /** By network; one without an entry has the fetch of `testobject`. */
  readonly checks: ReadonlyMap<string, CheckPlan>;
  /** By network; one without an entry is judged by `goodenough`. */
  readonly judges: ReadonlyMap<string, JudgeConfig>;
  /** By network; one without an entry has edgemanage's rules. */
  readonly safety: ReadonlyMap<string, SafetyConfig>;
  /** Sets at other people's DNS that are kept equal to live sets. */
  readonly publish: readonly PublishConfig[];
  readonly dns: {
    readonly nsRecords: readonly WireName[];
    readonly soaNameserver: WireName;
    readonly soaMailbox: WireName;
    readonly rotateZones: readonly string[]; // labels, relative to each zone
    readonly ttl: number; // of live records
  };
  readonly goodenough: number;
  readonly timeout: number; // 10, or `timeout` when `testing`
  readonly testing: boolean;
  readonly workers: number;
  readonly retry: number;
  readonly edgeCount: number;
  readonly dnetEdgeCount: ReadonlyMap<string, number>;
  readonly dnschangeMaxfreq: number;
  readonly canaryKiller: number; // 0: off
  readonly runFrequency: number;
  /** Seconds that a server waits for what belongs to one event before it decides. */
  readonly settle: number;
  readonly edgelistDir: string;
  readonly extraEdgelistDir: string | null;
  readonly healthdataStore: string;
  readonly zonetemplateDir: string;
  readonly namedDir: string | null;
  readonly logpath: string | null;
  /** Least severe message that goes to `logpath`. */
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  readonly lockfile: string;
  /** With `{dnet}` still in it; see `forNetwork`. */
  readonly statefile: string;
  /** Where our own state lives beside the original's files: `state_dir`, else the folder of the state files. */
  readonly stateDir: string;
  readonly liveList: string | null;
  readonly canaryFiles: string | null;
  readonly prometheusLogs: string | null;
  readonly commands: {
    readonly runBefore: readonly string[];
    readonly runAfter: readonly string[];
    readonly runAfterChanges: readonly string[];
  };
  readonly maxObjectBytes: number;
  readonly server: ServerConfig;
  readonly http: HttpConfig | null;
  readonly staticZones: readonly { readonly name: WireName; readonly file: string }[];
  readonly staticZoneDir: string | null;
  /** What any zone file may do. */
  readonly zoneFiles: {
    /** Folders that `$INCLUDE` may read from besides the zone's own. */
    readonly includeDirs: readonly string[];
    readonly limits: ZoneLimits;
  };
  readonly transfer: TransferConfig;
  /** Who is notified of what. */
  readonly notices: readonly NoticeConfig[];
  /** By what it agrees with other vantage points; null: this server decides alone. */
  readonly vantage: VantageConfig | null;
};

/** The files of one network, read and checked. */
export type NetworkFiles = {
  readonly name: string;
  /** In file order, extras after; duplicates removed. */
  readonly edges: readonly string[];
  /** Zone (text as written, no final dot) → address. */
  readonly canaries: ReadonlyMap<string, string>;
};
