import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LOG_EVENTS, type LOG_FIELDS } from '../../src/system/log-events.ts';

/**
 * The types hold that nothing is logged that the catalogue has not. Here is the other half: whatever it has is logged by
 * somebody, with each of its fields.
 */

const SRC = join(import.meta.dirname, '../../src');
const SOURCES: readonly string[] = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !/^system\/log-(?:events|reference)\.ts$/.test(file))
  .map((file) => readFileSync(join(SRC, file), 'utf8'));

/** `withFields` puts this one on every line of a network's log. */
const OF_THE_LOG: readonly (keyof typeof LOG_FIELDS)[] = ['network'];

test.each(Object.entries(LOG_EVENTS))('%s is logged, with its fields', (event, { fields }) => {
  const sources = SOURCES.filter((text) => text.includes(`'${event}'`));
  expect(sources.length).toBeGreaterThan(0);
  const isGiven = (field: string): boolean => {
    const name = new RegExp(`\\b${field}\\b(?::|[,\\s]*\\}|,)`); // a property, or the shorthand for one
    return sources.some((text) => name.test(text));
  };
  const missing = fields.filter((field) => !OF_THE_LOG.includes(field) && !isGiven(field));
  expect(missing).toEqual([]);
});
