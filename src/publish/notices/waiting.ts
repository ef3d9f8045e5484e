/** What still waits in the queues on disk, for those who ask without the server. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../../config/types.ts';
import { moment } from '../../health/judge/reason.ts';
import type { Saved } from './gather.ts';
import { queueFile, readQueue } from './outbox.ts';

/** Folders that are looked into; more than anybody runs servers on one machine. */
const FOLDERS_MAX = 256;

/** Events of one network that a target was not sent yet. `since`: of the oldest, epoch seconds. */
export type WaitingNotices = { readonly target: string; readonly events: number; readonly since: number };

/** Of every target of the configuration, those of the server's queues and of the network's own runs. */
export async function waitingNotices(
  { stateDir, notices }: Pick<Config, 'stateDir' | 'notices'>,
  network: string,
): Promise<readonly WaitingNotices[]> {
  const all = join(stateDir, 'notices');
  const folders = [all, ...(await foldersIn(all)), join(all, 'runs', network)];
  const found: WaitingNotices[] = [];
  for (const { name } of notices) {
    const queues = await Promise.all(folders.map((folder) => readQueue(queueFile(folder, name))));
    const times = queues.flatMap((saved) => (saved === null ? [] : waitingSince(saved, network)));
    if (times.length > 0) found.push({ target: name, events: times.length, since: Math.min(...times) });
  }
  return found;
}

/** Servers that serve some networks only have one each (`src/app/notices-part.ts`). */
async function foldersIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  return names.slice(0, FOLDERS_MAX).map((name) => join(folder, name));
}

function waitingSince({ pending, sending }: Saved, network: string): readonly number[] {
  return [...pending, ...sending].flatMap(({ event, startsAt, endsAt }) =>
    event.labels.network === network ? [endsAt ?? startsAt] : [],
  );
}

/** A sentence for people. */
export function waitingText({ target, events, since }: WaitingNotices): string {
  const what = events === 1 ? '1 event waits' : `${events} events wait`;
  return `notices: ${target}: ${what} to be sent, the oldest since ${moment(since)}; /healthz and the log say why`;
}
