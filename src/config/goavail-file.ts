/** goavail.toml → `Goavail`, all faults in one go (defaults as the original's source has them). */
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { addressKey, endpointText, parseEndpoint } from '../system/address.ts';
import { hasErrors } from '../system/fault.ts';
import { isHostName, isInDomain } from '../system/host-name.ts';
import { Secret } from '../system/secret.ts';
import type { ConfigFault } from './fault.ts';
import { GoavailKeys, goavailSchema, inKnownCase } from './goavail-keys.ts';
import { readTextFile } from './read-text.ts';
import { type Source, schemaFaults } from './schema-fault.ts';
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
  /** `crypto_key`, 16, 24 or 32 octets; null: none is given. */
  readonly key: Secret | null;
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
  /** What follows `https://hooks.slack.com/services/` in the webhook's address; null: no message is sent. */
  readonly slack: Secret | null;
  readonly cluster: GoavailCluster | null;
  readonly provider: GoavailProvider;
};

/** `goavail` is null when any fault is an error. Warnings come with a usable configuration. */
export type LoadedGoavail = { readonly goavail: Goavail | null; readonly faults: readonly ConfigFault[] };

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
  const source: Source = { ...toml, value: inKnownCase(toml.value) };
  const checked = goavailSchema.safeParse(source.value);
  const found = new GoavailKeys(source);
  const faults = checked.success ? [] : schemaFaults(source, checked.error.issues);
  const goavail = build(found, use, faults.length === 0);
  faults.push(...found.faults);
  faults.sort((a, b) => (a.at?.line ?? 0) - (b.at?.line ?? 0) || (a.at?.col ?? 0) - (b.at?.col ?? 0));
  return { goavail: hasErrors(faults) ? null : goavail, faults };
}

/** Looks at what is in use; `sound`: every value has its type, so that what comes out can be used. */
function build(found: GoavailKeys, use: GoavailUse, sound: boolean): Goavail | null {
  const provider = providerOf(found, use.provider);
  const cluster = clusterOf(found);
  const port = portOf(found, use.type);
  found.noteDoubles();
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
    slack: slackOf(found),
    cluster,
    provider,
  };
}

/** Only what the original could have sent to is taken. */
function slackOf(found: GoavailKeys): Secret | null {
  const path = found.text(['slack_addr']).trim().replace(/^\/+/, '');
  if (path === '') return null;
  if (/^[\w-]+(?:\/[\w-]+)*$/.test(path)) return new Secret(path);
  const message =
    "slack_addr: expected what follows https://hooks.slack.com/services/ in the webhook's address: letters, digits and slashes";
  found.note('error', 'bad-value', ['slack_addr'], message);
  return null;
}

function portOf(found: GoavailKeys, type: GoavailUse['type']): number | null {
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
function providerOf(found: GoavailKeys, kind: GoavailProvider['kind']): GoavailProvider | null {
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

/** As the original: a host that contains the domain is a whole name, any other is below the domain. */
function namesOf(found: GoavailKeys, path: Path | null, domain: string): readonly string[] {
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
    const below = isInDomain(bare, domain);
    if (!below && domain !== '' && bare.includes(domain)) {
      const message = `${path.join('.')}[${i}]: "${host}" contains ${domain}, so it is a whole name, but it is not below ${domain}`;
      found.note('error', 'bad-value', [...path, i], message);
    }
    return below ? bare : `${bare}.${domain}`;
  });
  return [...new Set(names)];
}

function addressesOf(found: GoavailKeys, path: Path | null): readonly string[] {
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
function clusterOf(found: GoavailKeys): GoavailCluster | null {
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
  return { peers, localAddress, minPeersAgree: agree, key: octets > 0 ? new Secret(found.text(key)) : null };
}

/** `192.0.2.20:8080`, `[2001:db8::1]:8080`, `agent-b:8080`, or without port. */
function isPeer(text: string): boolean {
  if (parseEndpoint(text, 80) !== null) return true;
  const [, host, port] = /^([^:]+)(?::(\d{1,5}))?$/.exec(text) ?? [];
  return host !== undefined && isHostName(host) && Number(port ?? 80) <= 65_535;
}

/** Of a member that is given without one: in the original the address is part of a URL. */
export const MEMBER_PORT = 80;

/** A member written in one way, whatever its case and whether or not it has a port: what nodes call each other. */
export function memberName(text: string): string {
  const endpoint = parseEndpoint(text, MEMBER_PORT);
  if (endpoint !== null) return endpointText(endpoint);
  const [host = '', port = String(MEMBER_PORT)] = text.toLowerCase().split(':');
  return `${host}:${Number(port)}`;
}
