import { isIP, isIPv4 } from 'node:net';
import { within } from './deadline.ts';
import { errorText, systemCode } from './error-text.ts';

/** As `dns.promises.lookup(name, {all: true})` answers: the system's way, /etc/hosts included. */
export type Lookup = (name: string) => Promise<readonly { readonly address: string }[]>;

/** Times in milliseconds. */
export type ResolverLimits = {
  /** How long an answer is used without asking again. */
  readonly freshMs: number;
  /** How long "no such name" is believed. */
  readonly negativeMs: number;
  /** How long nothing is asked again after a look-up that failed. */
  readonly failedMs: number;
  /** How old addresses may get while look-ups fail; `Infinity`: they never expire. */
  readonly staleMs: number;
  /** Look-ups at a time: each holds one of the few libuv threads that file access needs as well. */
  readonly parallel: number;
  /** Names remembered, and look-ups that may wait; beyond, the name used longest ago is forgotten. */
  readonly names: number;
};

export const RESOLVER_LIMITS: ResolverLimits = {
  freshMs: 60_000,
  negativeMs: 10_000,
  failedMs: 10_000,
  staleMs: 3_600_000,
  parallel: 2,
  names: 10_000,
};

/**
 * What is known of a name.
 *
 * - `found`: its addresses, each once, in RFC 5952 spelling, IPv4 first, lowest first, so that the order does not
 *   wander with a resolver's rotation. `stale`: an earlier answer stands in because the resolver did not answer since.
 * - `none`: the name does not exist or has no address; `why` is a phrase for operators.
 * - `failed`: nobody could tell; `why` as above.
 */
export type NameAnswer =
  | { readonly kind: 'found'; readonly addresses: readonly string[]; readonly stale: boolean }
  | { readonly kind: 'none'; readonly why: string }
  | { readonly kind: 'failed'; readonly why: string };

export type NameResolverOptions = {
  readonly lookup: Lookup;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  readonly limits?: Partial<ResolverLimits>;
};

/** `at`: when the addresses were found; `askAt`: when the name is due again. */
type Entry = { readonly answer: NameAnswer; readonly at: number; askAt: number };

const NO_ADDRESS = 'the name has no address';

/**
 * Addresses of host names, from the system's resolver: bounded, cached, each name looked up once however many ask.
 * A failing resolver does not take back what it said before; "no such name" does. Two ways to use it:
 *
 * - `resolve(name, waitMs)` waits for the answer. A look-up that outlives `waitMs` goes on and fills the cache.
 * - `known(name)` and `isDue(name)` never wait: use what is known, and call `resolve` in the background where it is
 *   due.
 *
 * Names are case-insensitive and may have a final dot. An address is its own answer.
 */
export class NameResolver {
  private readonly lookup: Lookup;
  private readonly now: () => number;
  private readonly limits: ResolverLimits;
  /** In the order of use. */
  private readonly entries = new Map<string, Entry>();
  private readonly pending = new Map<string, Promise<NameAnswer>>();
  private readonly queue: (() => void)[] = [];
  private running = 0;
  private stopped = false;

  constructor({ lookup, now, limits = {} }: NameResolverOptions) {
    this.lookup = lookup;
    this.now = now;
    this.limits = { ...RESOLVER_LIMITS, ...limits };
  }

  /** Never rejects. Without an answer after `waitMs`: what was known before, else `failed`. */
  async resolve(name: string, waitMs: number = Number.POSITIVE_INFINITY): Promise<NameAnswer> {
    const key = keyOf(name);
    const given = withoutLookup(key);
    if (given !== null) return given;
    if (!this.isDue(name)) {
      const known = this.known(name);
      if (known !== null) return known;
    }
    const asking = this.ask(key);
    const answer = waitMs === Number.POSITIVE_INFINITY ? await asking : await within(waitMs, asking, () => null);
    if (answer !== null) return answer;
    return this.known(name) ?? { kind: 'failed', why: `no answer from the resolver in ${waitMs / 1000} s` };
  }

  /** What is known without asking; null: nothing, or only addresses that are older than `staleMs`. */
  known(name: string): NameAnswer | null {
    const key = keyOf(name);
    const given = withoutLookup(key);
    if (given !== null) return given;
    const entry = this.entries.get(key);
    if (entry === undefined) return null;
    this.store(key, entry); // used now
    const { answer, at } = entry;
    if (answer.kind !== 'found') return answer;
    const age = this.now() - at;
    if (age >= this.limits.staleMs) return null;
    return { ...answer, stale: age >= this.limits.freshMs };
  }

  /** Whether `resolve` would look the name up. */
  isDue(name: string): boolean {
    const key = keyOf(name);
    if (withoutLookup(key) !== null) return false;
    const entry = this.entries.get(key);
    return entry === undefined || this.now() >= entry.askAt;
  }

  /** Makes the name due, such as when its addresses stopped working. What is known stays known. */
  expire(name: string): void {
    const entry = this.entries.get(keyOf(name));
    if (entry !== undefined) entry.askAt = Number.NEGATIVE_INFINITY;
  }

  /**
   * Addresses from an earlier run: they stand in until the resolver answers. Nothing where something is known already.
   */
  seed(name: string, addresses: readonly string[]): void {
    const key = keyOf(name);
    const sorted = sortedAddresses(addresses);
    if (sorted.length === 0 || this.entries.has(key)) return;
    const answer: NameAnswer = { kind: 'found', addresses: sorted, stale: true };
    this.store(key, { answer, at: this.now() - this.limits.freshMs, askAt: Number.NEGATIVE_INFINITY });
  }

  /** Look-ups that wait for their turn fail at once, and none begins any more. */
  stop(): void {
    this.stopped = true;
    for (const next of this.queue.splice(0)) next();
  }

  private ask(key: string): Promise<NameAnswer> {
    const asked = this.pending.get(key);
    if (asked !== undefined) return asked;
    if (this.pending.size >= this.limits.names) {
      return Promise.resolve({ kind: 'failed', why: 'too many look-ups are waiting' });
    }
    const asking = this.lookUp(key).finally(() => this.pending.delete(key));
    this.pending.set(key, asking);
    return asking;
  }

  private async lookUp(key: string): Promise<NameAnswer> {
    if (this.running >= this.limits.parallel) await new Promise<void>((resolve) => this.queue.push(resolve));
    else this.running += 1;
    if (this.stopped) return { kind: 'failed', why: 'the server stops' };
    let answer: NameAnswer;
    try {
      const addresses = sortedAddresses((await this.lookup(key)).map(({ address }) => address));
      answer = addresses.length > 0 ? { kind: 'found', addresses, stale: false } : { kind: 'none', why: NO_ADDRESS };
    } catch (error) {
      answer = lookupFault(error);
    }
    const next = this.queue.shift();
    if (next === undefined) this.running -= 1;
    else next(); // its place goes to whoever waits
    return this.remember(key, answer);
  }

  private remember(key: string, answer: NameAnswer): NameAnswer {
    const now = this.now();
    const { freshMs, negativeMs, failedMs } = this.limits;
    const entry = this.entries.get(key);
    if (answer.kind === 'failed' && entry?.answer.kind === 'found') {
      this.store(key, { ...entry, askAt: now + failedMs });
      return this.known(key) ?? answer;
    }
    const lasts = answer.kind === 'found' ? freshMs : answer.kind === 'none' ? negativeMs : failedMs;
    this.store(key, { answer, at: now, askAt: now + lasts });
    return answer;
  }

  private store(key: string, entry: Entry): void {
    this.entries.delete(key);
    this.entries.set(key, entry);
    for (const oldest of this.entries.keys()) {
      if (this.entries.size <= this.limits.names) break;
      this.entries.delete(oldest);
    }
  }
}

/** RFC 5952 spelling, by which addresses are compared as text; null: not an address. A scope (`fe80::1%eth0`) stays. */
export function canonicalAddress(text: string): string | null {
  switch (isIP(text)) {
    case 4:
      return text;
    case 6:
      return text.includes('%') ? text : new URL(`http://[${text}]`).hostname.slice(1, -1);
    default:
      return null;
  }
}

/** In canonical spelling, each once, IPv4 first, by number; what is no address is left out. */
function sortedAddresses(addresses: readonly string[]): readonly string[] {
  const spelled = addresses.flatMap((address) => canonicalAddress(address) ?? []);
  const keyed = [...new Set(spelled)].map((address) => ({ address, key: sortKey(address) }));
  return keyed.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ address }) => address);
}

/** Text that sorts as the address's number does, IPv4 before IPv6. */
function sortKey(address: string): string {
  if (isIPv4(address)) {
    const octets = address.split('.').map((octet) => octet.padStart(3, '0'));
    return `4${octets.join('.')}`;
  }
  const [bare = '', scope = ''] = address.split('%');
  const [head = '', tail] = bare.split('::');
  const groups = (part: string | undefined): string[] => (part === undefined || part === '' ? [] : part.split(':'));
  const left = groups(head);
  const right = groups(tail);
  const zeros = new Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  return `6${[...left, ...zeros, ...right].map((group) => group.padStart(4, '0')).join(':')}%${scope}`;
}

function keyOf(name: string): string {
  return name.toLowerCase().replace(/(.)\.$/, '$1');
}

/** Addresses, and names under `invalid`, which do not exist (RFC 6761 §6.4). */
function withoutLookup(key: string): NameAnswer | null {
  const address = canonicalAddress(key);
  if (address !== null) return { kind: 'found', addresses: [address], stale: false };
  return /(^|\.)invalid$/.test(key) ? { kind: 'none', why: NO_ADDRESS } : null;
}

/** Tells "there is no such name" from "nobody could tell". */
function lookupFault(error: unknown): NameAnswer {
  const code = systemCode(error) || errorText(error);
  if (code === 'ENOTFOUND' || code === 'ENODATA') return { kind: 'none', why: NO_ADDRESS };
  return { kind: 'failed', why: `the resolver failed: ${code}` };
}
