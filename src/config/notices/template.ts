/** The texts of notices with their placeholders: `{word}`; any other brace is itself. */
import { z } from 'zod';
import { optional, section } from '../fields.ts';
import { key } from '../key-docs.ts';
import { suggest } from '../suggest.ts';

/**
 * Of a message as a whole. `summary`: its only event, or how many there are. `vantage`: the sending vantage's name, and
 * `as_vantage` the same as " (vantage fra1)"; both are empty for a server that decides alone.
 */
export const TITLE_WORDS = [
  'host',
  'vantage',
  'as_vantage',
  'target',
  'summary',
  'events',
  'firing',
  'resolved',
] as const;
/** Of one event. `repeats`: empty, or such as " (3 times)". `until` is empty for what goes on. */
export const LINE_WORDS = [
  'status',
  'event',
  'severity',
  'network',
  'subject',
  'summary',
  'count',
  'repeats',
  'since',
  'until',
] as const;

export type TitleWord = (typeof TITLE_WORDS)[number];
export type LineWord = (typeof LINE_WORDS)[number];
export type Template = { readonly title: string; readonly line: string };

export const DEFAULT_TEMPLATE: Template = {
  title: 'Edgewise on {host}{as_vantage}: {summary}',
  line: '{status}: {summary}{repeats}',
};

const PLACEHOLDER = /\{([A-Za-z_]+)\}/g;
const TEMPLATE_MAX = 1000;

function templateText(words: readonly string[], fallback: string) {
  return optional(
    z
      .string({ error: 'expected a text with placeholders such as {summary}' })
      .min(1, { error: 'expected a text with placeholders such as {summary}' })
      .max(TEMPLATE_MAX, { error: `expected at most ${TEMPLATE_MAX} characters` })
      .superRefine((given, context) => {
        const unknown = [...given.matchAll(PLACEHOLDER)].map(([, word]) => word).find((word) => !words.includes(word));
        if (unknown === undefined) return;
        const meant = suggest(unknown, words);
        const cure =
          meant === null ? `known here: ${words.map((word) => `{${word}}`).join(' ')}` : `did you mean {${meant}}?`;
        context.addIssue({ code: 'custom', message: `unknown placeholder {${unknown}}; ${cure}` });
      }),
    fallback,
  );
}

export const template = optional(
  section({
    title: key(templateText(TITLE_WORDS, DEFAULT_TEMPLATE.title), 'The title of a message.', {
      value: 'a text with placeholders such as {summary}',
    }),
    line: key(templateText(LINE_WORDS, DEFAULT_TEMPLATE.line), 'The line for each event.', {
      value: 'a text with placeholders such as {summary}',
    }),
  }),
  DEFAULT_TEMPLATE,
);

/** The text with each placeholder replaced. */
export function filled<Word extends string>(text: string, values: Readonly<Record<Word, string>>): string {
  const known: Readonly<Record<string, string>> = values;
  return text.replace(PLACEHOLDER, (whole, word: string) => (Object.hasOwn(known, word) ? known[word] : whole));
}
