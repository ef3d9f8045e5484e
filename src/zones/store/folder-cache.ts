import { readdirSync } from 'node:fs';
import { nameKey, ROOT, type WireName } from '../../dns/name.ts';
import { isSettled, type Stamp, sameStamp, stampOf } from './file-cache.ts';

/** A file that is called as zone files are. `origin` null: what it is called is no domain name. */
export type ZoneFile = {
  readonly fileName: string;
  readonly name: string;
  readonly origin: WireName | null;
  readonly isLink: boolean;
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
    if (known !== undefined && sameStamp(known.stamp, stamp)) return { ok: true, files: known.files };
    this.known.delete(folder);
    try {
      const files = zoneFiles(folder);
      if (stamp !== null && isSettled(stamp)) this.known.set(folder, { stamp, files });
      return { ok: true, files };
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : '';
      return { ok: false, code, message: error instanceof Error ? error.message : String(error) };
    }
  }
}

function zoneFiles(folder: string): readonly ZoneFile[] {
  const entries = readdirSync(folder, { withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory() && isZoneFile(entry.name));
  files.sort((a, b) => (a.name < b.name ? -1 : 1));
  return files.map((entry) => {
    const fileName = entry.name;
    const text = fileName.slice(0, -SUFFIX.length);
    const origin = text === '' ? null : nameKey(text);
    return { fileName, name: origin === ROOT ? '.' : text.replace(/\.$/, ''), origin, isLink: entry.isSymbolicLink() };
  });
}

/** Editors and writers keep their temporary files under names with a dot first; `..zone` is the root. */
function isZoneFile(fileName: string): boolean {
  return fileName.endsWith(SUFFIX) && (!fileName.startsWith('.') || fileName === `.${SUFFIX}`);
}
