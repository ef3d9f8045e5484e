import { lstatSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileError, NOT_A_FILE, refusalOf } from './read-file.ts';

const LINKS_MAX = 40; // as many as Linux follows

/**
 * The file behind a chain of links, there or not yet, as opening the path for writing would find it. Root follows
 * somebody else's link only to what is theirs too: one in a folder that another user may write must not turn our next
 * change into their change of /etc/passwd. Nor is anything replaced but a regular file: root may rename a file over
 * /dev/null. Throws the system's error, for a link that is not followed and for what is not replaced.
 */
export function writeTarget(file: string): string {
  const isRoot = process.getuid?.() === 0;
  const makers = new Set<number>();
  let target = file;
  for (let links = 0; links < LINKS_MAX; links++) {
    const found = lstatSync(target, { throwIfNoEntry: false });
    if (found?.isSymbolicLink() === true) {
      if (isRoot && found.uid !== 0) makers.add(found.uid);
      target = resolve(realpathSync(dirname(target)), readlinkSync(target));
      continue;
    }
    const refusal = found === undefined ? null : refusalOf(found, Number.POSITIVE_INFINITY);
    if (refusal?.code === NOT_A_FILE) throw fileError(target, refusal);
    // What is not there yet is its folder's owner's to make.
    const owner = makers.size === 0 ? 0 : (found ?? statSync(dirname(target))).uid;
    const stranger = [...makers].find((uid) => uid !== owner);
    if (stranger === undefined) return target;
    throw new Error(`${file} is a link by user ${stranger} to ${target}, which is not theirs; root does not follow it`);
  }
  throw new Error(`${file}: too many links`);
}
