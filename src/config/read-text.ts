import { isUtf8 } from 'node:buffer';
import { FILE_MAX, readInput } from '../system/read-file.ts';
import { type ConfigFault, fileFault } from './fault.ts';

export type ReadText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly fault: ConfigFault };

/** A whole text file in UTF-8, or a pipe that the shell handed over; never throws. */
export function readTextFile(file: string): ReadText {
  const read = readInput(file, FILE_MAX.config);
  if (!read.ok) return { ok: false, fault: fileFault('error', 'unreadable-file', file, read.message) };
  const fault = encodingFault(file, read.octets);
  return fault === null ? { ok: true, text: read.octets.toString('utf8') } : { ok: false, fault };
}

/** The first place that is not UTF-8: replaced by a sign of its own, it might end up in a path or a name. */
function encodingFault(file: string, octets: Buffer): ConfigFault | null {
  if (isUtf8(octets)) return null;
  let line = 1;
  let start = 0;
  for (;;) {
    const lineEnd = octets.indexOf(0x0a, start);
    const row = octets.subarray(start, lineEnd === -1 ? octets.length : lineEnd);
    if (!isUtf8(row) || lineEnd === -1) {
      const text = row.toString('utf8');
      const col = text.indexOf('\uFFFD') + 1;
      const message = 'this is not UTF-8; save the file in that encoding';
      return { severity: 'error', code: 'unreadable-file', at: { file, line, col, text: '' }, message };
    }
    start = lineEnd + 1;
    line++;
  }
}
