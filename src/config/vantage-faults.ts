/** What is wrong between keys of `vantage`: names, quorum, lease and TLS that do not go together. */
import { type Found, fault, type Get, withoutEffect } from './checks/keys.ts';
import { clearTextFaults } from './providers/keys.ts';
import { LEASE, readAddress } from './section-vantage.ts';
import { suggest } from './suggest.ts';
import type { Path } from './yaml-source.ts';

/** What is wrong between keys of `vantage` that are each fine alone. Reads the plain values. */
export function vantageFaults(get: Get): readonly Found[] {
  const engine = get('vantage', 'engine');
  if (engine === 'etcd') return [...etcdFaults(get), ...tlsFaults(get, schemes(get, ['vantage', 'endpoints'], []))];
  if (engine === 'peers') return [...peersFaults(get), ...tlsFaults(get, schemes(get, ['vantage', 'peers'], ['url']))];
  return [];
}

function etcdFaults(get: Get): readonly Found[] {
  const members = texts(get('vantage', 'members'));
  const name = get('vantage', 'name');
  const found: Found[] = [
    ...repeated(members, ['vantage', 'members'], [], 'is given twice; each vantage has one vote'),
    ...repeated(
      texts(get('vantage', 'endpoints')).map((url) => url && (readAddress(url.trim()) ?? url)),
      ['vantage', 'endpoints'],
      [],
      'is given twice',
    ),
  ];
  if (typeof name === 'string' && members.length > 0 && !members.includes(name.trim())) {
    const meant = suggest(
      name,
      members.filter((member) => member !== null),
    );
    const hint = meant === null ? '' : `; did you mean "${meant}"?`;
    found.push(
      fault(['vantage', 'name'], 'unknown-reference', `vantage.name: "${name}" is not in vantage.members${hint}`),
    );
  }
  const quorum = get('vantage', 'quorum');
  if (typeof quorum === 'number' && members.length >= 2 && quorum > members.length) {
    const message = `vantage.quorum: expected at most ${members.length}, the number of vantage.members, got ${quorum}; no edge would ever be down`;
    found.push(fault(['vantage', 'quorum'], 'out-of-range', message));
  }
  const [lease, timeout] = [get('vantage', 'lease') ?? LEASE.usual, get('vantage', 'timeout')];
  if (typeof timeout === 'number' && typeof lease === 'number' && timeout >= lease) {
    const message = `vantage.timeout: expected less than the lease of ${lease} s, got ${timeout}; one slow request would cost the decider its lease`;
    found.push(fault(['vantage', 'timeout'], 'out-of-range', message));
  }
  return [...found, ...pair(get, ['vantage'], 'user', 'password_file'), ...clearText(get)];
}

/** A password that crosses a network for everybody to read. */
function clearText(get: Get): readonly Found[] {
  if ((get('vantage', 'password_file') ?? null) === null) return [];
  return texts(get('vantage', 'endpoints')).flatMap((_, i) =>
    clearTextFaults(get, ['vantage', 'endpoints'], 'vantage.endpoints', i, 'the password'),
  );
}

function peersFaults(get: Get): readonly Found[] {
  const given = get('vantage', 'peers');
  const count = Array.isArray(given) ? given.length : 0;
  const of = (key: string) => texts(Array.from({ length: count }, (_, i) => get('vantage', 'peers', i, key)));
  const names = of('name');
  const own = get('vantage', 'name');
  const urls = of('url').map((url) => url && (readAddress(url.trim()) ?? url));
  const found: Found[] = [
    ...repeated(names, ['vantage', 'peers'], ['name'], 'is the name of another peer already'),
    ...repeated(urls, ['vantage', 'peers'], ['url'], 'is the address of another peer already'),
  ];
  for (const [i, name] of names.entries()) {
    if (name === null || typeof own !== 'string' || name !== own.trim()) continue;
    const message = `vantage.peers[${i}].name: "${name}" is this vantage itself; expected only the others`;
    found.push(fault(['vantage', 'peers', i, 'name'], 'bad-value', message));
  }
  const least = get('vantage', 'min_peers_agree');
  if (typeof least === 'number' && count > 0 && least > count) {
    const message = `vantage.min_peers_agree: expected at most ${count}, the number of vantage.peers, got ${least}; no change would ever be believed`;
    found.push(fault(['vantage', 'min_peers_agree'], 'out-of-range', message));
  }
  return found;
}

function tlsFaults(get: Get, used: readonly string[]): readonly Found[] {
  const at: Path = ['vantage', 'tls'];
  const isPeers = get('vantage', 'engine') === 'peers';
  const byHttps = used.includes('https:');
  // A peer's own certificate is for its listener, whatever it asks the others by.
  const idle = used.length === 0 || byHttps ? [] : isPeers ? ['ca_file'] : ['ca_file', 'cert_file', 'key_file'];
  const condition = isPeers ? 'the url of a peer begins with https' : 'an endpoint begins with https';
  return [...pair(get, at, 'cert_file', 'key_file'), ...withoutEffect(get, at, 'vantage.tls', idle, condition)];
}

/** Two keys that need each other. */
function pair(get: Get, at: Path, one: string, other: string): readonly Found[] {
  const isGiven = (key: string): boolean => (get(...at, key) ?? null) !== null;
  if (isGiven(one) === isGiven(other)) return [];
  const [given, missing] = isGiven(one) ? [one, other] : [other, one];
  const message = `${at.join('.')}.${missing}: missing; ${given} needs it`;
  return [{ ...fault([...at, given], 'missing-key', message), what: 'key' }];
}

function repeated(values: readonly (string | null)[], list: Path, below: Path, what: string): readonly Found[] {
  return values.flatMap((value, i): Found[] => {
    if (value === null || values.indexOf(value) === i) return [];
    const key = below.map((part) => `.${part}`).join('');
    return [fault([...list, i, ...below], 'bad-value', `${list.join('.')}[${i}]${key}: "${value}" ${what}`)];
  });
}

function schemes(get: Get, list: Path, below: Path): readonly string[] {
  const given = get(...list);
  return (Array.isArray(given) ? given : []).flatMap((_, i) => {
    const url = get(...list, i, ...below);
    return typeof url === 'string' && URL.canParse(url.trim()) ? [new URL(url.trim()).protocol] : [];
  });
}

/** The texts of a list in their places; null: something else is there. */
function texts(value: unknown): readonly (string | null)[] {
  return (Array.isArray(value) ? value : []).map((one: unknown) => (typeof one === 'string' ? one.trim() : null));
}
