import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { systemCode } from '../../system/error-text.ts';
import { fileError, refusalOf } from '../../system/read-file.ts';

const CHUNK_OCTETS = 1024 * 1024;
const NEWLINE = 10;

/**
 * The lines of a file from its last one to its first, without their ends; none where there is no file. What follows the
 * last newline is a line that is being written, or torn, and is left out. Rejects with the system's error, and where
 * the file is none of at most `maxOctets`.
 */
export async function* linesBackwards(path: string, maxOctets: number): AsyncGenerator<Buffer> {
  const file = await openIfThere(path);
  if (file === null) return;
  try {
    const stats = await file.stat();
    const refused = refusalOf(stats, maxOctets);
    if (refused !== null) throw fileError(path, refused);
    // What is known of the line that began before the present chunk.
    let rest: Buffer[] | null = null;
    for (let end = stats.size; end > 0; ) {
      const start = Math.max(0, end - CHUNK_OCTETS);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(end - start), 0, end - start, start);
      if (bytesRead < end - start) return; // cut off under us
      let to = buffer.length;
      for (let at = buffer.lastIndexOf(NEWLINE); at !== -1; at = at === 0 ? -1 : buffer.lastIndexOf(NEWLINE, at - 1)) {
        if (rest !== null) yield Buffer.concat([buffer.subarray(at + 1, to), ...rest]);
        rest = [];
        to = at;
      }
      if (rest !== null) rest.unshift(buffer.subarray(0, to));
      end = start;
    }
    if (rest !== null) yield Buffer.concat(rest);
  } finally {
    await file.close();
  }
}

/** Without blocking: a pipe in its place would hold up whoever asks. */
async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  }
}
