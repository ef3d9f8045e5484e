/**
 * The queue of one target on disk. A message is noted as under way before it is sent and as sent afterwards; one that is
 * still under way when the file is read was interrupted by the end of the process, and is not sent again (`Gather`).
 */
import { join } from 'node:path';
import { z } from 'zod';
import { EVENT_NAMES, SEVERITIES } from '../../config/notices/events.ts';
import { writeAtomic } from '../../system/atomic-write.ts';
import { errorText } from '../../system/error-text.ts';
import { jsonOf } from '../../system/json-object.ts';
import { FILE_MAX, readFile } from '../../system/read-file.ts';
import { exists, setAside } from '../../system/set-aside.ts';
import { WriteBehind, writeFaults } from '../../system/write-behind.ts';
import { LABELS } from './event.ts';
import { KEYS_MAX, NOTHING_SAVED, type Saved } from './gather.ts';

const VERSION = 1;

/** Epoch seconds that ISO 8601 has four digits of the year for. */
const time = z.number().min(0).max(253_402_300_799);
const labels = z.strictObject(Object.fromEntries(LABELS.map((label) => [label, z.string().optional()])));
const event = z.strictObject({
  name: z.enum([...EVENT_NAMES, 'delivery_in_doubt', 'test']),
  severity: z.enum(SEVERITIES),
  labels,
  summary: z.string(),
});
const entry = z.strictObject({
  event,
  status: z.enum(['firing', 'resolved', 'once']),
  summary: z.string(),
  startsAt: time,
  endsAt: time.nullable(),
  count: z.int().min(0),
});
const entries = z.array(entry).max(2 * KEYS_MAX);
const file = z.strictObject({
  version: z.literal(VERSION),
  sequence: z.int().min(0),
  open: z.array(z.strictObject({ event, startsAt: time })).max(2 * KEYS_MAX),
  pending: entries,
  sending: entries,
  unlisted: z.int().min(0),
});

export type OutboxRead = {
  readonly saved: Saved;
  /** Why what was kept is lost; null: it is not. */
  readonly fault: string | null;
};

/** Path of the queue of the target that is called `name`. */
export function queueFile(folder: string, name: string): string {
  return join(folder, `${name}.json`);
}

/** What a queue holds, for those who only look; null: there is none, or none that can be read. */
export async function readQueue(path: string): Promise<Saved | null> {
  const read = await readFile(path, FILE_MAX.state);
  if (!read.ok) return null;
  const parsed = file.safeParse(jsonOf(read.octets.toString('utf8')));
  return parsed.success ? parsed.data : null;
}

export class Outbox {
  private readonly path: string;
  private readonly work: WriteBehind<string>;
  /** When a queue was found (epoch seconds) that could neither be used nor set aside yet; null: there is none. */
  private inTheWayAt: number | null = null;

  constructor(path: string, onFault: (message: string | null) => void) {
    this.path = path;
    this.work = new WriteBehind<string>({ onFault: (_, message) => onFault(message) });
  }

  /** What was kept; a file that is none is set aside. Never rejects. `at`: epoch seconds. */
  async read(at: number): Promise<OutboxRead> {
    const read = await readFile(this.path, FILE_MAX.state);
    if (!read.ok) {
      if (read.code === 'ENOENT') return { saved: NOTHING_SAVED, fault: null };
      return this.anew(`${this.path}: ${read.message}`, at);
    }
    const parsed = file.safeParse(jsonOf(read.octets.toString('utf8')));
    if (parsed.success) {
      const { version: _, ...saved } = parsed.data;
      return { saved, fault: null };
    }
    return this.anew(`${this.path} is not a queue of notices`, at);
  }

  /** The old queue, which may be whole and unreadable for a moment only, is not written over. */
  private async anew(why: string, at: number): Promise<OutboxRead> {
    const fault = `${why}, so they begin anew`;
    try {
      return { saved: NOTHING_SAVED, fault: `${fault}; it is kept as ${await setAside(this.path, at)}` };
    } catch (error) {
      this.inTheWayAt = at;
      return { saved: NOTHING_SAVED, fault: `${fault}; it cannot be set aside: ${errorText(error)}` };
    }
  }

  private async write(text: string): Promise<void> {
    if (this.inTheWayAt !== null && (await exists(this.path))) await setAside(this.path, this.inTheWayAt);
    this.inTheWayAt = null;
    await writeAtomic(this.path, text);
  }

  /** Behind the caller's back; what is newest by then. */
  save(saved: () => Saved): void {
    this.work.save(this.path, () => this.write(JSON.stringify({ version: VERSION, ...saved() })));
  }

  /** Resolves when what was saved is on disk, or could not be written, which `faults` says. Never rejects. */
  written(): Promise<void> {
    return this.work.idle();
  }

  faults(): readonly string[] {
    return writeFaults('notices cannot be kept across a restart', this.work);
  }

  close(): Promise<void> {
    return this.work.close();
  }
}
