import { type CompletedCommand, type CompletedOption, lastWord, type Value, withCommandsBelow } from './words.ts';

/** A script for fish. */
export function fishCompletion(programs: readonly CompletedCommand[]): string {
  return `# fish completion of ${programs.map(lastWord).join(', ')}; made by: edgewise completion fish

# Whether the command line begins with these words and, with -e, has no further word yet.
function __edgewise_at
    argparse --stop-nonopt e -- $argv
    set -l words (commandline -opc)
    set -l count (count $argv)
    test (count $words) -ge $count; or return 1
    set words[1] $argv[1]
    test "$words[1..$count]" = "$argv"; or return 1
    not set -q _flag_e; or test (count $words) -eq $count
end

# The networks, or the edges, of the configuration that the command line names.
function __edgewise_values
    set -l words (commandline -opc)
    set -l arguments
    for i in (seq (math (count $words) - 1))
        if contains -- $words[$i] -c --config -A --dnet
            set -a arguments (string replace -- --config -c $words[$i] | string replace -- --dnet -A) $words[(math $i + 1)]
        end
    end
    edgewise completion $argv[1] $arguments 2>/dev/null
end
${programs
  .flatMap((program) => ['', ...withCommandsBelow(program).flatMap((one) => linesOf(lastWord(program), one))])
  .join('\n')}
`;
}

function linesOf(program: string, command: CompletedCommand): readonly string[] {
  const begin = `complete -c ${program} -n ${quoted(`__edgewise_at ${command.path}`)}`;
  const first = `complete -c ${program} -n ${quoted(`__edgewise_at -e ${command.path}`)}`;
  return [
    ...command.commands.map((one) => `${first} -f -a ${lastWord(one)} -d ${quoted(one.description)}`),
    ...command.options.map((option) => `${command.commands.length > 0 ? first : begin} ${optionWords(option)}`),
    ...(command.values.length === 0 ? [] : [`${begin}${valueWords(command.values[command.values.length - 1])}`]),
    ...(command.values.length === 0 ? [`${begin} -f`] : []),
  ];
}

function optionWords({ names, description, value }: CompletedOption): string {
  const flags = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  return `${flags.join(' ')}${value.kind === 'none' ? '' : ` -r${valueWords(value)}`} -d ${quoted(description)}`;
}

function valueWords(value: Value): string {
  switch (value.kind) {
    case 'choices':
      return ` -f -a ${quoted(value.choices.join(' '))}`;
    case 'file':
      return ' -F';
    case 'folder':
      return " -f -a '(__fish_complete_directories)'";
    case 'networks':
    case 'edges':
      return ` -f -a ${quoted(`(__edgewise_values ${value.kind})`)}`;
    default:
      return ' -f';
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll(/['\\]/g, '\\$&')}'`;
}
