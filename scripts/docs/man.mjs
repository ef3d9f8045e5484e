// Man pages of section 1 from the commands themselves, a page for each command, as git has it.

import { item, paragraphs, roff, titled } from './roff.mjs';

export async function documents() {
  const { everyProgram } = await import('../../dist/cli/main.js');
  const { manualOf } = await import('../../dist/cli/manual.js');
  const { version } = await import('../../dist/system/version.js');
  const pages = (await everyProgram()).flatMap((program) => commandPages(program, []));
  const named = (path) => `${path.join('-')}.1`;
  return pages.map(({ command, path, around }) => ({
    file: `man/${named(path)}`,
    make: () => page({ command, path, around, manual: manualOf(path.join(' ')), version: version() }),
  }));
}

/** A command and those below it: `path` is what is typed. */
function commandPages(command, before) {
  const path = [...before, command.name()];
  return [{ command, path, around: before }, ...command.commands.flatMap((one) => commandPages(one, path))];
}

function page({ command, path, around, manual, version }) {
  const typed = path.join(' ');
  const help = command.createHelp();
  const [argumentRows, optionRows] = [help.visibleArguments(command), help.visibleOptions(command)];
  const sections = [
    `.\\" Made by npm run docs.`,
    `.TH ${path.join('-').toUpperCase()} 1 "" "Edgewise ${version}" "Edgewise"`,
    '.nh', // neither break names and options, nor stretch lines
    '.ad l',
    '.SH NAME',
    `${roff(path.join('-'))} \\- ${roff(lowerFirst(command.description()))}`,
    '.SH SYNOPSIS',
    `.B ${roff(typed)}`,
    ...synopsis(command),
    '.SH DESCRIPTION',
    ...paragraphs([sentence(command.description()), ...(manual?.about ?? [])]),
    ...titled(
      'COMMANDS',
      command.commands.flatMap((one) =>
        item(`.BR ${roff([...path, one.name()].join('-'))} (1)`, sentence(one.description())),
      ),
    ),
    ...titled(
      'ARGUMENTS',
      argumentRows.flatMap((one) => item(`.I ${roff(one.name())}`, sentence(help.argumentDescription(one)))),
    ),
    ...titled(
      'OPTIONS',
      optionRows.flatMap((one) => item(optionTag(one), sentence(help.optionDescription(one)))),
    ),
    ...titled(
      'EXIT STATUS',
      (manual?.statuses ?? []).flatMap(([status, meaning]) => item(`.B ${status}`, sentence(meaning))),
    ),
    ...titled(
      'FILES',
      optionRows
        .filter(({ long, defaultValueDescription }) => long === '--config' && defaultValueDescription !== undefined)
        .flatMap(() => [
          ...item('.I /etc/edgemanage/edgemanage.yaml', 'The configuration, unless another is named.'),
          ...item('.I /etc/edgewise/edgewise.yaml', 'The configuration where the first is not there.'),
        ]),
    ),
    ...titled(
      'EXAMPLES',
      (manual?.examples ?? []).flatMap(([line, meaning]) => item(`.B ${roff(line)}`, sentence(meaning))),
    ),
    ...titled('SEE ALSO', seeAlso(command, path, around)),
  ];
  return `${sections.join('\n')}\n`;
}

function synopsis(command) {
  const help = command.createHelp();
  const shown = help.visibleOptions(command).length > 0 ? ['.RI [ options ]'] : [];
  if (command.commands.length > 0) return [...shown, '.I command'];
  const required = command.options
    .filter(({ mandatory }) => mandatory)
    .map(({ short, long, flags }) => `.BI ${roff(short ?? long)} " ${roff(/[<[]([^>\]]+)/.exec(flags)?.[1] ?? '')}"`);
  const values = command.registeredArguments.map((one) =>
    one.required ? `.I ${roff(one.name())}` : `.RI [ ${roff(one.name())} ]`,
  );
  return [...required, ...shown, ...values];
}

/** `-A, --dnet <network>` with the option bold and its value in italics. */
function optionTag({ flags }) {
  const [, names, value] = /^([^<[]+?)\s*([<[].*)?$/.exec(flags);
  const bold = names.split(', ').map((name) => `\\fB${roff(name)}\\fR`);
  const italic = value === undefined ? '' : ` \\fI${roff(value.replaceAll(/[<>[\]]/g, ''))}\\fR`;
  return `${bold.join(', ')}${italic}`;
}

function seeAlso(command, path, around) {
  const others = [
    ...(around.length > 0 ? [around.join('-')] : []),
    ...command.commands.map((one) => [...path, one.name()].join('-')),
    ...(SAME[path.join(' ')] ?? []),
  ];
  if (path[0] !== 'edgewise' && path[0] !== 'goavail') others.push('edgewise');
  return [...new Set(others)].sort().map((name, i, all) => `.BR ${roff(name)} (1)${i < all.length - 1 ? ',' : ''}`);
}

/** The two names of one command. */
const SAME = {
  'edgewise run': ['edge_manage'],
  edge_manage: ['edgewise-run'],
  'edgewise query': ['edge_query'],
  edge_query: ['edgewise-query'],
  'edgewise mode': ['edge_conf'],
  edge_conf: ['edgewise-mode'],
  goavail: ['edgewise-convert'],
  'edgewise convert': ['goavail-monitor'],
};

function sentence(text) {
  // A name of a file or key keeps its small letter.
  const first = /^[a-z]+[\s,;:]/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
  return /[.?!]$/.test(first) ? first : `${first}.`;
}

/** A proper name at the beginning keeps its capital. */
function lowerFirst(text) {
  return /^(DNS|Edgewise)\b/.test(text) ? text : text.charAt(0).toLowerCase() + text.slice(1);
}
