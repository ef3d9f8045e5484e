import { createHash } from 'node:crypto';
import { edgeKey } from '../../config/edge-list.ts';
import type { VantageConfig } from '../../config/section-vantage.ts';
import type { Config, NetworkFiles } from '../../config/types.ts';
import { byName } from '../judge/reason.ts';
import { edgesOf, rulesOf } from './pool.ts';

/** Keys of checks that name a file: where it lies may differ from machine to machine. */
const PATHS: ReadonlySet<string> = new Set(['file']);

/**
 * What decides in a network, as 16 hexadecimal digits: vantages whose configurations differ in it do not count each
 * other's views. Paths, ports, log levels and references, which are each machine's own, are not in it; nor is the order
 * of edges, which decides nothing.
 */
export function configHash(config: Config, files: NetworkFiles, vantage: VantageConfig | null = null): string {
  const { name } = files;
  const { judges, safety, testobject } = config;
  const { host, port, proto, uri, verify } = testobject;
  const checks = config.checks.get(name);
  const decides = {
    network: name,
    rules: rulesOf(config, name),
    judge: judges.get(name) ?? null,
    fallback: safety.get(name)?.fallback ?? null,
    edges: edgesOf(files).map(edgeKey).sort(byName),
    canaries: [...files.canaries].map(([zone, address]) => [zone, edgeKey(address)]).sort(([a], [b]) => byName(a, b)),
    checks: checks ?? { host, port, proto, uri, verify: isOn(verify) },
    interval: config.runFrequency,
    retry: config.retry,
    vote: vantage?.engine === 'etcd' ? { members: [...vantage.members].sort(byName), quorum: vantage.quorum } : null,
  };
  return createHash('sha256')
    .update(JSON.stringify(canonical(decides)))
    .digest('hex')
    .slice(0, 16);
}

/** The value with the keys of its objects in order and without paths, so that equal ones have equal texts. */
function canonical(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (value instanceof Map) return canonical(Object.fromEntries(value));
  if (Array.isArray(value) || value instanceof Set) return [...value].map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, of]) => of !== undefined)
      .sort(([a], [b]) => byName(a, b))
      .map(([key, of]) => [key, key === 'verify' ? isOn(of) : PATHS.has(key) ? typeof of : canonical(of)]),
  );
}

/** Whether certificates are checked, by whatever file of authorities. */
function isOn(verify: unknown): boolean {
  return verify === true || typeof verify === 'string';
}
