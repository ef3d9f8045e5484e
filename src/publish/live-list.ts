import { readFile } from 'node:fs/promises';
import { writeAtomic } from '../system/atomic-write.ts';

/**
 * Writes the live edges' names, one a line, to `live_list`, unless that is what the file says already: a file that is
 * lost, or that a crash kept from being written, comes back with the next round. Throws the system's error.
 */
export async function writeLiveList(file: string, names: readonly string[]): Promise<void> {
  const text = `${names.join('\n')}\n`;
  const old = await readFile(file, 'utf8').catch(() => null);
  if (old !== text) await writeAtomic(file, text);
}
