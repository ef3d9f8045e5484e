import type { Command } from 'commander';
import { beforeAll, expect, test } from 'vitest';
import { everyProgram } from '../../src/cli/main.ts';
import { everyKey, referenceKeys } from '../../src/config/key-reference.ts';
import { configSchema } from '../../src/config/load.ts';
import { LOG_EVENTS } from '../../src/system/log-events.ts';
import { blocksOf, documents, readDocument } from '../support/documents.ts';

/** Commands, options and keys that documents mention in passing exist. */

/** What was true of earlier versions is in the history. */
const DOCUMENTS = documents().filter((file) => file !== 'CHANGELOG.md');
let programs: readonly Command[] = [];
beforeAll(async () => {
  programs = await everyProgram();
});

const PROGRAM = /^(?:edgewise|edge_manage|edge_query|edge_conf|goavail)(?= |$)/;
/** The line that a server prints. */
const NO_COMMAND = /^edgewise ready /;

function spans(file: string): readonly string[] {
  const inText = [...readDocument(file).matchAll(/(?<!`)`([^`\n]+)`(?!`)/g)].map(([, code]) => code);
  const inBlocks = blocksOf(file)
    .filter(({ language }) => language === 'sh')
    .flatMap(({ text }) => text.split('\n'));
  return [...inText, ...inBlocks.map((line) => line.trim().replace(/\s+# .*$/, ''))];
}

/** What is wrong with a command as it is written; null: nothing. */
function commandFault(line: string): string | null {
  const words = line
    .replace(/\s*(?:\||>|&&).*$/, '')
    .split(/\s+/)
    .map((word) => word.replaceAll(/^[["'(]+|[\])"',]+$/g, ''));
  let command = programs.find((one) => one.name() === words[0]);
  if (command === undefined) return `no program ${words[0]}`;
  for (const [i, word] of words.slice(1).entries()) {
    const below: Command | undefined = command.commands.find((one) => one.name() === word);
    if (below !== undefined) {
      command = below;
    } else if (i === 0 && command.commands.length > 0 && /^[a-z]{3,}$/.test(word)) {
      return `no command ${word}`;
    } else if (/^--?[A-Za-z]/.test(word)) {
      const [name] = word.split(/[=|]/);
      const known = command.options.some(({ short, long }) => short === name || long === name);
      if (!known && !['-h', '--help', '-V', '--version'].includes(name)) return `no option ${name}`;
    }
  }
  return null;
}

test.each(DOCUMENTS)('the commands of %s exist', (file) => {
  const found = spans(file)
    .filter((line) => PROGRAM.test(line) && !NO_COMMAND.test(line))
    .flatMap((line) => commandFault(line) ?? [])
    .map((fault) => `${fault}`);
  expect(found).toEqual([]);
});

test.each([
  ['edgewise explain -A mynet [EDGE]', null],
  ['edgewise cluster override --for 1h', null],
  ['edgewise explian -A mynet', 'no command explian'],
  ['edgewise explain --network mynet', 'no option --network'],
  ['edge_conf --until=18:00', null],
])('%s', (line, fault) => {
  expect(commandFault(line)).toBe(fault);
});

/** Keys by their whole path from the top, as pages write them: `server.listen`. */
const KEYS = referenceKeys(configSchema);
const PATHS = new Set(everyKey(KEYS).map(({ path }) => path.replaceAll(/\[\]|\.NETWORK|\.of(?=\[)/g, '')));
/** Fields of the API whose names look like keys. */
const FIELDS = ['safety.uplink'];
const TOPS = new Set(KEYS.filter(({ below }) => below.keys.length > 0).map(({ name }) => name));

test.each(DOCUMENTS)('the keys of %s exist', (file) => {
  const unknown = spans(file).filter((text) => {
    const path = /^([a-z_]+)\.[a-z_]+(?:\.[a-z_]+)*$/.exec(text);
    return (
      path !== null &&
      TOPS.has(path[1]) &&
      !PATHS.has(text) &&
      !FIELDS.includes(text) &&
      !Object.hasOwn(LOG_EVENTS, text)
    );
  });
  expect(unknown).toEqual([]);
});
