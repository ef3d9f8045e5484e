import type { VantageConfig } from '../../src/config/section-vantage.ts';
import type { DecidedSet } from '../../src/health/agreement/decided-set.ts';
import type { ReceivedView, VantageView } from '../../src/health/agreement/view.ts';
import type { RoundVantage, StoreOutcome } from '../../src/health/pools/round-vantage.ts';

type Reported = { readonly view: VantageView; readonly at: number };

/** What several vantage points agree by, in memory: views, one decider at a time, and the sets that it stores. */
export class MemoryStore {
  readonly views = new Map<string, Reported>();
  /** Every set that was ever stored, in order. */
  readonly history: DecidedSet[] = [];
  stored: DecidedSet | null = null;
  revision = 0;
  decider: string | null = null;
  token = 0;
  readonly clock: () => number;

  constructor(clock: () => number) {
    this.clock = clock;
  }

  /** Another vantage decides from now on, with a token of its own. */
  elect(decider: string | null): void {
    this.decider = decider;
    this.token += 1;
  }

  /** Everything is lost, as if somebody had removed it. */
  wipe(): void {
    this.stored = null;
    this.revision += 1;
    this.views.clear();
  }

  /** An older backup is what it has now. */
  restore(set: DecidedSet | null): void {
    this.stored = set;
    this.revision += 1;
  }

  put(set: DecidedSet, revision: number): StoreOutcome {
    if (set.token !== `${this.token}`) return { kind: 'refused', why: 'another one decides' };
    if (revision !== this.revision) return { kind: 'refused', why: 'another set was stored' };
    this.stored = set;
    this.revision += 1;
    this.history.push(set);
    return { kind: 'stored' };
  }
}

/** One vantage's way to the store. While it is cut off it knows what it knew before, its role included. */
export class MemoryVantage {
  readonly name: string;
  private readonly store: MemoryStore;
  private readonly settings: VantageConfig;
  private known: { readonly views: readonly Reported[]; readonly stored: DecidedSet | null; readonly revision: number };
  private role: { readonly decider: string | null; readonly token: string | null; readonly isOurs: boolean };
  private cutOff = false;
  boot: string;
  overrideReason: string | null = null;
  isFit = true;
  /** What becomes of the next proposal that gets no answer: it is stored all the same, or lost. */
  losesAnswer: 'stored' | 'lost' | null = null;

  constructor(name: string, store: MemoryStore, members: readonly string[]) {
    this.name = name;
    this.boot = `${name}-1`;
    this.store = store;
    this.settings = {
      engine: 'etcd',
      name,
      endpoints: ['http://127.0.0.1:1'],
      prefix: 'test',
      members,
      quorum: 'majority',
      user: null,
      passwordFile: null,
      tls: { caFile: null, certFile: null, keyFile: null },
      lease: 10,
      timeout: 2,
    };
    this.known = { views: [], stored: null, revision: 0 };
    this.role = { decider: null, token: null, isOurs: false };
    this.look();
  }

  get isCutOff(): boolean {
    return this.cutOff;
  }

  set isCutOff(isCutOff: boolean) {
    if (!isCutOff) this.look();
    this.cutOff = isCutOff;
  }

  /** Notices what the store has now, as its watch does. */
  look(): void {
    if (this.cutOff) return;
    const { store, name } = this;
    const views = [...store.views.values()].filter(({ view }) => view.vantage !== name);
    this.known = { views, stored: store.stored, revision: store.revision };
    const isOurs = store.decider === name;
    this.role = { decider: store.decider, token: isOurs ? `${store.token}` : null, isOurs };
  }

  vantage(): RoundVantage {
    const { store, settings } = this;
    return {
      settings,
      boot: this.boot,
      version: 'test',
      views: () =>
        this.known.views.map(({ view, at }): ReceivedView => ({ view, at, age: Math.max(0, store.clock() - at) })),
      publishView: (view) => {
        if (!this.cutOff) store.views.set(view.vantage, { view, at: store.clock() });
      },
      override: () => (this.overrideReason === null ? null : { by: 'root', reason: this.overrideReason }),
      sets: {
        role: () => this.role,
        isConnected: () => !this.cutOff,
        decided: () => this.known.stored,
        propose: async (set) => this.propose(set),
        takeContents: async () => undefined,
        setFit: (isFit) => {
          this.isFit = isFit;
        },
      },
    };
  }

  private propose(set: DecidedSet): StoreOutcome {
    const { revision } = this.known;
    const { losesAnswer } = this;
    if (this.cutOff || losesAnswer === 'lost') return { kind: 'unknown', why: 'the store does not answer' };
    const outcome = this.store.put(set, revision);
    if (losesAnswer === 'stored') return { kind: 'unknown', why: 'no answer came' };
    this.look();
    return outcome;
  }
}
