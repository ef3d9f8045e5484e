import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomic } from '../atomic-write.ts';
import { nameKey, nameText, type WireName } from './name.ts';

/** `digest`: of the image that the last step leads to. */
export type SavedJournal = {
  readonly network: string | null;
  readonly digest: number;
  readonly steps: readonly Uint8Array[];
};

/** Where journals are remembered. Writing goes on behind the caller's back; of several texts for one zone the last counts. */
export type JournalFiles = {
  list(): Promise<Set<WireName>>;
  /** Null: there is none, or it does not make sense. */
  read(origin: WireName): Promise<SavedJournal | null>;
  save(origin: WireName, journal: SavedJournal): void;
  remove(origin: WireName): void;
  close(): Promise<void>;
};

/** Remembers nothing. */
export const NO_JOURNAL: JournalFiles = {
  list: async () => new Set(),
  read: async () => null,
  save: () => {},
  remove: () => {},
  close: async () => {},
};

const SUFFIX = '.journal';

/**
 * A file for each zone in one folder, `{"version":1,"network":"a","digest":…,"steps":["base64",…]}`. `onTrouble` hears
 * of a disk that takes nothing, once until it takes something again: a journal that is lost costs whole transfers only.
 */
export class JournalFolder implements JournalFiles {
  private readonly folder: string;
  private readonly onTrouble: (message: string) => void;
  private readonly waiting = new Map<WireName, SavedJournal | null>();
  private running: Promise<void> | null = null;
  private troubled = false;

  constructor(folder: string, onTrouble: (message: string) => void) {
    this.folder = folder;
    this.onTrouble = onTrouble;
  }

  async list(): Promise<Set<WireName>> {
    const files = await readdir(this.folder).catch(() => []);
    const names = files.filter((file) => file.endsWith(SUFFIX)).map((file) => nameOf(file.slice(0, -SUFFIX.length)));
    return new Set(names.filter((name) => name !== null));
  }

  async read(origin: WireName): Promise<SavedJournal | null> {
    const text = await readFile(this.pathOf(origin), 'utf8').catch(() => null);
    return text === null ? null : parse(text);
  }

  save(origin: WireName, journal: SavedJournal): void {
    this.waiting.set(origin, journal);
    this.running ??= this.work();
  }

  remove(origin: WireName): void {
    this.waiting.set(origin, null);
    this.running ??= this.work();
  }

  async close(): Promise<void> {
    await this.running;
  }

  private async work(): Promise<void> {
    await null; // `running` is set
    for (const [origin, journal] of this.waiting) {
      this.waiting.delete(origin);
      try {
        if (journal === null) await rm(this.pathOf(origin), { force: true });
        else {
          await mkdir(this.folder, { recursive: true });
          await writeAtomic(this.pathOf(origin), format(journal), { syncFolder: false });
        }
        this.troubled = false;
      } catch (error) {
        if (!this.troubled) this.onTrouble(`journal: ${error instanceof Error ? error.message : String(error)}`);
        this.troubled = true;
      }
    }
    this.running = null;
  }

  private pathOf(origin: WireName): string {
    return join(this.folder, `${encodeURIComponent(nameText(origin))}${SUFFIX}`);
  }
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
  return `${JSON.stringify({ version: 1, network, digest, steps: texts })}\n`;
}

function parse(text: string): SavedJournal | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { version, network, digest, steps } = value as Readonly<Record<string, unknown>>;
  if (version !== 1 || typeof digest !== 'number' || !Array.isArray(steps)) return null;
  if (network !== null && typeof network !== 'string') return null;
  const octets = steps.map((step: unknown) => shared(Buffer.from(typeof step === 'string' ? step : '', 'base64')));
  return { network, digest, steps: octets };
}

/** In shared memory, as threads want it. */
function shared(octets: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(octets.length));
  copy.set(octets);
  return copy;
}
