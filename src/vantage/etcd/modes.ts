/**
 * Modes that operators set on any vantage hold on all: each keeps them in its own health records, where `edge_conf` sets
 * them and its rounds read them, and this keeps those records and etcd alike. `mode-merge.ts` has the rules.
 */
import { z } from 'zod';
import { appendModeChange } from '../../health/modes/mode-changes.ts';
import { expireMode, withMode } from '../../health/modes/modes.ts';
import type { EdgeRecord } from '../../health/state/edge-store.ts';
import type { EdgeStores } from '../../health/state/edge-store-files.ts';
import { writeAtomic } from '../../system/atomic-write.ts';
import { errorText } from '../../system/error-text.ts';
import type { Guard } from '../../system/guard.ts';
import type { Log } from '../../system/log-events.ts';
import { oneLine } from '../../system/printable.ts';
import { FILE_MAX, readFile } from '../../system/read-file.ts';
import { Slice } from '../../system/yielding.ts';
import {
  isSameMode,
  mergeMode,
  modeNow,
  type SetMode,
  type StoredMode,
  type SyncedMode,
  settingId,
} from './mode-merge.ts';
import { AUTHOR_MAX, type ModeStore, modeKey, modesPrefix, parseMode, printMode } from './mode-store.ts';

export type SharedModesOptions = {
  readonly store: ModeStore;
  /** Of all our keys. */
  readonly prefix: string;
  /** Our own name. */
  readonly vantage: string;
  /** The edges of all networks that are served, each with one of its networks. */
  readonly edges: () => ReadonlyMap<string, string>;
  /** Null: no record can be read yet, and nothing is done. */
  readonly stores: () => EdgeStores | null;
  /** What was last the same here and in etcd, over restarts. */
  readonly file: string;
  readonly everyMs: number;
  readonly now: () => number;
  readonly log: Log;
  readonly guard: Guard;
};

const PART = 'modes';
/** Settings of an edge that are remembered: a backup from before more changes counts as newer. */
const FORMER_MAX = 16;
const MOMENT = z.number().min(0).max(1e12);
const FILE = z.object({
  v: z.literal(1),
  cluster: z.string().max(32).nullable(),
  edges: z.record(
    z.string(),
    z.object({
      mode: z.enum(['available', 'unavailable', 'force', 'blindforce']),
      until: MOMENT.nullable(),
      comment: z.string(),
      revision: z.string().regex(/^\d{1,20}$/),
      id: z.string().default(''),
    }),
  ),
  formerly: z.array(z.string()),
  /** By edge: settings that it had before, the latest last. */
  former: z.record(z.string(), z.array(z.string())).default({}),
});

export class SharedModes {
  private readonly options: SharedModesOptions;
  private synced = new Map<string, SyncedMode>();
  /** Edges that had a mode in common with a store of another cluster id: one that was emptied, restored or replaced. */
  private formerly = new Set<string>();
  /** By edge: the settings that it had before the one that it has, the latest last. */
  private former = new Map<string, readonly string[]>();
  private cluster: string | null = null;
  private isLoaded = false;
  private isDirty = false;
  private timer: NodeJS.Timeout | null = null;
  private running: Promise<void> | null = null;
  private again = false;
  private stopped = false;
  private problems: readonly string[] = [];

  constructor(options: SharedModesOptions) {
    this.options = options;
  }

  start(): void {
    const { guard, everyMs } = this.options;
    this.timer = setInterval(
      guard.protect(PART, () => this.changed()),
      everyMs,
    );
    this.timer.unref();
    this.changed();
  }

  /** A mode may be another one, here or in etcd: looks at once, or once more after the look that is under way. */
  changed(): void {
    if (this.stopped) return;
    this.again = true;
    if (this.running !== null) return;
    this.running = this.work().finally(() => {
      this.running = null;
    });
    this.options.guard.run(PART, this.running);
  }

  /** What does not work, a sentence each. */
  faults(): readonly string[] {
    return this.problems;
  }

  /** Resolves when no look is under way. */
  async idle(): Promise<void> {
    while (this.running !== null) await this.running;
  }

  async stop(): Promise<void> {
    this.stopped = true;
    if (this.timer !== null) clearInterval(this.timer);
    await this.running?.catch(() => undefined);
  }

  private async work(): Promise<void> {
    while (this.again && !this.stopped) {
      this.again = false;
      const problems: string[] = [];
      await this.sync(problems);
      this.problems = problems;
    }
  }

  private async sync(problems: string[]): Promise<void> {
    const { store, prefix, log } = this.options;
    const stores = this.options.stores();
    if (stores === null) return;
    if (!this.isLoaded) await this.load();
    const edges = this.options.edges();
    const records = await this.records(stores, [...edges.keys()], problems);
    const read = await store.read(modesPrefix(prefix));
    if (!read.ok) {
      problems.push(`modes that are set on other vantages are not known, nor ours there: ${read.why}`);
      return;
    }
    this.noteCluster(read.clusterId);
    const entries = new Map(read.entries.map((entry) => [entry.key, entry]));
    const slice = new Slice();
    for (const [edge, network] of edges) {
      await slice.rest();
      if (this.stopped) return;
      const record = records.get(edge);
      if (record === undefined) continue;
      const key = modeKey(prefix, edge);
      const entry = entries.get(key);
      const stored = entry === undefined ? null : parseMode(entry);
      if (entry !== undefined && stored === null) {
        problems.push(
          `${key} in etcd is no mode that this version understands; the mode of ${edge} stays as it is here`,
        );
        continue;
      }
      await this.merge(stores, edge, network, record, stored, problems);
    }
    for (const edge of this.synced.keys()) if (!edges.has(edge)) this.set(edge, null);
    for (const edge of this.former.keys()) if (!edges.has(edge)) this.former.delete(edge);
    if (this.isDirty)
      await this.save().catch((error: unknown) => {
        const { file } = this.options;
        log('warn', `${file}: ${errorText(error)}`, { event: 'mode.fault', file });
      });
  }

  /** The records as their files have them by now. One that cannot be read stays as it is, there and in etcd. */
  private async records(
    stores: EdgeStores,
    edges: readonly string[],
    problems: string[],
  ): Promise<ReadonlyMap<string, EdgeRecord>> {
    const now = this.options.now();
    const unreadable = new Set<string>();
    for (const edge of await stores.outdated(edges, this.options.everyMs)) {
      try {
        await stores.read(edge, now);
      } catch (error) {
        unreadable.add(edge);
        problems.push(`the mode of ${edge} is not known: ${errorText(error)}`);
      }
    }
    return new Map(edges.filter((edge) => !unreadable.has(edge)).map((edge) => [edge, stores.present(edge)]));
  }

  private async merge(
    stores: EdgeStores,
    edge: string,
    network: string,
    record: EdgeRecord,
    stored: StoredMode | null,
    problems: string[],
  ): Promise<void> {
    const { now, log, store, prefix, vantage } = this.options;
    const local = modeOf(record);
    const former = new Set(this.former.get(edge));
    const synced = this.synced.get(edge) ?? null;
    const merged = mergeMode(local, stored, synced, this.formerly.has(edge), now(), former);
    if (merged.kind === 'same') {
      this.set(edge, merged.synced);
      return;
    }
    if (merged.kind === 'apply') {
      const why = await this.apply(stores, edge, network, local, merged.mode);
      if (why !== null) problems.push(`the mode of ${edge}, set on ${merged.by}, cannot be set here: ${why}`);
      else {
        this.set(edge, merged.synced);
        const { mode } = merged.mode;
        const text = `mode of ${edge}: ${mode}, as set on ${merged.by}`;
        log('info', text, { event: 'mode.received', edge, mode, by: merged.by });
      }
      return;
    }
    const { mode, expected, replaces } = merged;
    const at = record.modeSince ?? now();
    const setting = { ...mode, by: vantage, at };
    const put = await store.put(modeKey(prefix, edge), printMode(setting), expected);
    if (put.kind === 'failed') problems.push(`the mode of ${edge} is not known to the other vantages: ${put.why}`);
    if (put.kind !== 'stored') return; // refused: somebody was faster, and the next look merges with theirs
    this.set(edge, { ...mode, revision: put.revision, id: settingId(setting) });
    const instead = replaces === null ? '' : `, instead of ${replaces.mode} that was set on ${replaces.by} meanwhile`;
    const text = `mode of ${edge}: ${mode.mode}, set here, is sent to the other vantages${instead}`;
    log('info', text, { event: 'mode.sent', edge, mode: mode.mode });
  }

  /** Sets the mode here, unless somebody set another meanwhile. Returns why that could not be done; null: it is done. */
  private async apply(
    stores: EdgeStores,
    edge: string,
    network: string,
    was: SetMode | null,
    mode: SetMode,
  ): Promise<string | null> {
    const { now, log } = this.options;
    const at = now();
    let isOther = false;
    try {
      const { faults } = await stores.update(edge, at, (record) => {
        const found = modeOf(record);
        isOther = found === null || was === null ? found !== was : !isSameMode(found, was);
        return isOther ? record : withMode(expireMode(record, at), { ...mode, by: mode.author ?? null }, at);
      });
      const failed = faults.find(({ code }) => code !== 'edge-store-invalid');
      if (failed !== undefined) return failed.message;
    } catch (error) {
      return errorText(error);
    }
    if (isOther) return 'another was set here in the same moment';
    // Has the rounds decide at once, and is the record of who changed what.
    const line = {
      at,
      network,
      edge,
      mode: mode.mode,
      until: mode.until,
      comment: mode.comment,
      by: mode.author ?? null,
    };
    await appendModeChange(stores.folder, line).catch((error: unknown) => {
      const text = `the mode of ${edge} comes into force at the next round only: ${errorText(error)}`;
      log('warn', text, { event: 'mode.fault', edge });
    });
    return null;
  }

  private noteCluster(clusterId: string): void {
    if (this.cluster === clusterId) return;
    if (this.cluster !== null) {
      for (const [edge, { id }] of this.synced) {
        this.formerly.add(edge);
        this.supersede(edge, id);
      }
      this.synced = new Map();
    }
    this.cluster = clusterId;
    this.isDirty = true;
  }

  private set(edge: string, synced: SyncedMode | null): void {
    const was = this.synced.get(edge) ?? null;
    if (was === synced) return;
    if (was !== null && synced !== null && was.revision === synced.revision && isSameMode(was, synced)) return;
    if (was !== null && was.id !== synced?.id) this.supersede(edge, was.id);
    if (synced === null) this.synced.delete(edge);
    else this.synced.set(edge, synced);
    if (synced !== null) this.formerly.delete(edge);
    this.isDirty = true;
  }

  private supersede(edge: string, id: string): void {
    if (id === '') return;
    const others = (this.former.get(edge) ?? []).filter((one) => one !== id);
    this.former.set(edge, [...others, id].slice(-FORMER_MAX));
  }

  /** Without the file, or with one that makes no sense, what etcd has counts. */
  private async load(): Promise<void> {
    this.isLoaded = true;
    const { file, log } = this.options;
    const read = await readFile(file, FILE_MAX.state);
    if (!read.ok) {
      if (read.code !== 'ENOENT') {
        const text = `${file}: ${read.message}; modes are taken over from etcd`;
        log('warn', text, { event: 'mode.fault', file });
      }
      return;
    }
    try {
      const { cluster, edges, formerly, former } = FILE.parse(JSON.parse(read.octets.toString('utf8')));
      this.cluster = cluster;
      this.formerly = new Set(formerly);
      this.former = new Map(Object.entries(former));
      for (const [edge, { revision, ...mode }] of Object.entries(edges)) {
        this.synced.set(edge, { ...mode, revision: BigInt(revision) });
      }
    } catch {
      log('warn', `${file}: makes no sense; modes are taken over from etcd`, { event: 'mode.fault', file });
    }
  }

  private async save(): Promise<void> {
    const edges = Object.fromEntries(
      [...this.synced].map(([edge, { revision, ...mode }]) => [edge, { ...mode, revision: `${revision}` }]),
    );
    const file = {
      v: 1,
      cluster: this.cluster,
      edges,
      formerly: [...this.formerly],
      former: Object.fromEntries(this.former),
    };
    await writeAtomic(this.options.file, `${JSON.stringify(file)}\n`);
    this.isDirty = false;
  }
}

/** Null: nobody ever set one. */
function modeOf({ mode, modeSince, modeUntil, modeBy, comment }: EdgeRecord): SetMode | null {
  if (mode === 'available' && modeSince === null && comment === '') return null;
  const set = { mode, until: modeUntil, comment: oneLine(comment) };
  return modeNow(modeBy === null ? set : { ...set, author: modeBy.slice(0, AUTHOR_MAX) }, -1);
}
