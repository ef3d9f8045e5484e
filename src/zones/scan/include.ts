import { isAbsolute, relative, resolve, sep } from 'node:path';
import { problem } from '../text/problem.ts';
import type { ZoneProblem } from './fault.ts';

/** An included file's octets, or why there are none, for the operator. */
export type Included =
  | { readonly ok: true; readonly text: Uint8Array }
  | { readonly ok: false; readonly message: string };

function isBelow(path: string, folder: string): boolean {
  const below = relative(folder, path);
  return below !== '' && below !== '..' && !below.startsWith(`..${sep}`) && !isAbsolute(below);
}

const DEPTH_MAX = 20;
const COUNT_MAX = 10_000; // files that include each other's like twice would grow without end within the depth

/** Which files of one reading were included, and which are open now. */
export class IncludeLog {
  /** Absolute paths, each once, those that could not be read too. */
  readonly paths = new Set<string>();
  private readonly open: string[] = [];
  private count = 0;

  /**
   * Resolves the path that `$INCLUDE` names, relative to `root`, and opens it, or says why not: it lies neither below
   * `root` nor below one of `others`, or is open already.
   */
  enter(name: string, root: string | null, others: readonly string[]): { readonly path: string } | ZoneProblem {
    if (root === null) return problem('include-outside', '$INCLUDE is not allowed here');
    const path = resolve(root, name);
    if (name.includes('\0') || ![root, ...others].some((folder) => isBelow(path, folder))) {
      const where = others.length === 0 ? root : `${root} and the folders of include_dirs`;
      return problem('include-outside', `"${name}" lies outside ${where}; include_dirs can name its folder`);
    }
    if (this.open.includes(path)) return problem('include-cycle', `"${name}" includes itself`);
    if (this.open.length >= DEPTH_MAX)
      return problem('include-depth', `files include each other over ${DEPTH_MAX} deep`);
    if (++this.count > COUNT_MAX) return problem('include-depth', `over ${COUNT_MAX} files included`);
    this.paths.add(path);
    this.open.push(path);
    return { path };
  }

  leave(): void {
    this.open.pop();
  }
}
