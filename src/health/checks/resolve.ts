import { isIP, isIPv4 } from 'node:net';

/** An edge's addresses, one a family; null: none of that family. */
export type Resolved = { readonly v4: string | null; readonly v6: string | null };

/** `seconds`: how long it took, null when the edge is an address itself. */
export type Resolution =
  | { readonly ok: true; readonly addresses: Resolved; readonly seconds: number | null }
  | { readonly ok: false; readonly why: string; readonly seconds: number };

/** As `dns.promises.lookup(name, {all: true})` answers: the system's way, /etc/hosts included. */
export type Lookup = (name: string) => Promise<readonly { readonly address: string }[]>;

/** Looks an edge up and waits for it `waitMs`, or less where the resolver's limits say so. */
export type Resolve = (edge: string, waitMs: number) => Promise<Resolution>;

export type ResolverLimits = {
  /** How long one fetch waits for a name. */
  readonly waitMs: number;
  /** How long an answer is used without asking again. */
  readonly freshMs: number;
  /** How long "no such name" is believed. */
  readonly negativeMs: number;
  /** How long an old answer stands in while the resolver does not answer at all. */
  readonly staleMs: number;
  /** Look-ups at a time: each holds one of the few threads that file access needs as well. */
  readonly parallel: number;
  /** Names remembered. */
  readonly names: number;
};

export const RESOLVER_LIMITS: ResolverLimits = {
  waitMs: 5000,
  freshMs: 60_000,
  negativeMs: 10_000,
  staleMs: 3_600_000,
  parallel: 2,
  names: 10_000,
};

/** What a look-up said. `addresses` null: none, and `why`; `trouble`: nobody could tell, rather than "no such name". */
type Known = {
  readonly at: number;
  readonly addresses: Resolved | null;
  readonly why: string;
  readonly trouble: boolean;
};

/**
 * Makes the function that turns an edge's name into addresses. A name is looked up once however many ask; a look-up that
 * outlives `waitMs` goes on and fills the memory when it is done. Of several addresses of a family the lowest is taken, so
 * that the answer does not wander with the resolver's rotation. `now`: milliseconds, monotonic.
 */
export function makeResolver(lookup: Lookup, now: () => number, limits: ResolverLimits = RESOLVER_LIMITS): Resolve {
  const known = new Map<string, Known>();
  const pending = new Map<string, Promise<Known>>();
  const waiting: (() => void)[] = [];
  let running = 0;

  async function ask(name: string): Promise<Known> {
    if (running >= limits.parallel) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    let answer: Known;
    try {
      const found = await lookup(name);
      const addresses = pick(found.map(({ address }) => address));
      const none = addresses.v4 === null && addresses.v6 === null;
      answer = { at: now(), addresses: none ? null : addresses, why: none ? NO_ADDRESS : '', trouble: false };
    } catch (error) {
      answer = { at: now(), addresses: null, ...lookupFault(error) };
    }
    const next = waiting.shift();
    if (next === undefined) running -= 1;
    else next(); // hands its place on
    pending.delete(name);
    remember(name, answer);
    return answer;
  }

  function remember(name: string, answer: Known): void {
    const before = known.get(name);
    // A resolver in trouble does not unmake what it said before.
    if (answer.trouble && before !== undefined && before.addresses !== null) return;
    known.delete(name); // to the end: the map's order is the order of age
    known.set(name, answer);
    for (const oldest of known.keys()) {
      if (known.size <= limits.names) break;
      known.delete(oldest);
    }
  }

  return async (edge, longestMs) => {
    const literal = literalAddress(edge);
    if (literal !== null) return { ok: true, addresses: literal, seconds: null };

    const name = edge.toLowerCase();
    // RFC 6761 §6.4: names under `invalid` do not exist, and nobody needs to be asked.
    if (/(^|\.)invalid\.?$/.test(name)) return { ok: false, why: NO_ADDRESS, seconds: 0 };
    const started = now();
    const have = known.get(name);
    if (have !== undefined && started - have.at < (have.addresses === null ? limits.negativeMs : limits.freshMs)) {
      return resolution(have, 0);
    }
    let asked = pending.get(name);
    if (asked === undefined) {
      asked = ask(name);
      pending.set(name, asked);
    }
    const waitMs = Math.min(limits.waitMs, longestMs);
    const answer = await within(asked, waitMs);
    const seconds = (now() - started) / 1000;
    if (answer !== null && !answer.trouble) return resolution(answer, seconds);
    // The look-up failed rather than the name: what was known for less than `staleMs` still serves.
    if (have !== undefined && have.addresses !== null && started - have.at < limits.staleMs) {
      return { ok: true, addresses: have.addresses, seconds };
    }
    return { ok: false, why: answer?.why ?? `no answer from the resolver in ${waitMs / 1000} s`, seconds };
  };
}

/** The edge itself when it is an address, in the spelling that all rooms compare. */
function literalAddress(edge: string): Resolved | null {
  switch (isIP(edge)) {
    case 4:
      return { v4: edge, v6: null };
    case 6:
      return { v4: null, v6: canonicalV6(edge) };
    default:
      return null;
  }
}

/** RFC 5952 text; a scope (`fe80::1%eth0`) has no canonical form and stays. */
function canonicalV6(address: string): string {
  return address.includes('%') ? address : new URL(`http://[${address}]`).hostname.slice(1, -1);
}

/** The lowest of each family. */
function pick(addresses: readonly string[]): Resolved {
  const lowest = (family: readonly string[]): string | null =>
    family.reduce<string | null>((low, a) => (low === null || sortKey(a) < sortKey(low) ? a : low), null);
  return {
    v4: lowest(addresses.filter(isIPv4)),
    v6: lowest(addresses.filter((address) => isIP(address) === 6).map(canonicalV6)),
  };
}

/** Text that sorts as the address's number does. */
function sortKey(address: string): string {
  if (isIPv4(address))
    return address
      .split('.')
      .map((octet) => octet.padStart(3, '0'))
      .join('.');
  const [bare = ''] = address.split('%');
  const [head = '', tail] = bare.split('::');
  const groups = (part: string | undefined): string[] => (part === undefined || part === '' ? [] : part.split(':'));
  const left = groups(head);
  const right = groups(tail);
  const zeros = new Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  return [...left, ...zeros, ...right].map((group) => group.padStart(4, '0')).join(':');
}

function resolution(known: Known, seconds: number): Resolution {
  return known.addresses === null
    ? { ok: false, why: known.why, seconds }
    : { ok: true, addresses: known.addresses, seconds };
}

const NO_ADDRESS = 'the name has no address';

/** Tells "there is no such name" from "nobody could tell". */
function lookupFault(error: unknown): { readonly why: string; readonly trouble: boolean } {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  if (code === 'ENOTFOUND' || code === 'ENODATA') return { why: NO_ADDRESS, trouble: false };
  return { why: `the resolver failed: ${code}`, trouble: true };
}

function within<T>(promise: Promise<T>, ms: number): Promise<T | null> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(null), ms);
    void promise.then((value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });
}
