import type { Correction, HeldSet, Provider, Refusal, SetKey } from '../../publish/providers/provider.ts';
import { canonicalAddresses, keyText } from '../../publish/providers/sets.ts';

/** An address that comes to a set, or goes from it. */
export type AddressStep = SetKey & { readonly action: 'add' | 'remove'; readonly address: string };

/** A correction and the steps that it takes. */
export type PlannedSteps = { readonly correction: Correction; readonly steps: readonly AddressStep[] };

/** What changes one set as the steps say. `held`: what the provider has of the name. */
export type StepsToCorrections = (
  key: SetKey,
  steps: readonly AddressStep[],
  held: readonly HeldSet[],
) => readonly PlannedSteps[];

export type OwnAddressesOptions = {
  readonly provider: Provider;
  /** Canonical addresses that may be added and removed. */
  readonly own: () => ReadonlySet<string>;
  readonly ttl: number;
  /** Reads, and goes on as if what was applied had been. */
  readonly dryRun: boolean;
  readonly corrections: StepsToCorrections;
  /** A step that was taken, or in a dry run would have been. */
  readonly onStep: (step: AddressStep) => void;
};

/** In a dry run: what would be there by now, and what not, as long as the provider has `base`. */
type Pretended = { readonly base: string; readonly added: readonly string[]; readonly gone: readonly string[] };

/**
 * As goavail sees a provider: of each set only the addresses that are its own. Others stay beside them, and so do TTL and
 * whatever else a set has that is there already.
 */
export class OwnAddresses implements Provider {
  readonly kind: string;
  readonly extra: readonly string[];
  private readonly options: OwnAddressesOptions;
  private held: ReadonlyMap<string, HeldSet> = new Map();
  private readonly pretended = new Map<string, Pretended>();

  constructor(options: OwnAddressesOptions) {
    this.options = options;
    this.kind = options.provider.kind;
    this.extra = options.provider.extra;
  }

  async read(keys: readonly SetKey[], signal: AbortSignal): Promise<readonly HeldSet[]> {
    const held = await this.options.provider.read(keys, signal);
    this.held = new Map(held.map((set) => [keyText(set), set]));
    return keys.flatMap(({ name, type }) => {
      const found = this.ownOf({ name, type });
      const pretended = this.pretended.get(keyText({ name, type }));
      const { added, gone } = pretended?.base === this.allOf({ name, type }).join() ? pretended : NOTHING;
      const addresses = canonicalAddresses([...found.filter((address) => !gone.includes(address)), ...added]);
      if (addresses.length === 0) return [];
      return [{ name, type, ttl: this.options.ttl, addresses, extra: this.extra, own: null }];
    });
  }

  /** Of a correction, part of which is refused, the rest is done. */
  async apply(corrections: readonly Correction[], signal: AbortSignal): Promise<readonly Refusal[]> {
    const { provider, dryRun, onStep } = this.options;
    const refused = new Map<AddressStep, string>();
    const steps = corrections.map((correction) => ({ correction, steps: stepsOf(correction) }));
    if (dryRun) {
      for (const { correction } of steps) {
        const [found, to] = [this.ownOf(correction), correction.to?.addresses ?? []];
        this.pretended.set(keyText(correction), {
          base: this.allOf(correction).join(),
          added: to.filter((address) => !found.includes(address)),
          gone: found.filter((address) => !to.includes(address)),
        });
      }
    } else {
      const planned = steps.flatMap(({ correction: { name, type }, steps: some }) =>
        this.options.corrections(
          { name, type },
          some,
          [...this.held.values()].filter((set) => set.name === name),
        ),
      );
      const all = planned.map(({ correction }) => correction);
      for (const { correction, why } of all.length === 0 ? [] : await provider.apply(all, signal)) {
        const taken = planned.find((one) => one.correction === correction)?.steps ?? [];
        for (const step of taken) refused.set(step, why);
      }
    }
    for (const step of steps.flatMap((one) => one.steps)) if (!refused.has(step)) onStep(step);
    return steps.flatMap(({ correction, steps: some }) => {
      const why = some.flatMap((step) => refused.get(step) ?? []);
      return why.length === 0 ? [] : [{ correction, why: [...new Set(why)].join('; ') }];
    });
  }

  close(): Promise<void> {
    return this.options.provider.close();
  }

  private ownOf(key: SetKey): readonly string[] {
    const own = this.options.own();
    return this.allOf(key).filter((address) => own.has(address));
  }

  private allOf(key: SetKey): readonly string[] {
    return canonicalAddresses(this.held.get(keyText(key))?.addresses ?? []);
  }
}

const NOTHING: Pick<Pretended, 'added' | 'gone'> = { added: [], gone: [] };

function stepsOf({ name, type, was, to }: Correction): readonly AddressStep[] {
  const [before, after] = [was?.addresses ?? [], to?.addresses ?? []];
  const added = after.filter((address) => !before.includes(address));
  const gone = before.filter((address) => !after.includes(address));
  return [
    ...added.map((address) => ({ name, type, action: 'add' as const, address })),
    ...gone.map((address) => ({ name, type, action: 'remove' as const, address })),
  ];
}

/** For providers that take whole sets: the set with what comes, without what goes. */
export function wholeSets(ttl: number): StepsToCorrections {
  return (key, steps, held) => {
    const was = held.find(({ type }) => type === key.type) ?? null;
    const of = (action: AddressStep['action']): readonly string[] =>
      steps.filter((step) => step.action === action).map(({ address }) => address);
    const gone = new Set(of('remove'));
    const kept = canonicalAddresses(was?.addresses ?? []).filter((address) => !gone.has(address));
    const addresses = canonicalAddresses([...kept, ...of('add')]);
    const text = steps.map(({ action, address }) => `${action} ${key.name} ${key.type} ${address}`).join(', ');
    const to = addresses.length === 0 ? null : { ...key, ttl, addresses };
    return [{ correction: { ...key, was, to, text }, steps }];
  };
}
