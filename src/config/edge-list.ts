/** An edge list: one host name or address a line, blank lines and `#` lines skipped. */
import { isIP } from 'node:net';
import { addressKey } from '../system/address.ts';
import { isHostName } from '../system/host-name.ts';
import { unfitAddress } from '../system/unfit-address.ts';
import type { ConfigFault } from './fault.ts';

export type EdgeLine = { readonly edge: string; readonly file: string; readonly line: number };

/**
 * Edges in file order, spelled as written: the names of their health files depend on it. An indented `#` also begins a
 * comment, with a warning: the original took such a line for an edge, which could only fail.
 */
export function parseEdgeList(
  file: string,
  text: string,
): { readonly edges: readonly EdgeLine[]; readonly faults: readonly ConfigFault[] } {
  const edges: EdgeLine[] = [];
  const faults: ConfigFault[] = [];
  for (const [i, raw] of text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .entries()) {
    const row = raw.replace(/\r$/, '');
    const edge = row.trim();
    if (edge === '' || row.startsWith('#')) continue;
    const at = { file, line: i + 1, col: row.indexOf(edge) + 1, text: row };
    if (edge.startsWith('#')) {
      const message = 'an indented # is read as a comment here; edgemanage took this line for an edge';
      faults.push({ severity: 'warning', code: 'edge-name', at, message });
    } else if (isEdgeName(edge)) {
      const unfit = isIP(edge) === 0 ? null : unfitAddress(edge);
      if (unfit === null) edges.push({ edge, file, line: i + 1 });
      else
        faults.push({ severity: 'error', code: 'edge-name', at, message: `${edge} cannot be an edge: it is ${unfit}` });
    } else {
      const message = `expected one host name or address, got ${JSON.stringify(edge)}`;
      faults.push({ severity: 'error', code: 'edge-name', at, message });
    }
  }
  return { edges, faults };
}

/** A host name or an address without zone index; in particular a safe file name. */
function isEdgeName(text: string): boolean {
  return isIP(text) !== 0 ? !text.includes('%') : isHostName(text);
}

/** One key per edge however it is spelled: names in lower case without final dot, addresses by their octets. */
export function edgeKey(edge: string): string {
  return addressKey(edge) ?? edge.toLowerCase().replace(/\.$/, '');
}

/** The first of each edge; the others are warnings. */
export function withoutDuplicates(lines: readonly EdgeLine[]): {
  readonly edges: readonly string[];
  readonly faults: readonly ConfigFault[];
} {
  const first = new Map<string, EdgeLine>();
  const faults: ConfigFault[] = [];
  for (const { edge, file, line } of lines) {
    const key = edgeKey(edge);
    const before = first.get(key);
    if (before === undefined) {
      first.set(key, { edge, file, line });
      continue;
    }
    const message = `${edge} is listed before, in ${before.file}:${before.line}`;
    faults.push({ severity: 'warning', code: 'duplicate-edge', at: { file, line, col: 1, text: edge }, message });
  }
  return { edges: Array.from(first.values(), ({ edge }) => edge), faults };
}
