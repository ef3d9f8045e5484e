import { replayedSafety } from '../../config/section-safety.ts';
import type { Rules } from '../choose/round.ts';
import type { ReplayRules } from './replay.ts';

export type Settings =
  | { readonly ok: true; readonly rules: ReplayRules }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Rules that are one number. */
type NumberRule = { [Rule in keyof Rules]-?: Rules[Rule] extends number ? Rule : never }[keyof Rules];
type Setting = NumberRule | 'rise' | 'fall';

/** Configuration keys that a replay can set and that are one number, and the rule behind each. */
const KEYS: ReadonlyMap<string, { readonly rule: Setting; readonly whole: boolean; readonly least: number }> = new Map([
  ['goodenough', { rule: 'goodenough', whole: false, least: 0 }],
  ['timeout', { rule: 'timeout', whole: false, least: 0 }],
  ['edge_count', { rule: 'edgeCount', whole: true, least: 1 }],
  ['dnschange_maxfreq', { rule: 'maxfreq', whole: true, least: 1 }],
  ['canary_killer', { rule: 'canaryKiller', whole: true, least: 0 }],
  ['rise', { rule: 'rise', whole: true, least: 1 }],
  ['fall', { rule: 'fall', whole: true, least: 1 }],
]);
/** The others: a judge without numbers, and the network's rules of `safety`. */
const JUDGE = 'judge';
const SAFETY = ['fill', 'min_up', 'below', 'hold_up'];

export const REPLAYED_KEYS: readonly string[] = [...KEYS.keys(), JUDGE, ...SAFETY];

/** Reads `KEY=VALUE` words with the configuration's own keys. Reports every problem. */
export function replaySettings(words: readonly string[]): Settings {
  const problems: string[] = [];
  const numbers: { -readonly [Rule in Setting]?: number } = {};
  let judge: string | null = null;
  const safety: Record<string, string> = {};
  for (const word of words) {
    const [key, value = ''] = word.split(/=(.*)/s);
    const known = KEYS.get(key);
    const number = /^\d+(?:\.\d+)?$|^\.\d+$/.test(value) ? Number(value) : Number.NaN;
    if (SAFETY.includes(key)) safety[key] = value;
    else if (key === JUDGE) judge = value;
    else if (known === undefined) problems.push(`"${key}" cannot be replayed; can be set: ${REPLAYED_KEYS.join(', ')}`);
    else if (Number.isNaN(number) || number < known.least || (!known.whole && number === 0)) {
      problems.push(
        `${key} must be a number${known.whole ? ` of at least ${known.least}` : ' of seconds over 0'}, not "${value}"`,
      );
    } else if (known.whole && !Number.isInteger(number)) problems.push(`${key} must be a whole number, not ${value}`);
    else numbers[known.rule] = number;
  }
  const { rise, fall, ...rules } = numbers;
  const isGiven = (key: string): boolean => words.some((word) => word.startsWith(`${key}=`));
  if (rules.goodenough !== undefined && rules.timeout !== undefined && rules.goodenough >= rules.timeout) {
    problems.push(`goodenough ${rules.goodenough} must be less than timeout ${rules.timeout}`);
  }
  if (judge !== null && judge !== 'goodenough')
    problems.push(`judge must be goodenough, or rise and fall, not "${judge}"`);
  if (isGiven('rise') !== isGiven('fall')) problems.push('rise and fall must be set together');
  if (judge !== null && rise !== undefined)
    problems.push('judge=goodenough counts no results: leave out rise and fall');
  const found = replayedSafety(safety);
  if (!found.ok) problems.push(...found.problems);
  if (problems.length > 0 || !found.ok) return { ok: false, problems };
  const counting = rise === undefined || fall === undefined ? null : ({ kind: 'rise_fall', rise, fall } as const);
  return {
    ok: true,
    rules: {
      ...rules,
      ...(judge === null ? {} : { judge: { kind: 'goodenough' } }),
      ...(counting === null ? {} : { judge: counting }),
      ...(Object.keys(safety).length === 0 ? {} : { safety: found.rules }),
    },
  };
}
