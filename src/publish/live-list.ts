import { writeAtomic } from '../system/atomic-write.ts';
import { FILE_MAX, readFile } from '../system/read-file.ts';

/**
 * Writes the live edges' names, one a line, to `live_list`, unless that is what the file says already: a file that is
 * lost, or that a crash kept from being written, comes back with the next round. Throws the system's error.
 */
export async function writeLiveList(file: string, names: readonly string[]): Promise<void> {
  const text = `${names.join('\n')}\n`;
  const old = await readFile(file, FILE_MAX.state);
  if (!old.ok || old.octets.toString('utf8') !== text) await writeAtomic(file, text);
}
