/** goavail.toml → `Goavail`: the original's keys, all faults in one go (keys and defaults as its source has them). */
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { z } from 'zod';
import { addressKey, parseEndpoint } from '../system/address.ts';
import { hasErrors } from '../system/fault.ts';
import { isHostName } from '../system/host-name.ts';
import type { ConfigCode, ConfigFault } from './fault.ts';
import { flag, list, number, section } from './fields.ts';
import { readTextFile } from './read-text.ts';
import { faultAt, type Source, schemaFaults, valueAt } from './schema-fault.ts';
import { readToml } from './toml-source.ts';
import type { Path } from './yaml-source.ts';

/** What the command line says of how the file is used: how addresses are checked, whose DNS is kept. */
export type GoavailUse = { readonly type: 'ip' | 'tcp'; readonly provider: GoavailProvider['kind'] };

/** Every address belongs to every one of `names`, whole names without final dot. */
export type GoavailProvider = {
  readonly domain: string;
  readonly names: readonly string[];
  readonly addresses: readonly string[];
} & (
  | { readonly kind: 'cloudflare'; readonly proxied: boolean }
  | { readonly kind: 'route53'; readonly ttl: number; readonly zoneId: string; readonly region: string | null }
);

/** `peers` and `localAddress` as written. `minPeersAgree`: peers that must see the same before anything is done. */
export type GoavailCluster = {
  readonly peers: readonly string[];
  readonly localAddress: string;
  readonly minPeersAgree: number;
  readonly encrypted: boolean;
};

/** goavail.toml, checked, for one use of it. */
export type Goavail = {
  readonly file: string;
  readonly use: GoavailUse;
  /** Results in a row that change an address's state, at least 1. */
  readonly threshold: number;
  readonly intervalSeconds: number;
  /** Null unless addresses are checked by TCP. */
  readonly port: number | null;
  readonly slack: boolean;
  readonly cluster: GoavailCluster | null;
  readonly provider: GoavailProvider;
};

/** `goavail` is null when any fault is an error. Warnings come with a usable configuration. */
export type LoadedGoavail = { readonly goavail: Goavail | null; readonly faults: readonly ConfigFault[] };

const DAY = 86_400;
const PORTS = { min: 1, max: 65_535 };

/** Texts may be empty: a table that is not in use often is. What is in use is looked at again in `checkUse`. */
const anyText = (expected: string) => z.string({ error: `expected ${expected}` });
const addresses = list(anyText('an IP address'), 'a list of IP addresses').optional();
const hostnames = list(anyText('a host name'), 'a list of host names').optional();

const membersKeys = {
  peers: list(anyText('a peer such as "192.0.2.20:8080"'), 'a list of peers, each an address and port').optional(),
  local_addr: anyText('our own address and port, such as "192.0.2.10:8080"').optional(),
  min_peers_agree: number('a number of peers', { min: 0, max: 1000 }).optional(),
  crypto_key: anyText('a key of 16, 24 or 32 octets').optional(),
  members_port: number('a port', { min: 0, max: 65_535 }).optional(),
};
const cloudflareKeys = {
  dns_domain: anyText('a domain name').optional(),
  dns_proxied: flag().optional(),
  hostnames,
  ip_addresses: addresses,
};
const route53Keys = {
  aws_domain: anyText('a domain name').optional(),
  hostnames,
  ip_addresses: addresses,
  ttl: number('seconds', { min: 0, max: 2 ** 31 - 1 }).optional(),
  aws_zoneid: anyText("the hosted zone's id").optional(),
  aws_region: anyText('a region such as eu-west-1').optional(),
};
const topKeys = {
  failure_threshold: number('a number of results in a row', { min: 0, max: 1000 }).optional(),
  interval: number('seconds between two checks', { min: 1, max: DAY }),
  port: number('a port', PORTS).optional(),
  slack_addr: anyText('the path of a Slack webhook').optional(),
};
const TABLES = { Members: membersKeys, Cloudflare: cloudflareKeys, Route53: route53Keys } as const;
type Table = keyof typeof TABLES;

/** The original's README shows the keys of the tables flat, its code wants tables: both are read. */
const goavailSchema = section(
  {
    ...topKeys,
    ...membersKeys,
    ...cloudflareKeys,
    ...route53Keys,
    Members: section(membersKeys).optional(),
    Cloudflare: section(cloudflareKeys).optional(),
    Route53: section(route53Keys).optional(),
  },
  'keys such as interval and failure_threshold, and the tables Members, Cloudflare and Route53',
);

/** Reads `file` for one use of it. Never throws. */
export function loadGoavail(file: string, use: GoavailUse): LoadedGoavail {
  const path = resolve(file);
  const read = readTextFile(path);
  return read.ok ? parseGoavail(path, read.text, use) : { goavail: null, faults: [read.fault] };
}

/** `loadGoavail` of a text that is the contents of the absolute path `file`. */
export function parseGoavail(file: string, text: string, use: GoavailUse): LoadedGoavail {
  const toml = readToml(file, text);
  if (hasErrors(toml.faults)) return { goavail: null, faults: toml.faults };
  const source: Source = { ...toml, value: inOurCase(toml.value) };
  const checked = goavailSchema.safeParse(source.value);
  const found = new Findings(source);
  const faults = checked.success ? [] : schemaFaults(source, checked.error.issues);
  const goavail = build(found, use, faults.length === 0);
  faults.push(...found.faults);
  faults.sort((a, b) => (a.at?.line ?? 0) - (b.at?.line ?? 0) || (a.at?.col ?? 0) - (b.at?.col ?? 0));
  return { goavail: hasErrors(faults) ? null : goavail, faults };
}

/** Keys match whatever their case, as in the original. */
function inOurCase(value: unknown): unknown {
  const top = renamed(value, [...Object.keys(goavailSchema.shape)]);
  for (const [table, keys] of Object.entries(TABLES)) {
    if (top !== null && Object.hasOwn(top, table)) top[table] = renamed(top[table], Object.keys(keys)) ?? top[table];
  }
  return top ?? value;
}

function renamed(value: unknown, known: readonly string[]): { [key: string]: unknown } | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Date) return null;
  const names = new Map(known.map((key) => [key.toLowerCase(), key]));
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [names.get(key.toLowerCase()) ?? key, one]));
}

/** Reads plain values of one source and gathers what is wrong with them. */
class Findings {
  readonly faults: ConfigFault[] = [];
  readonly file: string;
  private readonly source: Source;

  constructor(source: Source) {
    this.source = source;
    this.file = source.file;
  }

  /** Where a key of a table stands: in the table, or flat. Null: nowhere. */
  pathOf(table: Table, key: string): Path | null {
    const inTable = [table, key];
    if (valueAt(this.source.value, inTable) !== undefined) return inTable;
    return valueAt(this.source.value, [key]) === undefined ? null : [key];
  }

  get(path: Path | null): unknown {
    return path === null ? undefined : valueAt(this.source.value, path);
  }

  text(path: Path | null): string {
    const value = this.get(path);
    return typeof value === 'string' ? value.trim() : '';
  }

  texts(path: Path | null): readonly string[] {
    const value = this.get(path);
    return Array.isArray(value) ? value.map((one: unknown) => (typeof one === 'string' ? one.trim() : '')) : [];
  }

  number(path: Path | null): number {
    const value = this.get(path);
    return typeof value === 'number' ? value : 0;
  }

  note(severity: 'error' | 'warning', code: ConfigCode, path: Path, message: string, what?: 'key'): void {
    this.faults.push(faultAt(this.source, path, { severity, code, message }, what));
  }
}

/** Looks at what is in use; `sound`: every value has its type, so that what comes out can be used. */
function build(found: Findings, use: GoavailUse, sound: boolean): Goavail | null {
  const provider = providerOf(found, use.provider);
  const cluster = clusterOf(found);
  const port = portOf(found, use.type);
  noteDoubles(found);
  if (found.number(['failure_threshold']) === 0 && found.get(['interval']) !== undefined) {
    const given = found.get(['failure_threshold']) !== undefined;
    const message = `failure_threshold: ${given ? '0' : 'not given, so 0'}, taken as 1: the first result changes an address`;
    found.note('warning', given ? 'bad-value' : 'missing-key', ['failure_threshold'], message);
  }
  if (!sound || provider === null) return null;
  return {
    file: found.file,
    use,
    threshold: Math.max(1, found.number(['failure_threshold'])),
    intervalSeconds: found.number(['interval']),
    port,
    slack: found.text(['slack_addr']) !== '',
    cluster,
    provider,
  };
}

function portOf(found: Findings, type: GoavailUse['type']): number | null {
  const given = found.get(['port']) !== undefined;
  if (type === 'tcp') {
    if (!given) found.note('error', 'missing-key', ['port'], 'port: missing; -t tcp needs the port to connect to');
    return given ? found.number(['port']) : null;
  }
  if (given) found.note('warning', 'ignored', ['port'], 'port: has no effect without -t tcp', 'key');
  return null;
}

const DOMAIN_KEYS = { cloudflare: ['Cloudflare', 'dns_domain'], route53: ['Route53', 'aws_domain'] } as const;

/** The chosen provider's table; null: an error says what it lacks. */
function providerOf(found: Findings, kind: GoavailProvider['kind']): GoavailProvider | null {
  const [table, domainKey] = DOMAIN_KEYS[kind];
  const needed = (key: string, expected: string): Path | null => {
    const path = found.pathOf(table, key);
    if (path === null) {
      const message = `${table}.${key}: missing; -p ${kind} needs ${expected}`;
      found.note('error', 'missing-key', [table, key], message, 'key');
    }
    return path;
  };
  const domainPath = needed(domainKey, 'the domain');
  const domain = found.text(domainPath).replace(/\.$/, '').toLowerCase();
  if (domainPath !== null && !isHostName(domain)) {
    found.note('error', 'bad-value', domainPath, `${domainPath.join('.')}: expected a domain name, got "${domain}"`);
  }
  const names = namesOf(found, needed('hostnames', 'the host names that are kept'), domain);
  const checked = addressesOf(found, needed('ip_addresses', 'the addresses to check'));
  if (kind === 'cloudflare') {
    const proxied = found.get(found.pathOf(table, 'dns_proxied')) === true;
    return { kind, domain, names, addresses: checked, proxied };
  }
  const zonePath = needed('aws_zoneid', "the hosted zone's id");
  const zoneId = found.text(zonePath);
  if (zonePath !== null && zoneId === '') {
    found.note('error', 'bad-value', zonePath, `${zonePath.join('.')}: expected the hosted zone's id, got ""`);
  }
  const region = found.text(found.pathOf(table, 'aws_region'));
  const ttl = found.number(found.pathOf(table, 'ttl'));
  return { kind, domain, names, addresses: checked, ttl, zoneId, region: region === '' ? null : region };
}

/** As the original: a host that contains the domain is a whole name, any other stands below the domain. */
function namesOf(found: Findings, path: Path | null, domain: string): readonly string[] {
  if (path === null) return [];
  const given = found.texts(path);
  if (given.length === 0) {
    found.note('error', 'bad-value', path, `${path.join('.')}: expected at least one host name`);
  }
  const names = given.map((host, i) => {
    if (!isHostName(host)) {
      found.note('error', 'bad-value', [...path, i], `${path.join('.')}[${i}]: expected a host name, got "${host}"`);
    }
    const bare = host.replace(/\.$/, '').toLowerCase();
    const below = bare === domain || bare.endsWith(`.${domain}`);
    if (!below && domain !== '' && bare.includes(domain)) {
      const message = `${path.join('.')}[${i}]: "${host}" contains ${domain}, so it is a whole name, but it is not below ${domain}`;
      found.note('error', 'bad-value', [...path, i], message);
    }
    return below ? bare : `${bare}.${domain}`;
  });
  return [...new Set(names)];
}

function addressesOf(found: Findings, path: Path | null): readonly string[] {
  if (path === null) return [];
  const given = found.texts(path);
  if (given.length === 0) {
    found.note('error', 'bad-value', path, `${path.join('.')}: expected at least one address`);
  }
  const seen = new Map<string, string>();
  for (const [i, address] of given.entries()) {
    const head = `${path.join('.')}[${i}]`;
    const key = isIP(address) === 0 ? null : addressKey(address);
    if (key === null) {
      found.note('error', 'bad-value', [...path, i], `${head}: expected an IP address, got "${address}"`);
    } else if (seen.has(key)) {
      found.note('warning', 'duplicate-edge', [...path, i], `${head}: ${address} is given twice`);
    } else seen.set(key, address);
  }
  return [...seen.values()];
}

/** Null: no cluster. The original took `peers` and `local_addr` together for one. */
function clusterOf(found: Findings): GoavailCluster | null {
  const pathOf = (key: string): Path | null => found.pathOf('Members', key);
  const at = { peers: pathOf('peers'), local: pathOf('local_addr'), agree: pathOf('min_peers_agree') };
  const key = pathOf('crypto_key');
  const port = pathOf('members_port');
  if (port !== null) {
    found.note('warning', 'ignored', port, `${port.join('.')}: has no effect, as in goavail itself`, 'key');
  }
  const octets = Buffer.byteLength(found.text(key));
  if (key !== null && ![0, 16, 24, 32].includes(octets)) {
    const message = `${key.join('.')}: expected a key of 16, 24 or 32 octets, got ${octets}`;
    found.note('error', 'out-of-range', key, message);
  }
  const peers = found.texts(at.peers);
  for (const [i, peer] of peers.entries()) {
    if (at.peers === null || isPeer(peer)) continue;
    const message = `${at.peers.join('.')}[${i}]: expected an address and port such as "192.0.2.20:8080", got "${peer}"`;
    found.note('error', 'bad-value', [...at.peers, i], message);
  }
  const localAddress = found.text(at.local);
  if (at.local !== null && localAddress !== '' && !isPeer(localAddress)) {
    const message = `${at.local.join('.')}: expected an address and port such as "192.0.2.10:8080", got "${localAddress}"`;
    found.note('error', 'bad-value', at.local, message);
  }
  const agree = found.number(at.agree);
  const clustered = peers.length > 0 && localAddress !== '';
  if (!clustered) {
    const why = peers.length > 0 ? 'local_addr' : 'peers';
    for (const path of [at.peers, at.agree]) {
      if (path === null || found.number(path) + found.texts(path).length === 0) continue;
      found.note('warning', 'ignored', path, `${path.join('.')}: has no effect without ${why}`, 'key');
    }
    return null;
  }
  if (at.agree !== null && agree > peers.length) {
    const message = `${at.agree.join('.')}: expected at most ${peers.length}, the number of peers, got ${agree}; nothing would ever be changed`;
    found.note('error', 'out-of-range', at.agree, message);
  }
  return { peers, localAddress, minPeersAgree: agree, encrypted: octets > 0 };
}

/** `192.0.2.20:8080`, `[2001:db8::1]:8080`, `agent-b:8080`, or without port. */
function isPeer(text: string): boolean {
  if (parseEndpoint(text, 80) !== null) return true;
  const [, host, port] = /^([^:]+)(?::(\d{1,5}))?$/.exec(text) ?? [];
  return host !== undefined && isHostName(host) && Number(port ?? 80) <= 65_535;
}

/** A key that stands both flat and in its table. */
function noteDoubles(found: Findings): void {
  for (const [table, keys] of Object.entries(TABLES)) {
    for (const key of Object.keys(keys)) {
      if (found.get([table, key]) === undefined || found.get([key]) === undefined) continue;
      // Two tables have these: flat, they are for the other one.
      if ((key === 'hostnames' || key === 'ip_addresses') && !inAllProviders(found, key)) continue;
      const message = `${key}: given here and in [${table}]; the one in the table counts`;
      found.note('warning', 'duplicate-key', [key], message, 'key');
    }
  }
}

function inAllProviders(found: Findings, key: string): boolean {
  return found.get(['Cloudflare', key]) !== undefined && found.get(['Route53', key]) !== undefined;
}
