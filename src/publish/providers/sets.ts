/** What a provider should hold for a live set, and the steps from what it holds to that. Pure. */
import { canonicalAddress } from '../../system/address.ts';
import type { AddressType, Correction, HeldSet, SetKey, WantedSet } from './provider.ts';

/** The addresses of a live set, as text. `unanswered`: a family whose edges all fail, and always did. */
export type LiveTexts = {
  readonly v4: readonly string[];
  readonly v6: readonly string[];
  readonly unanswered: 'v4' | 'v6' | null;
};

/** Which sets are kept. `names`: absolute, lower case, without final dot. `ttl`: seconds. */
export type SetRules = {
  readonly names: readonly string[];
  readonly types: readonly AddressType[];
  readonly ttl: number;
  /** Whether a set that somebody else changes is set right; false: it is left as it is, and reported. */
  readonly owner: boolean;
};

/** What was last left at the provider by us, by `keyText`; sets that were never ours are not in it. */
export type LeftSets = ReadonlyMap<string, Pick<HeldSet, 'ttl' | 'addresses' | 'extra'>>;

/** A set that is neither what it should be nor what was left there. `text`: a sentence without final stop. */
export type ForeignChange = SetKey & { readonly text: string };

export type Difference = {
  readonly corrections: readonly Correction[];
  readonly foreign: readonly ForeignChange[];
};

/** `www.example.org A` */
export function keyText({ name, type }: SetKey): string {
  return `${name} ${type}`;
}

/** All sets that are kept, whether they exist or not. */
export function setKeys({ names, types }: Pick<SetRules, 'names' | 'types'>): readonly SetKey[] {
  return names.flatMap((name) => types.map((type) => ({ name, type })));
}

/** Canonical text, sorted, each address once (RFC 2181 §5, RFC 5952). */
export function canonicalAddresses(addresses: readonly string[]): readonly string[] {
  return [...new Set(addresses.map((address) => canonicalAddress(address) ?? address))].sort();
}

/**
 * The steps that make what is `held` equal to the live set, those that add something first. A name never loses its last
 * address: a family that no live edge answers goes only where the other one has an address, and without any live address
 * nothing changes. A family that the network never had is not ours and stays as it is. `left` null: not known.
 */
export function difference(
  rules: SetRules,
  live: LiveTexts,
  held: readonly HeldSet[],
  extra: readonly string[],
  left: LeftSets | null,
): Difference {
  const of: { readonly [type in AddressType]: readonly string[] } = {
    A: canonicalAddresses(live.v4),
    AAAA: canonicalAddresses(live.v6),
  };
  const found = new Map(held.map((set) => [keyText(set), set]));
  const corrections: Correction[] = [];
  const foreign: ForeignChange[] = [];
  for (const key of setKeys(rules)) {
    const was = found.get(keyText(key)) ?? null;
    const addresses = of[key.type];
    const to = addresses.length === 0 ? null : { ...key, ttl: rules.ttl, addresses };
    if (to === null && !rules.types.some((type) => of[type].length > 0)) continue; // the last address stays
    if (!isOurs(key, live, left)) continue;
    if (isRight(was, to, extra)) continue;
    const before = left?.get(keyText(key)) ?? null;
    if (before !== null && !isSame(was, before)) {
      foreign.push({ ...key, text: foreignText(key, was, before) });
      if (!rules.owner) continue;
    }
    corrections.push({ ...key, was, to, text: correctionText(key, was, to, extra) });
  }
  return { corrections: corrections.sort((a, b) => order(a) - order(b)), foreign };
}

/** Whether the live set has, had or could have an address of this family. */
export function isOurs(key: SetKey, live: LiveTexts, left: LeftSets | null): boolean {
  const family = key.type === 'A' ? 'v4' : 'v6';
  return live[family].length > 0 || live.unanswered === family || left?.has(keyText(key)) === true;
}

/** New sets first, those that go last. */
function order({ was, to }: Correction): number {
  if (to === null) return 2;
  return was === null ? 0 : 1;
}

/** Whether a set is as it should be. */
export function isRight(held: HeldSet | null, wanted: WantedSet | null, extra: readonly string[]): boolean {
  if (held === null || wanted === null) return held === wanted;
  return isSame(held, { ...wanted, extra });
}

function isSame(
  a: Pick<HeldSet, 'ttl' | 'addresses' | 'extra'> | null,
  b: Pick<HeldSet, 'ttl' | 'addresses' | 'extra'>,
): boolean {
  if (a === null) return b.addresses.length === 0;
  const sameTexts = (x: readonly string[], y: readonly string[]): boolean =>
    x.length === y.length && x.every((text, i) => text === y[i]);
  return (
    a.ttl === b.ttl &&
    sameTexts(canonicalAddresses(a.addresses), canonicalAddresses(b.addresses)) &&
    sameTexts(a.extra, b.extra)
  );
}

function correctionText(key: SetKey, was: HeldSet | null, to: WantedSet | null, extra: readonly string[]): string {
  if (to === null)
    return `${keyText(key)}: is removed, no live edge has such an address (was ${listText(was?.addresses ?? [])})`;
  if (was === null) return `${keyText(key)}: is new, ${listText(to.addresses)} with TTL ${to.ttl}`;
  const before = canonicalAddresses(was.addresses);
  const added = to.addresses.filter((address) => !before.includes(address));
  const gone = before.filter((address) => !to.addresses.includes(address));
  const parts = [
    ...(added.length === 0 ? [] : [`adds ${listText(added)}`]),
    ...(gone.length === 0 ? [] : [`removes ${listText(gone)}`]),
    ...(was.ttl === to.ttl ? [] : [`TTL ${to.ttl} instead of ${was.ttl ?? 'several'}`]),
    ...(was.extra.join() === extra.join() ? [] : [`${wordsText(extra)} instead of ${wordsText(was.extra)}`]),
  ];
  return `${keyText(key)}: ${parts.length === 0 ? 'is written anew' : parts.join(', ')}`;
}

function foreignText(key: SetKey, was: HeldSet | null, before: Pick<HeldSet, 'ttl' | 'addresses' | 'extra'>): string {
  if (was === null) return `${keyText(key)} was removed by somebody else`;
  const describe = ({ addresses, ttl, extra }: Pick<HeldSet, 'ttl' | 'addresses' | 'extra'>): string =>
    `${listText(canonicalAddresses(addresses))} with TTL ${ttl ?? 'several'}${extra.length === 0 ? '' : ` (${extra.join(', ')})`}`;
  return `${keyText(key)} was changed by somebody else: ${describe(was)}; ${before.addresses.length === 0 ? 'it was absent before' : `${describe(before)} was left there`}`;
}

function wordsText(words: readonly string[]): string {
  return words.length === 0 ? 'plain' : words.join(', ');
}

const LISTED_MAX = 8;

function listText(addresses: readonly string[]): string {
  if (addresses.length === 0) return 'no address';
  const more = addresses.length - LISTED_MAX;
  return more <= 0 ? addresses.join(', ') : `${addresses.slice(0, LISTED_MAX).join(', ')} and ${more} more`;
}
