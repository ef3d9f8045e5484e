const CLASS_NAMES = /^(alnum|alpha|blank|cntrl|digit|graph|lower|print|punct|space|upper|xdigit)$/;
const REPEAT_MAX = 255; // POSIX RE_DUP_MAX

/**
 * Whether the text is a POSIX extended regular expression: the number of its groups, or -1. Branches must not be empty,
 * repetitions must follow something and not each other; `)` without `(` and `{` that begins no bound are plain
 * characters.
 */
export function isExtendedRegexp(text: string): number {
  const open: number[] = []; // where a group's current branch began
  let groups = 0;
  let atom = false; // whether a repetition may follow
  let branchEmpty = true;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    switch (char) {
      case '(':
        open.push(i);
        groups++;
        atom = false;
        branchEmpty = true;
        continue;
      case ')':
        if (open.length > 0) {
          const start = open.pop();
          if (branchEmpty && start !== i - 1) return -1; // `()` is allowed, `(a|)` is not
        }
        atom = true;
        break;
      case '|':
        if (branchEmpty) return -1;
        atom = false;
        branchEmpty = true;
        continue;
      case '^':
        atom = false;
        break;
      case '*':
      case '+':
      case '?':
        if (!atom) return -1;
        atom = false;
        break;
      case '{': {
        if (!/\d/.test(text[i + 1] ?? '')) {
          atom = true;
          break;
        }
        const bound = /^\{(\d+)(?:(,)(\d*))?\}/.exec(text.slice(i));
        if (bound === null || !atom || !isBound(bound)) return -1;
        i += bound[0].length - 1;
        atom = false;
        break;
      }
      case '[': {
        const end = endOfBracket(text, i + 1);
        if (end < 0) return -1;
        i = end;
        atom = true;
        break;
      }
      case '\\': {
        if (i + 1 === text.length) return -1;
        const next = text[++i];
        if (/[1-9]/.test(next) && Number(next) > groups) return -1;
        atom = true;
        break;
      }
      default:
        atom = true;
    }
    branchEmpty = false;
  }
  return branchEmpty || open.length > 0 ? -1 : groups;
}

function isBound([, least, comma, most]: RegExpExecArray): boolean {
  const low = Number(least);
  const high = comma === undefined ? low : most === '' ? REPEAT_MAX : Number(most);
  return low <= high && high <= REPEAT_MAX;
}

/** Where the bracket expression whose inside begins at `from` ends; -1: nowhere, or it is wrong. */
function endOfBracket(text: string, from: number): number {
  let i = text[from] === '^' ? from + 1 : from;
  const first = i;
  let low = ''; // the character that a `-` may make a range of
  for (; i < text.length; i++) {
    if (text[i] === ']' && i > first) return i;
    const special = text[i] === '[' ? text[i + 1] : '';
    if (special === ':' || special === '.' || special === '=') {
      const close = text.indexOf(`${special}]`, i + 2);
      if (close < 0 || close === i + 2) return -1;
      if (special === ':' && !CLASS_NAMES.test(text.slice(i + 2, close))) return -1;
      low = special === '.' ? text.slice(i + 2, close) : '';
      i = close + 1;
      continue;
    }
    if (text[i] === '-' && low !== '' && i + 1 < text.length && text[i + 1] !== ']') {
      const high = text[i + 1];
      if (high === '[' && /[:.=]/.test(text[i + 2] ?? '')) return -1;
      if (high < low) return -1;
      low = '';
      i++;
      continue;
    }
    low = text[i];
  }
  return -1;
}
