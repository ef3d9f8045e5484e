import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { nameKey, nameText, type WireName } from '../../dns/name.ts';
import { sweepTemporaries, writeAtomic } from '../../system/atomic-write.ts';
import { parseObject } from '../../system/json-object.ts';
import { makeFolder } from '../../system/make-folder.ts';
import { FILE_MAX, readFile } from '../../system/read-file.ts';
import { seal, unseal } from '../../system/sealed.ts';
import { WriteBehind, writeFaults } from '../../system/write-behind.ts';

/** `digest`: of the image that the last step leads to. */
export type SavedJournal = {
  readonly network: string | null;
  readonly digest: number;
  readonly steps: readonly Uint8Array[];
};

/** What there is of a zone. */
export type SavedKinds = { readonly journal: boolean; readonly content: boolean };

/**
 * Where journals are remembered. Writing goes on behind the caller's back; of several texts for one zone the last
 * counts.
 */
export type JournalFiles = {
  list(): Promise<Map<WireName, SavedKinds>>;
  /** Null: there is none, or it is not as it was written. */
  read(origin: WireName): Promise<SavedJournal | null>;
  readContent(origin: WireName): Promise<Uint8Array | null>;
  save(origin: WireName, journal: SavedJournal): void;
  /** `make` is called when the file's turn has come; null: the zone has no content to remember. */
  saveContent(origin: WireName, make: () => Promise<Uint8Array | null>): void;
  remove(origin: WireName): void;
  removeContent(origin: WireName): void;
  /** What cannot be written at present, in a sentence. */
  faults(): readonly string[];
  close(): Promise<void>;
};

/** Remembers nothing. */
export const NO_JOURNAL: JournalFiles = {
  list: async () => new Map(),
  read: async () => null,
  readContent: async () => null,
  save: () => {},
  saveContent: () => {},
  remove: () => {},
  removeContent: () => {},
  faults: () => [],
  close: async () => {},
};

const SUFFIX = { journal: '.journal', content: '.content' } as const;
type Kind = keyof typeof SUFFIX;
/** Contents that were not written so long after the end began are left. */
const CLOSE_MS = 2000;

/**
 * Two files for each zone in one folder, sealed: `.journal`, which is JSON, `{"version":2,"network":"a","digest":…,
 * "steps":["base64",…]}`, and `.content`. `onTrouble` is called when writing begins to
 * fail; it is tried again, and what is lost costs whole transfers only.
 */
export class JournalFolder implements JournalFiles {
  private readonly folder: string;
  private readonly writes: WriteBehind<string>;
  /** Names of files that may be there; null: not known. */
  private there: Set<string> | null = null;
  private closedAt: number | null = null;
  private readonly onTrouble: (message: string) => void;
  private saidSpoilt = false;

  constructor(folder: string, onTrouble: (message: string) => void) {
    this.folder = folder;
    this.onTrouble = onTrouble;
    this.writes = new WriteBehind({
      onFault: (_file, message) => {
        // Ten thousand zones fail in the same way: the first one speaks for all.
        if (message !== null && this.writes.faults().size === 1) onTrouble(`journal: ${message}`);
      },
    });
  }

  faults(): readonly string[] {
    return writeFaults('journal: changes are not saved for incremental transfers after a restart', this.writes);
  }

  async list(): Promise<Map<WireName, SavedKinds>> {
    await sweepTemporaries(this.folder);
    const found = new Map<WireName, SavedKinds>();
    const files = await readdir(this.folder).catch(() => []);
    this.there = new Set(files);
    for (const file of files) {
      for (const kind of ['journal', 'content'] as const) {
        const origin = file.endsWith(SUFFIX[kind]) ? nameOf(file.slice(0, -SUFFIX[kind].length)) : null;
        if (origin !== null) found.set(origin, { journal: false, content: false, ...found.get(origin), [kind]: true });
      }
    }
    return found;
  }

  async read(origin: WireName): Promise<SavedJournal | null> {
    const file = fileOf(origin, 'journal');
    const body = await this.readFile(file);
    const journal = body === null ? null : parse(body.toString('utf8'));
    if (body !== null && journal === null) this.noteSpoilt(file, 'is of another version');
    return journal;
  }

  readContent(origin: WireName): Promise<Uint8Array | null> {
    return this.readFile(fileOf(origin, 'content'));
  }

  save(origin: WireName, journal: SavedJournal): void {
    this.queue(fileOf(origin, 'journal'), async () => Buffer.from(format(journal), 'utf8'));
  }

  saveContent(origin: WireName, make: () => Promise<Uint8Array | null>): void {
    this.queue(fileOf(origin, 'content'), make);
  }

  remove(origin: WireName): void {
    this.queue(fileOf(origin, 'journal'), null);
  }

  removeContent(origin: WireName): void {
    this.queue(fileOf(origin, 'content'), null);
  }

  async close(): Promise<void> {
    this.closedAt = performance.now();
    await this.writes.close();
    this.closedAt = null;
  }

  private async readFile(file: string): Promise<Buffer | null> {
    const sealed = await readFile(join(this.folder, file), FILE_MAX.zone);
    if (!sealed.ok) {
      if (sealed.code !== 'ENOENT') this.noteSpoilt(file, sealed.message);
      return null;
    }
    const body = unseal(sealed.octets);
    if (body === null) this.noteSpoilt(file, 'is not as it was written');
    return body;
  }

  /** After a crash there may be thousands: the first one speaks for all. */
  private noteSpoilt(file: string, problem: string): void {
    if (!this.saidSpoilt)
      this.onTrouble(
        `journal: ${join(this.folder, file)} ${problem}: not used, so the zone's next transfers are whole`,
      );
    this.saidSpoilt = true;
  }

  private queue(file: string, make: (() => Promise<Uint8Array | null>) | null): void {
    // Of ten thousand zones most have no file that would have to go.
    if (make === null && this.there !== null && !this.there.has(file)) return;
    if (make !== null) this.there?.add(file);
    this.writes.save(file, () => this.replace(file, make));
  }

  private async replace(file: string, make: (() => Promise<Uint8Array | null>) | null): Promise<void> {
    const isContent = file.endsWith(SUFFIX.content);
    const late = this.closedAt !== null && performance.now() - this.closedAt > CLOSE_MS;
    try {
      const octets = make === null || (isContent && late) ? null : await make();
      if (octets === null) await rm(join(this.folder, file), { force: true });
      else await this.write(file, octets, isContent);
    } catch (error) {
      // The old file is of another version now. A full disk lets it go.
      await rm(join(this.folder, file), { force: true }).catch(() => {});
      throw error;
    }
  }

  /** A content that a power failure takes costs a whole transfer, which is less than a flush for each of many zones. */
  private async write(file: string, octets: Uint8Array, isContent: boolean): Promise<void> {
    await makeFolder(this.folder);
    await writeAtomic(join(this.folder, file), seal(octets), { sync: !isContent, syncFolder: false });
  }
}

function fileOf(origin: WireName, kind: Kind): string {
  return `${encodeURIComponent(nameText(origin))}${SUFFIX[kind]}`;
}

function nameOf(encoded: string): WireName | null {
  try {
    return nameKey(decodeURIComponent(encoded));
  } catch {
    return null;
  }
}

function format({ network, digest, steps }: SavedJournal): string {
  const texts = steps.map((step) => Buffer.from(step).toString('base64'));
  return `${JSON.stringify({ version: 2, network, digest, steps: texts })}\n`;
}

const JOURNAL = z.object({
  version: z.literal(2),
  network: z.string().nullable(),
  digest: z.number(),
  steps: z.array(z.base64()),
});

/** Null: no journal of this version. */
function parse(text: string): SavedJournal | null {
  const object = parseObject(text);
  const file = JOURNAL.safeParse(object.ok ? object.value : null);
  if (!file.success) return null;
  const { network, digest, steps } = file.data;
  return { network, digest, steps: steps.map((step) => shared(Buffer.from(step, 'base64'))) };
}

/** In shared memory, as threads want it. */
function shared(octets: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(octets.length));
  copy.set(octets);
  return copy;
}
