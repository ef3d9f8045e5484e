import type { Rules } from '../health/choose/round.ts';

export type Settings =
  | { readonly ok: true; readonly rules: Partial<Rules> }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Rules that are one number. */
type NumberRule = { [Rule in keyof Rules]-?: Rules[Rule] extends number ? Rule : never }[keyof Rules];

/** Configuration keys that a replay can set, and the rule behind each. */
const KEYS: ReadonlyMap<string, { readonly rule: NumberRule; readonly whole: boolean; readonly least: number }> =
  new Map([
    ['goodenough', { rule: 'goodenough', whole: false, least: 0 }],
    ['timeout', { rule: 'timeout', whole: false, least: 0 }],
    ['edge_count', { rule: 'edgeCount', whole: true, least: 1 }],
    ['dnschange_maxfreq', { rule: 'maxfreq', whole: true, least: 1 }],
    ['canary_killer', { rule: 'canaryKiller', whole: true, least: 0 }],
  ]);

/** Reads `KEY=VALUE` words with the configuration's own keys. Reports every problem. */
export function replaySettings(words: readonly string[]): Settings {
  const problems: string[] = [];
  const rules: { -readonly [Rule in NumberRule]?: number } = {};
  for (const word of words) {
    const [key, value = ''] = word.split(/=(.*)/s);
    const known = KEYS.get(key);
    const number = /^\d+(?:\.\d+)?$|^\.\d+$/.test(value) ? Number(value) : Number.NaN;
    if (known === undefined) problems.push(`"${key}" cannot be replayed; can be set: ${[...KEYS.keys()].join(', ')}`);
    else if (Number.isNaN(number) || number < known.least || (!known.whole && number === 0)) {
      problems.push(
        `${key} must be a number${known.whole ? ` of at least ${known.least}` : ' of seconds over 0'}, not "${value}"`,
      );
    } else if (known.whole && !Number.isInteger(number)) problems.push(`${key} must be a whole number, not ${value}`);
    else rules[known.rule] = number;
  }
  if (rules.goodenough !== undefined && rules.timeout !== undefined && rules.goodenough >= rules.timeout) {
    problems.push(`goodenough ${rules.goodenough} must be less than timeout ${rules.timeout}`);
  }
  return problems.length === 0 ? { ok: true, rules } : { ok: false, problems };
}
