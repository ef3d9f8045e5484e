import { readdirSync } from 'node:fs';
import { nameKey, ROOT, type WireName } from '../../dns/name.ts';
import { systemCode } from '../../system/error-text.ts';
import { ioProblem } from '../../system/io-problem.ts';
import { sameFileStamp } from '../../system/settling.ts';
import { isSettled, type Stamp, stampOf } from './file-cache.ts';

/** A file that is called as zone files are. `origin` null: what it is called is no domain name. */
export type ZoneFile = {
  readonly fileName: string;
  readonly name: string;
  readonly origin: WireName | null;
  readonly isLink: boolean;
  readonly isFolder: boolean;
};

/** `code`: the system's, `ENOENT` for instance. */
export type Listing =
  | { readonly ok: true; readonly files: readonly ZoneFile[] }
  | { readonly ok: false; readonly code: string; readonly message: string };

const SUFFIX = '.zone';

/** Lists folders of zone files. A folder whose time did not move has the files it had: only `stat` is paid for it. */
export class FolderCache {
  private readonly known = new Map<string, { readonly stamp: Stamp; readonly files: readonly ZoneFile[] }>();

  list(folder: string): Listing {
    const stamp = stampOf(folder); // before listing: a later change is then seen as one
    const known = this.known.get(folder);
    if (known !== undefined && sameFileStamp(known.stamp, stamp)) return { ok: true, files: known.files };
    this.known.delete(folder);
    try {
      const files = zoneFiles(folder);
      if (stamp !== null && isSettled(stamp)) this.known.set(folder, { stamp, files });
      return { ok: true, files };
    } catch (error) {
      const message = systemCode(error) === 'ENOENT' ? 'it is gone' : ioProblem(error);
      return { ok: false, code: systemCode(error), message };
    }
  }
}

function zoneFiles(folder: string): readonly ZoneFile[] {
  const entries = readdirSync(folder, { withFileTypes: true });
  const files = entries.filter((entry) => isZoneFile(entry.name));
  files.sort((a, b) => (a.name < b.name ? -1 : 1));
  return files.map((entry) => {
    const fileName = entry.name;
    const text = fileName.slice(0, -SUFFIX.length);
    const origin = text === '' ? null : nameKey(text);
    const name = origin === ROOT ? '.' : text.replace(/\.$/, '');
    return { fileName, name, origin, isLink: entry.isSymbolicLink(), isFolder: entry.isDirectory() };
  });
}

/** Editors and writers keep their temporary files under names with a dot first; `..zone` is the root. */
function isZoneFile(fileName: string): boolean {
  return fileName.endsWith(SUFFIX) && (!fileName.startsWith('.') || fileName === `.${SUFFIX}`);
}
