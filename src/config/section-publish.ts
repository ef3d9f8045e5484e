/**
 * The section `publish`: sets at somebody else's DNS that are kept equal to a network's live set. The keys of a kind are in
 * a file of `providers/` and have a line in `PROVIDER_SCHEMAS`; the kind itself is in `src/publish/providers`.
 */
import { z } from 'zod';
import { isWithin, lowerName, nameFromText, nameText, type WireName, wireFromName } from '../dns/name.ts';
import { type CheckFaults, type Found, fault, type Get } from './checks/keys.ts';
import { list, optional, readName } from './fields.ts';
import { key } from './key-docs.ts';
import { PROVIDER_FAULTS, PROVIDER_SCHEMAS, type ProviderSchema } from './providers/kinds.ts';
import type { Path } from './yaml-source.ts';

const TARGETS_MAX = 100;
const KINDS = Object.keys(PROVIDER_SCHEMAS).join(', ');

const target = z.discriminatedUnion(
  'provider',
  Object.values(PROVIDER_SCHEMAS) as unknown as [ProviderSchema, ...ProviderSchema[]],
  {
    error: ({ code }) =>
      code === 'invalid_union'
        ? `expected a kind of provider (${KINDS})`
        : 'expected a provider with its keys, such as {provider: rfc2136, network: mynet, …}',
  },
);

export const publish = key(
  optional(
    list(target, 'a list of providers').max(TARGETS_MAX, { error: `expected at most ${TARGETS_MAX} providers` }),
    [],
  ),
  "Sets at somebody else's DNS that are kept equal to the live set of a network.",
  { otherwise: 'none' },
);

/**
 * Sets at a provider. `zone` and `names`: absolute, lower case, presentation form without the final dot. `every` and
 * `timeout`: seconds. What is left are the kind's own keys, paths of files absolute.
 */
export type PublishConfig = {
  [K in keyof typeof PROVIDER_SCHEMAS]: Omit<z.output<(typeof PROVIDER_SCHEMAS)[K]>, 'name' | 'names' | 'zone'> & {
    readonly name: string;
    readonly zone: string;
    readonly names: readonly string[];
  };
}[keyof typeof PROVIDER_SCHEMAS];

/** `at`: the absolute path of a file that is named. */
export function publishConfigs(
  given: z.output<typeof publish>,
  at: (path: string) => string,
): readonly PublishConfig[] {
  const taken = new Set(given.flatMap(({ name }) => (name === null ? [] : [name])));
  return given.map((one) => {
    const zone = withoutDot(readName(one.zone));
    const plain = `${one.provider} ${zone}`;
    const numbered = Array.from({ length: TARGETS_MAX }, (_, i) => `${plain} ${i + 2}`);
    const name = one.name ?? [plain, `${plain} ${one.network}`, ...numbered].find((free) => !taken.has(free)) ?? plain;
    taken.add(name);
    const files = Object.entries(one).flatMap(([key, value]) =>
      key.endsWith('_file') && typeof value === 'string' ? [[key, at(value)] as const] : [],
    );
    const names = [...new Set(one.names.map((text) => withoutDot(setName(text, one.zone))))];
    return { ...one, ...Object.fromEntries(files), name, zone, names, types: [...new Set(one.types)] };
  });
}

function withoutDot(name: WireName | null): string {
  return name === null ? '' : nameText(name).replace(/\.$/, '');
}

/** A name of a set: `@`, relative to the zone, or whole with a final dot. Null: it is none. */
function setName(text: string, zone: string): WireName | null {
  const origin = readName(zone);
  if (origin === null) return null;
  const wire = text === '@' ? wireFromName(origin) : nameFromText(text, wireFromName(origin));
  return typeof wire === 'string' ? null : lowerName(wire);
}

/** What is wrong between keys, and between providers, that are each fine alone. Reads the plain values. */
export function publishFaults(get: Get, timeout: number): readonly Found[] {
  const targets = get('publish');
  if (!Array.isArray(targets)) return [];
  const names = targets.map((_, i) => get('publish', i, 'name'));
  const seen = new Map<string, number>();
  return targets.flatMap((_, i): Found[] => {
    const at: Path = ['publish', i];
    const head = `publish[${i}]`;
    const kind = get(...at, 'provider');
    const ofKind = Object.entries(PROVIDER_FAULTS).find(([name]) => name === kind)?.[1] as CheckFaults | undefined;
    const found = [...(ofKind?.(get, at, head, timeout) ?? []), ...nameFaults(get, at, head)];
    if (typeof names[i] === 'string' && names.indexOf(names[i]) < i) {
      const message = `${head}.name: another provider has the name "${names[i]}" already; each needs its own`;
      found.push(fault([...at, 'name'], 'bad-value', message));
    }
    return [...found, ...twiceFaults(get, i, seen)];
  });
}

function nameFaults(get: Get, at: Path, head: string): Found[] {
  const [zone, given] = [get(...at, 'zone'), get(...at, 'names')];
  const origin = typeof zone === 'string' ? readName(zone) : null;
  if (typeof zone !== 'string' || origin === null) return [];
  const names: readonly unknown[] = Array.isArray(given) ? given : [given];
  return names.flatMap((text, i): Found[] => {
    if (typeof text !== 'string' || text === '') return [];
    const path: Path = [...at, 'names', ...(Array.isArray(given) ? [i] : [])];
    const name = setName(text, zone);
    if (name !== null && isWithin(name, origin)) return [];
    const expected = `expected "@", a name relative to ${zone}, or one that ends with a dot and is in it`;
    return [fault(path, 'bad-value', `${head}.names: ${expected}, got "${text}"`)];
  });
}

/** Two that keep the same sets would undo each other's work for ever. */
function twiceFaults(get: Get, i: number, seen: Map<string, number>): Found[] {
  const at = (key: string): unknown => get('publish', i, key);
  const [zone, given] = [at('zone'), at('names')];
  if (typeof zone !== 'string') return [];
  const where = ['provider', 'to', 'api', 'url', 'zone_id'].map((key) => at(key) ?? null);
  where.push(get('publish', i, 'weighted', 'set_identifier') ?? null);
  for (const text of Array.isArray(given) ? given : [given]) {
    const name = typeof text === 'string' ? setName(text, zone) : null;
    if (name === null) continue;
    for (const type of Array.isArray(at('types')) ? (at('types') as unknown[]) : ['A', 'AAAA']) {
      const key = JSON.stringify([where, readName(zone), name, type]);
      const before = seen.get(key) ?? i;
      seen.set(key, before);
      if (before === i) continue;
      const message = `publish[${i}].names: ${nameText(name)} ${type} is already kept by publish[${before}]; two would undo each other's work`;
      return [fault(['publish', i, 'names'], 'bad-value', message)];
    }
  }
  return [];
}
