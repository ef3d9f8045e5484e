/** What is kept on disk of each target: what was last left at the provider, and how it went, for `edgewise explain`. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Config } from '../../config/types.ts';
import { writeAtomic } from '../../system/atomic-write.ts';
import { FILE_MAX, readFile } from '../../system/read-file.ts';
import { WriteBehind } from '../../system/write-behind.ts';
import { PROVIDER_PROBLEMS } from './provider.ts';
import type { LeftSets } from './sets.ts';
import type { KeptLeft, LeftStore } from './target.ts';
import { TARGET_STATES, type TargetStatus } from './target-status.ts';

const set = z.object({ ttl: z.number().nullable(), addresses: z.array(z.string()), extra: z.array(z.string()) });
const status = z.object({
  name: z.string(),
  kind: z.string(),
  network: z.string(),
  names: z.array(z.string()),
  state: z.enum(TARGET_STATES),
  since: z.number(),
  lastRight: z.number().nullable(),
  problem: z
    .object({ kind: z.enum([...PROVIDER_PROBLEMS, 'differs', 'foreign', 'fence']), text: z.string() })
    .nullable(),
  failures: z.number(),
  corrections: z.number(),
  foreignChanges: z.number(),
  held: z.array(set.extend({ name: z.string(), type: z.enum(['A', 'AAAA']) })),
});
const contents = z.object({
  version: z.literal(1),
  status,
  left: z.record(z.string(), set).nullable(),
  /** Earlier versions have none. */
  where: z.string().nullable().default(null),
});

/** `left` null: nothing was left there yet. `where`: at which provider, as `TargetFiles.leftOf` has it; null: not known. */
export type TargetRecord = {
  readonly status: TargetStatus;
  readonly left: LeftSets | null;
  readonly where: string | null;
};

function folderOf({ stateDir }: Pick<Config, 'stateDir'>): string {
  return join(stateDir, 'published');
}

/** Path of the file of the target that is called `name`. */
export function targetFile(config: Pick<Config, 'stateDir'>, name: string): string {
  return join(folderOf(config), `${encodeURIComponent(name)}.json`);
}

/** Null: there is none, or none that can be used, which `onProblem` reports. */
export async function readTarget(file: string, onProblem: (sentence: string) => void): Promise<TargetRecord | null> {
  const read = await readFile(file, FILE_MAX.secret);
  if (!read.ok) {
    if (read.code !== 'ENOENT') onProblem(`${file}: ${read.message}`);
    return null;
  }
  try {
    const found = contents.safeParse(JSON.parse(read.octets.toString('utf8')));
    if (found.success) {
      const { left, where } = found.data;
      return { status: found.data.status, where, left: left === null ? null : new Map(Object.entries(left)) };
    }
  } catch {
    // not JSON: below
  }
  onProblem(`${file}: is not what this version writes, so it is written anew`);
  return null;
}

/** The files of all targets. Nobody waits for a write; one that fails is tried again and is a fault until it works. */
export class TargetFiles {
  private readonly config: Config;
  private readonly onProblem: (sentence: string, target: string) => void;
  private readonly writes: WriteBehind<string>;
  private readonly lefts = new Map<string, { readonly where: string; readonly left: LeftSets | null }>();
  private readonly statuses = new Map<string, TargetStatus>();

  /** `onProblem`: with the name of the target. */
  constructor(config: Config, onProblem: (sentence: string, target: string) => void) {
    this.config = config;
    this.onProblem = onProblem;
    this.writes = new WriteBehind<string>({
      onFault: (name, message) => {
        if (message !== null) onProblem(`${targetFile(config, name)}: ${message}`, name);
      },
    });
  }

  /**
   * Where the target called `name` keeps what it left. It reads that before its status is saved for the first time.
   * `where`: the same for as long as the sets are at the same place, and no secret; of another nothing is read.
   */
  leftOf(name: string, where: string): LeftStore {
    return {
      read: async () => {
        const { left, lastRight } = await this.kept(name, where);
        this.lefts.set(name, { where, left });
        return { left, lastRight };
      },
      write: (left) => {
        this.lefts.set(name, { where, left });
        this.save(name);
      },
    };
  }

  saveStatus(now: TargetStatus): void {
    this.statuses.set(now.name, now);
    this.save(now.name);
  }

  /** The target is no longer configured. */
  forget(name: string): void {
    this.lefts.set(name, { where: '', left: null }); // the file may be there for a while
    this.statuses.delete(name);
    this.writes.save(name, () => rm(targetFile(this.config, name), { force: true }));
  }

  faults(): readonly string[] {
    return [...this.writes.faults()].map(([name, message]) => `what was published is not noted: ${name}: ${message}`);
  }

  async close(): Promise<void> {
    await this.writes.close();
  }

  /** What is in memory is newer than the file, which may wait to be written. */
  private async kept(name: string, where: string): Promise<KeptLeft> {
    const inFile = this.lefts.has(name)
      ? null
      : await readTarget(targetFile(this.config, name), (sentence) => this.onProblem(sentence, name));
    const known = this.lefts.get(name) ?? inFile;
    if (known === null || (known.where ?? where) !== where) return { left: null, lastRight: null };
    const status = this.statuses.get(name) ?? inFile?.status;
    return { left: known.left, lastRight: status?.lastRight ?? null };
  }

  private save(name: string): void {
    this.writes.save(name, async () => {
      const newest = this.statuses.get(name);
      if (newest === undefined) return;
      const { where = null, left = null } = this.lefts.get(name) ?? {};
      await mkdir(folderOf(this.config), { recursive: true });
      const sets = left === null ? null : Object.fromEntries(left);
      const text = `${JSON.stringify({ version: 1, status: newest, where, left: sets })}\n`;
      await writeAtomic(targetFile(this.config, name), text);
    });
  }
}
