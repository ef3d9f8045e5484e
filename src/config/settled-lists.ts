import { FILE_MAX, type ReadFailure, readFileNow } from '../system/read-file.ts';
import { type FileStamp, losesMuch, SETTLE, type SettleTimes, Settling } from '../system/settling.ts';

/** `againMs`: the text is the one before, since the file is still being written or looks cut off; `note` says so. */
export type ListText =
  | { readonly ok: true; readonly text: string }
  | {
      readonly ok: true;
      readonly text: string;
      readonly againMs: number;
      readonly note: string;
      readonly overdue: boolean;
    }
  | ReadFailure;

/**
 * Reads lists that are watched. While a list that was good before is being written, or looks cut off, the one before is
 * given: half a list would take its other edges out of the answers.
 */
export class SettledLists {
  private readonly settling: Settling;
  private readonly good = new Map<string, { readonly text: string; readonly stamp: FileStamp }>();

  constructor(times: SettleTimes = SETTLE) {
    this.settling = new Settling(times);
  }

  read(file: string): ListText {
    const read = readFileNow(file, FILE_MAX.config);
    if (!read.ok) return read;
    const text = read.octets.toString('utf8');
    const good = this.good.get(file);
    if (good !== undefined && good.text !== text) {
      const cut = looksCut(good.text, text);
      const quietMs = this.settling.waitMs(file, read.stats, good.stamp, null);
      const againMs = cut === null ? quietMs : Math.max(quietMs, this.settling.doubtMs(file, read.stats, null));
      if (againMs > 0) {
        const note = `may still be being written${cut === null ? '' : ` (${cut})`}: the list before stays in use`;
        return { ok: true, text: good.text, againMs, note, overdue: this.settling.isOverdue(file) };
      }
    }
    this.settling.forget(file);
    this.good.set(file, { text, stamp: read.stats });
    return { ok: true, text };
  }
}

function looksCut(before: string, after: string): string | null {
  if (after !== '' && !after.endsWith('\n')) return 'it ends in the middle of a line';
  const [had, has] = [linesOf(before), linesOf(after)];
  return losesMuch(had, has) ? `${has} lines instead of ${had}` : null;
}

function linesOf(text: string): number {
  return text.split('\n').filter((line) => line.trim() !== '').length;
}
