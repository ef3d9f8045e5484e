/**
 * Checks between values that are each fine alone. They read the plain values, so that they run beside schema faults.
 */
import { nameText, type WireName } from '../dns/name.ts';
import type { TsigKey } from '../dns/tsig-key.ts';
import { parseEndpoint } from '../system/address.ts';
import type { ConfigFault } from './fault.ts';
import { readName } from './fields.ts';
import { faultAt, valueAt } from './schema-fault.ts';
import { checkFaults } from './section-checks.ts';
import { dnstapFaults } from './section-dnstap.ts';
import { httpFaults } from './section-http.ts';
import { noticeFaults } from './section-notices.ts';
import { historicKeys } from './section-probe.ts';
import { publishFaults } from './section-publish.ts';
import { safetyFaults } from './section-safety.ts';
import { sendFaults } from './send-addresses.ts';
import { vantageFaults } from './vantage-faults.ts';
import type { Path, YamlSource } from './yaml-source.ts';

type Found = Pick<ConfigFault, 'severity' | 'code' | 'message'> & { readonly path: Path; readonly what?: 'key' };

export function crossFaults(source: YamlSource, fileKeys: readonly TsigKey[]): ConfigFault[] {
  const get = (...path: Path): unknown => valueAt(source.value, path);
  const found: readonly Found[] = [
    ...historic(get),
    ...times(get),
    ...checkFaults(get, fullTimeout(get)),
    ...safetyFaults(get, fullTimeout(get)),
    ...publishFaults(get, fullTimeout(get)),
    ...noticeFaults(get),
    ...vantageFaults(get),
    ...soaNames(get),
    ...probing(get),
    ...listening(get),
    ...tls(get),
    ...dnstapFaults(get),
    ...httpFaults(get),
    ...keyReferences(get, fileKeys),
    ...notifyAddresses(get),
    ...staticZones(get),
  ];
  return found.map(({ path, what, ...fault }) => faultAt(source, path, fault, what ?? 'value'));
}

type Get = (...path: Path) => unknown;

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

/** Seconds that one edge's checks may take together. */
function fullTimeout(get: Get): number {
  const given = get('timeout');
  return get('testing') === true && isNumber(given) ? given : 10;
}

function times(get: Get): Found[] {
  const testing = get('testing') === true;
  const given = get('timeout');
  const goodenough = get('goodenough');
  const timeout = fullTimeout(get);
  const found: Found[] = [];
  if (isNumber(goodenough) && goodenough >= timeout) {
    const message = `goodenough: expected less than the timeout of ${timeout} s, got ${goodenough}; every failed fetch would count as fast`;
    found.push({ severity: 'error', code: 'out-of-range', path: ['goodenough'], message });
  }
  if (isNumber(given) && !testing && given !== 10) {
    const message = 'timeout: has no effect unless testing is true; the timeout is 10 s';
    found.push({ severity: 'warning', code: 'ignored', path: ['timeout'], what: 'key', message });
  }
  return found;
}

function historic(get: Get): Found[] {
  return Object.keys(historicKeys)
    .filter((key) => get(key) !== undefined)
    .map((key) => ({
      severity: 'warning',
      code: 'ignored',
      path: [key],
      what: 'key',
      message: `${key}: a key of some edgemanage version that has no effect here`,
    }));
}

function soaNames(get: Get): Found[] {
  return (['soa_nameserver', 'soa_mailbox'] as const).flatMap((key): Found[] => {
    const name = get('dns', key);
    if (typeof name !== 'string' || name.trim() === '') return [];
    const odd = !name.trim().endsWith('.')
      ? 'no final dot; taken as a whole name'
      : name.includes('@')
        ? 'the @ is taken as a dot'
        : '';
    return odd === ''
      ? []
      : [{ severity: 'warning', code: 'bad-value', path: ['dns', key], message: `dns.${key}: ${odd}` }];
  });
}

function probing(get: Get): Found[] {
  const found: Found[] = [];
  if (get('testobject', 'proto') === 'https' && (get('testobject', 'port') ?? null) === null) {
    const message = 'testobject.port: not given, so https goes to port 80; say 443 if that is meant';
    found.push({ severity: 'warning', code: 'ignored', path: ['testobject', 'proto'], message });
  }
  const killer = get('canary_killer');
  if (typeof get('canary_files') === 'string' && killer === undefined) {
    const message = 'canary_killer: not given, so any number of canaries may fail together (0 says that it is meant)';
    found.push({ severity: 'warning', code: 'missing-key', path: ['canary_files'], what: 'key', message });
  }
  return found;
}

function listening(get: Get): Found[] {
  if (isEmpty(get('server', 'listen')) && isEmpty(get('server', 'tls_listen') ?? [])) {
    const message = 'server.listen: no address, so no DNS query is answered (without the key: the loopback addresses)';
    return [{ severity: 'warning', code: 'ignored', path: ['server', 'listen'], message }];
  }
  const seen = new Map<string, string>();
  return (['listen', 'tls_listen'] as const).flatMap((key) => {
    const given = get('server', key);
    const list = Array.isArray(given) ? given : [given];
    return list.flatMap((value: unknown, i): Found[] => {
      const endpoint = typeof value === 'string' ? parseEndpoint(value, key === 'listen' ? 53 : 853) : null;
      if (endpoint === null || endpoint.port === 0) return [];
      const text = `${endpoint.address} port ${endpoint.port}`;
      const before = seen.get(text);
      seen.set(text, key);
      if (before === undefined) return [];
      const message = `server.${key}: ${text} is already in server.${before}`;
      return [{ severity: 'error', code: 'bad-value', path: ['server', key, i], message }];
    });
  });
}

function tls(get: Get): Found[] {
  const listens = get('server', 'tls_listen') ?? null;
  if (listens === null || (Array.isArray(listens) && listens.length === 0)) {
    return asList(get('transfer', 'allow')).flatMap((_, i): Found[] => {
      const path: Path = ['transfer', 'allow', i, 'tls'];
      if (get(...path) !== true) return [];
      const message = `transfer.allow[${i}].tls: nobody can come over TLS without server.tls_listen`;
      return [{ severity: 'warning', code: 'ignored', path, message }];
    });
  }
  return (['tls_certificate', 'tls_key'] as const)
    .filter((key) => (get('server', key) ?? null) === null)
    .map((key) => ({
      severity: 'error',
      code: 'missing-key',
      path: ['server', 'tls_listen'],
      what: 'key',
      message: `server.${key}: missing; tls_listen needs a certificate and its key`,
    }));
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function keyReferences(get: Get, fileKeys: readonly TsigKey[]): Found[] {
  const found: Found[] = [];
  const known = new Set<WireName>();
  for (const [i] of asList(get('transfer', 'keys')).entries()) {
    const name = get('transfer', 'keys', i, 'name');
    const key = typeof name === 'string' ? readName(name) : null;
    if (key === null) continue;
    if (known.has(key)) {
      const message = `transfer.keys[${i}].name: the key ${nameText(key)} is given twice`;
      found.push({ severity: 'error', code: 'duplicate-key', path: ['transfer', 'keys', i, 'name'], message });
    }
    known.add(key);
  }
  for (const { name } of fileKeys) {
    if (known.has(name)) {
      const message = `transfer.key_files: the key ${nameText(name)} is given twice`;
      found.push({ severity: 'error', code: 'duplicate-key', path: ['transfer', 'key_files'], message });
    }
    known.add(name);
  }
  for (const section of ['allow', 'notify'] as const) {
    for (const [i] of asList(get('transfer', section)).entries()) {
      const path: Path = ['transfer', section, i, 'key'];
      const name = get(...path);
      const key = typeof name === 'string' ? readName(name) : null;
      if (key !== null && !known.has(key)) {
        const message = `transfer.${section}[${i}].key: no key ${nameText(key)} in transfer.keys or transfer.key_files`;
        found.push({ severity: 'error', code: 'unknown-reference', path, message });
      }
      const open =
        section === 'allow' && [get(...path), get('transfer', section, i, 'from')].every((v) => (v ?? null) === null);
      if (open) {
        const message = `transfer.allow[${i}]: needs from, key or both; from: 0.0.0.0/0 and from: ::/0 allow everybody`;
        found.push({ severity: 'error', code: 'missing-key', path: ['transfer', 'allow', i], message });
      }
    }
  }
  for (const [i] of asList(get('publish')).entries()) {
    const path: Path = ['publish', i, 'key'];
    const name = get(...path);
    const key = typeof name === 'string' ? readName(name) : null;
    if (key === null || known.has(key)) continue;
    const message = `publish[${i}].key: no key ${nameText(key)} in transfer.keys or transfer.key_files`;
    found.push({ severity: 'error', code: 'unknown-reference', path, message });
  }
  return found;
}

function notifyAddresses(get: Get): Found[] {
  return asList(get('transfer', 'notify')).flatMap((_, i) =>
    sendFaults(get, ['transfer', 'notify', i], `transfer.notify[${i}]`),
  );
}

function staticZones(get: Get): Found[] {
  const seen = new Set<WireName>();
  return asList(get('static_zones')).flatMap((_, i): Found[] => {
    const path: Path = ['static_zones', i, 'name'];
    const name = get(...path);
    const key = typeof name === 'string' ? readName(name) : null;
    if (key === null) return [];
    const repeated = seen.has(key);
    seen.add(key);
    if (!repeated) return [];
    const message = `static_zones[${i}].name: ${nameText(key)} is given twice`;
    return [{ severity: 'error', code: 'bad-value', path, message }];
  });
}
