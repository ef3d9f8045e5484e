/** Sets of records as Route 53 lists and takes them. Pure. */
import type { Change, ResourceRecordSet } from '@aws-sdk/client-route-53';
import type { AddressType, Correction, HeldSet, SetKey } from './provider.ts';
import { canonicalAddresses } from './sets.ts';

/** Ours among the weighted sets of a name. `setIdentifier` null: the first label of each name, as goavail has it. */
export type Weighted = { readonly setIdentifier: string | null; readonly weight: number };

/** A set as it was listed: Route 53 deletes what is repeated to the letter. */
export type ListedSet = ResourceRecordSet;

/** `obstacles`: by name, why it cannot have our sets, a sentence without final stop. */
export type ListedSets = {
  readonly held: readonly HeldSet<ListedSet>[];
  readonly obstacles: ReadonlyMap<string, string>;
};

/** Of one change batch: Route 53 counts the records of what goes and of what comes. */
const RECORDS_MAX = 1000;
const CHARACTERS_MAX = 32_000;

/**
 * `\052.Example.ORG.` → `*.example.org`. Route 53 escapes in octal whatever is neither letter, digit, hyphen nor
 * underscore; what is not printable is given back in the decimal form of zone files (RFC 1035 §5.1).
 */
export function plainName(listed: string): string {
  const text = listed.replace(/\\([0-7]{3})/g, (_, octal: string) => {
    const code = Number.parseInt(octal, 8);
    const character = String.fromCharCode(code);
    if (/[.\\"();@$]/.test(character)) return `\\${character}`;
    return code > 0x20 && code < 0x7f ? character : `\\${String(code).padStart(3, '0')}`;
  });
  return text.replace(/\.$/, '').toLowerCase();
}

/** The words that a set must have in `extra`. */
export function weightWords(weight: number | null | undefined): readonly string[] {
  return weight === null || weight === undefined ? [] : [`weight ${weight}`];
}

/** Ours of what was listed, which may hold anything else of the zone. */
export function listedSets(
  listed: readonly ListedSet[],
  keys: readonly SetKey[],
  weighted: Weighted | null,
): ListedSets {
  const types = new Map<string, Set<string>>();
  for (const { name, type } of keys) types.set(name, (types.get(name) ?? new Set()).add(type));
  const held: HeldSet<ListedSet>[] = [];
  const obstacles = new Map<string, string>();
  for (const set of listed) {
    const name = plainName(set.Name ?? '');
    const kept = types.get(name);
    if (kept === undefined) continue;
    const isOurType = set.Type !== undefined && kept.has(set.Type);
    const why = isOurType || set.Type === 'CNAME' ? obstacle(set, name, weighted) : null;
    if (why !== null) obstacles.set(name, why);
    else if (isOurType && isOurs(set, name, weighted)) held.push(heldSet(set, name));
  }
  return { held, obstacles };
}

function heldSet(set: ListedSet, name: string): HeldSet<ListedSet> {
  return {
    name,
    type: set.Type as AddressType,
    ttl: set.TTL ?? null,
    addresses: canonicalAddresses((set.ResourceRecords ?? []).map(({ Value }) => Value ?? '')),
    extra: weightWords(set.Weight),
    own: set,
  };
}

function isOurs(set: ListedSet, name: string, weighted: Weighted | null): boolean {
  return set.SetIdentifier === (weighted === null ? undefined : identifierOf(name, weighted));
}

/** Why our set cannot be beside this one, or in its place. */
function obstacle(set: ListedSet, name: string, weighted: Weighted | null): string | null {
  const { Type: type, SetIdentifier: identifier } = set;
  if (type === 'CNAME')
    return `${name} has a CNAME record, so it cannot have addresses; remove it or take the name out`;
  const what = `${name} ${type ?? ''}`;
  if (weighted === null) {
    if (set.AliasTarget !== undefined) return `${what} is an alias, which Edgewise does not replace; delete it first`;
    if (identifier === undefined) return null;
    return `${what} has sets with a SetIdentifier ("${identifier}"), which a simple set cannot be beside; configure weighted, or delete them`;
  }
  if (identifier === undefined) {
    return `${what} is a simple set, which a weighted one cannot be beside; delete it, or leave weighted out`;
  }
  if (set.Weight === undefined) {
    return `${what} has sets of another routing policy ("${identifier}"), which a weighted one cannot be beside; delete them, or take the name out`;
  }
  if (set.AliasTarget === undefined || identifier !== identifierOf(name, weighted)) return null;
  return `${what} "${identifier}" is an alias, which Edgewise does not replace; delete it, or choose another set_identifier`;
}

function identifierOf(name: string, { setIdentifier }: Weighted): string {
  return setIdentifier ?? name.split('.', 1)[0] ?? name;
}

/**
 * The changes in batches, as few as Route 53's limits allow; each is a transaction. What a set was is deleted to the letter,
 * so that the whole batch fails when somebody else changed it meanwhile.
 */
export function changeBatches(
  corrections: readonly Correction[],
  weighted: Weighted | null,
): readonly (readonly Change[])[] {
  const batches: Change[][] = [];
  let batch: Change[] = [];
  let records = 0;
  let characters = 0;
  for (const correction of corrections) {
    const changes = changesOf(correction as Correction<ListedSet>, weighted);
    const values = changes.flatMap(({ ResourceRecordSet: set }) =>
      (set?.ResourceRecords ?? []).map(({ Value = '' }) => Value),
    );
    const length = values.reduce((sum, value) => sum + value.length, 0);
    if (batch.length > 0 && (records + values.length > RECORDS_MAX || characters + length > CHARACTERS_MAX)) {
      batches.push(batch);
      [batch, records, characters] = [[], 0, 0];
    }
    batch.push(...changes);
    records += values.length;
    characters += length;
  }
  return batch.length === 0 ? batches : [...batches, batch];
}

function changesOf({ name, type, was, to }: Correction<ListedSet>, weighted: Weighted | null): readonly Change[] {
  const changes: Change[] = was === null ? [] : [{ Action: 'DELETE', ResourceRecordSet: was.own }];
  if (to === null) return changes;
  const set: ListedSet = {
    Name: name,
    Type: type,
    TTL: to.ttl,
    ResourceRecords: to.addresses.map((Value) => ({ Value })),
    ...(weighted === null ? {} : { SetIdentifier: identifierOf(name, weighted), Weight: weighted.weight }),
    // Somebody's health check stays with the set.
    ...(was?.own.HealthCheckId === undefined ? {} : { HealthCheckId: was.own.HealthCheckId }),
  };
  return [...changes, { Action: 'CREATE', ResourceRecordSet: set }];
}
