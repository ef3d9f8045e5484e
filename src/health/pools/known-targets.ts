/** What is known of a network's edges and canaries: their records, and the newest sample of each. */
import type { Config, NetworkFiles } from '../../config/types.ts';
import type { Log } from '../../system/log-events.ts';
import type { Sample } from '../checks/sample.ts';
import type { Decision } from '../choose/decision.ts';
import type { EdgeRecord, StoredSample } from '../state/edge-store.ts';
import type { EdgeStores } from '../state/edge-store-files.ts';
import { reportFaults } from './faults.ts';
import type { FreshByTarget } from './fresh-samples.ts';
import { probeTargets } from './probe-targets.ts';
import {
  checksOf,
  type DecidedOn,
  type FoldedRecord,
  type Look,
  noteRecords,
  readRecords,
  SampleFolds,
} from './records.ts';

/** What is looked at in advance is the rest, and what would be too old by the decision a second later. */
const AHEAD_AGE_MS = 500;

export class KnownTargets {
  readonly stores: EdgeStores;
  private readonly network: string;
  private readonly log: Log;
  private readonly folds = new SampleFolds();
  private newest: ReadonlyMap<string, Sample> = new Map();
  private current: ReadonlyMap<string, EdgeRecord> = new Map();
  private numbers: ReadonlyMap<string, number> = new Map();
  private total = 0;

  constructor(network: string, stores: EdgeStores, log: Log) {
    this.network = network;
    this.stores = stores;
    this.log = log;
  }

  /** Health records as of the last decision; empty before the first. */
  get records(): ReadonlyMap<string, EdgeRecord> {
    return this.current;
  }

  /** The newest sample of each target that a decision has seen. */
  get samples(): ReadonlyMap<string, Sample> {
    return this.newest;
  }

  /** By target: the number of its newest sample, in the order in which this process has decided upon them. */
  get sampleNumbers(): ReadonlyMap<string, number> {
    return this.numbers;
  }

  /** A sample has come. `config`: by which it was asked. */
  note(sample: Sample, config: Config): void {
    this.folds.begin(this.stores.present(sample.edge), sample, checksOf(config, this.network));
  }

  async read(files: NetworkFiles, now: number, look: Look): Promise<ReadonlyMap<string, EdgeRecord>> {
    const names = probeTargets(files).map(({ name }) => name);
    const { records, faults } = await readRecords(this.stores, names, now, look);
    reportFaults(this.log, faults); // said once for each state of a file
    return records;
  }

  /** Thousands of records take seconds to be read for the first time: while the edges are asked, not after it. */
  readAhead(files: NetworkFiles, now: number): void {
    this.read(files, now, AHEAD_AGE_MS).catch(() => undefined); // the decision reads them again
  }

  /** Reads them all as they are now: ends and comments of modes change without the mode. */
  async readExactly(files: NetworkFiles, now: number): Promise<ReadonlyMap<string, EdgeRecord>> {
    this.current = await this.read(files, now, 'exact');
    return this.current;
  }

  /** These samples are decided upon now: the last of each is its target's newest. */
  take(files: NetworkFiles, fresh: FreshByTarget): void {
    const targets = new Set(probeTargets(files).map(({ name }) => name));
    const newest = [...fresh].flatMap(([name, samples]) => samples.slice(-1).map((sample) => [name, sample] as const));
    const numbers = newest.map(([name]) => [name, ++this.total] as const);
    this.newest = new Map([...this.newest, ...newest].filter(([name]) => targets.has(name)));
    this.numbers = new Map([...this.numbers, ...numbers].filter(([name]) => targets.has(name)));
  }

  /** These records with these samples. */
  fold(records: ReadonlyMap<string, EdgeRecord>, fresh: FreshByTarget | null): ReadonlyMap<string, FoldedRecord> {
    return this.folds.end(records, fresh);
  }

  /** The sample as a record keeps it. `reach` as in `StoredSample`. */
  stored(sample: Sample, reach: number): StoredSample {
    return this.folds.stored(sample, reach);
  }

  /** Adds what a decision says of its edges to their records, in memory. */
  decided(decision: Decision, on: DecidedOn): void {
    this.current = noteRecords(this.stores, decision, on);
  }
}
