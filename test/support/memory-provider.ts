import {
  type Correction,
  type HeldSet,
  type Provider,
  ProviderError,
  type Refusal,
  type SetKey,
} from '../../src/publish/providers/provider.ts';
import { canonicalAddresses, keyText } from '../../src/publish/providers/sets.ts';

/** A provider that keeps its sets in memory, and can be told what goes wrong. */
export class MemoryProvider implements Provider<null> {
  readonly kind = 'memory';
  extra: readonly string[] = [];
  readonly sets = new Map<string, HeldSet<null>>();
  /** Corrections that were applied, in order. */
  readonly applied: Correction[] = [];
  /** Names that cannot have such sets, as a read finds, or `apply`. */
  readonly aliases = new Set<string>();
  readonly refused = new Set<string>();
  reads = 0;
  /** What the next calls do before anything else; each is used once. */
  readonly beforeRead: (() => void | Promise<void>)[] = [];
  readonly beforeApply: (() => void | Promise<void>)[] = [];

  put(name: string, type: 'A' | 'AAAA', addresses: readonly string[], ttl = 60): void {
    this.sets.set(`${name} ${type}`, { name, type, ttl, addresses, extra: [], own: null });
  }

  async read(keys: readonly SetKey[], signal: AbortSignal): Promise<readonly HeldSet<null>[]> {
    this.reads += 1;
    await abortable(this.beforeRead.shift(), signal);
    const alias = keys.find(({ name }) => this.aliases.has(name));
    if (alias !== undefined) throw new ProviderError('name', `${alias.name} is an alias`);
    return keys.flatMap((key) => this.sets.get(keyText(key)) ?? []);
  }

  async apply(given: readonly Correction<null>[], signal: AbortSignal): Promise<readonly Refusal<null>[]> {
    await abortable(this.beforeApply.shift(), signal);
    const corrections = given.filter(({ name }) => !this.refused.has(name));
    for (const { was, ...key } of corrections) {
      const now = this.sets.get(keyText(key));
      const same = (set: HeldSet | null | undefined): string =>
        JSON.stringify([set?.ttl, canonicalAddresses(set?.addresses ?? [])]);
      if (same(now) !== same(was)) throw new ProviderError('conflict', `${keyText(key)} is not what it was`);
    }
    for (const correction of corrections) {
      this.applied.push(correction);
      if (correction.to === null) this.sets.delete(keyText(correction));
      else this.sets.set(keyText(correction), { ...correction.to, extra: this.extra, own: null });
    }
    return given.flatMap((correction) =>
      corrections.includes(correction) ? [] : [{ correction, why: `${correction.name} is refused` }],
    );
  }

  async close(): Promise<void> {}
}

async function abortable(work: (() => void | Promise<void>) | undefined, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (work === undefined) return;
  await Promise.race([
    work(),
    new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true })),
  ]);
}
