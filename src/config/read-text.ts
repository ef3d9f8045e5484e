import { isUtf8 } from 'node:buffer';
import { closeSync, openSync, readSync } from 'node:fs';
import { type ConfigFault, fileFault, ioProblem } from './fault.ts';

/** Octets; a list of ten thousand zones makes one. Whatever is larger was named by mistake, or has no end (a device). */
const SIZE_MAX = 16 * 2 ** 20;
const CHUNK = 2 ** 16;

export type ReadText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly fault: ConfigFault };

/** A whole text file in UTF-8; never throws. */
export function readTextFile(file: string): ReadText {
  try {
    const octets = readAtMost(file, SIZE_MAX + 1);
    if (octets.length > SIZE_MAX) {
      const message = `longer than ${SIZE_MAX / 2 ** 20} MiB; no configuration is`;
      return { ok: false, fault: fileFault('error', 'unreadable-file', file, message) };
    }
    const fault = encodingFault(file, octets);
    return fault === null ? { ok: true, text: octets.toString('utf8') } : { ok: false, fault };
  } catch (error) {
    return { ok: false, fault: fileFault('error', 'unreadable-file', file, ioProblem(error)) };
  }
}

/** Pipes have no size to ask for, so it is read until it ends. */
function readAtMost(file: string, limit: number): Buffer {
  const handle = openSync(file, 'r');
  try {
    const chunks: Buffer[] = [];
    for (let length = 0; length < limit; ) {
      const chunk = Buffer.allocUnsafe(CHUNK);
      const count = readSync(handle, chunk);
      if (count === 0) break;
      chunks.push(chunk.subarray(0, count));
      length += count;
    }
    return Buffer.concat(chunks);
  } finally {
    closeSync(handle);
  }
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
