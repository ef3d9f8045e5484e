import { lstatSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

const LINKS_MAX = 40; // as many as Linux follows

/**
 * The file behind a chain of links, there or not yet, as opening the path for writing would find it. Root follows
 * somebody else's link only to what is theirs too: one in a folder that another user may write must not turn our next
 * change into their change of /etc/passwd. Throws the system's error, and for a link that is not followed.
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
    // What is not there yet is its folder's owner's to make.
    const owner = makers.size === 0 ? 0 : (found ?? statSync(dirname(target))).uid;
    const stranger = [...makers].find((uid) => uid !== owner);
    if (stranger === undefined) return target;
    throw new Error(`${file} is a link by user ${stranger} to ${target}, which is not theirs; root does not follow it`);
  }
  throw new Error(`${file}: too many links`);
}
