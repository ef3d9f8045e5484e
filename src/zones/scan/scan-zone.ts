import { problem } from '../text/problem.ts';
import { tokenProblem } from '../text/rdata.ts';
import { TOKEN } from '../text/tokens.ts';
import { scanDirective } from './directive.ts';
import type { ZoneProblem } from './fault.ts';
import { scanHead, scanRdata } from './record.ts';
import type { OpenFile, ScanState } from './state.ts';

const DOLLAR = 0x24;

/**
 * Reads a file to its end, entry by entry. An entry is (RFC 1035 §5.1)
 *
 * ```
 * nothing                                      blanks and comments
 * $DIRECTIVE …                                 from the line's first octet on
 * OWNER [TTL] [CLASS] TYPE DATA                TTL and class in either order
 * blank [TTL] [CLASS] TYPE DATA                the owner is the previous record's
 * ```
 *
 * After a fault the rest of its entry is skipped.
 */
export function scanFile(state: ScanState, file: OpenFile): void {
  const outer = state.file;
  state.file = file;
  const { tokens } = file;
  if (tokens.hasByteOrderMark) {
    state.fault(problem('bad-encoding', 'the file begins with a UTF-8 byte order mark; save it without'));
  }
  while (!tokens.done && !state.stopped) {
    const blank = tokens.startsBlank;
    if (tokens.next() === TOKEN.end) continue;
    tokens.markEntry();
    const failure = tokenProblem(tokens) ?? scanEntry(state, blank);
    if (failure === null) continue;
    state.fault(failure);
    tokens.skipEntry();
  }
  state.file = outer;
}

function scanEntry(state: ScanState, blank: boolean): ZoneProblem | null {
  const { tokens } = state.file;
  if (!blank && tokens.text[tokens.start] === DOLLAR) return scanDirective(state, (file) => scanFile(state, file));
  return scanRecord(state, blank);
}

/** A record; the token last read is its first. */
function scanRecord(state: ScanState, blank: boolean): ZoneProblem | null {
  const { file, rdata, head } = state;
  const { tokens } = file;
  rdata.tokens = tokens;
  rdata.origin = file.origin;
  if (blank) {
    if (state.owner < 0) return problem('no-owner', "a blank owner is the previous record's, and there is none");
    if (file.originChanged) {
      state.warn(problem('owner-inherited', "a blank owner right after $ORIGIN is still the previous record's"));
    }
  } else {
    const failure = state.setOwner(tokens.text, tokens.start, tokens.end);
    if (failure !== null) return failure;
    tokens.next();
  }
  file.originChanged = false;
  return scanHead(rdata, head) ?? scanRdata(rdata, head.type) ?? state.addRecord();
}
