/** What still waits in the queues on disk, for those who ask without the server. */
import { join } from 'node:path';
import type { Config } from '../../config/types.ts';
import { moment } from '../../health/judge/reason.ts';
import type { Saved } from './gather.ts';
import { queueFile, readQueue } from './outbox.ts';

/** Events of one network that a target was not sent yet. `since`: of the oldest, epoch seconds. */
export type WaitingNotices = { readonly target: string; readonly events: number; readonly since: number };

/** Of every target of the configuration, those of the server's queues and of the network's own runs. */
export async function waitingNotices(
  { stateDir, notices }: Pick<Config, 'stateDir' | 'notices'>,
  network: string,
): Promise<readonly WaitingNotices[]> {
  const folders = [join(stateDir, 'notices'), join(stateDir, 'notices', 'runs', network)];
  const found: WaitingNotices[] = [];
  for (const { name } of notices) {
    const queues = await Promise.all(folders.map((folder) => readQueue(queueFile(folder, name))));
    const times = queues.flatMap((saved) => (saved === null ? [] : waitingSince(saved, network)));
    if (times.length > 0) found.push({ target: name, events: times.length, since: Math.min(...times) });
  }
  return found;
}

function waitingSince({ pending, sending }: Saved, network: string): readonly number[] {
  return [...pending, ...sending].flatMap(({ event, startsAt }) =>
    event.labels.network === network ? [startsAt] : [],
  );
}

/** A sentence for people. */
export function waitingText({ target, events, since }: WaitingNotices): string {
  const what = events === 1 ? '1 event waits' : `${events} events wait`;
  return `notices: ${target}: ${what} to be sent, the oldest since ${moment(since)}; /healthz and the log say why`;
}
