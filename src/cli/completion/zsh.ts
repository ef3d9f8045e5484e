import { type CompletedCommand, type CompletedOption, lastWord, type Value, withCommandsBelow } from './words.ts';

/** A completion function for zsh, to be `_edgewise` in a folder of `fpath`. */
export function zshCompletion(programs: readonly CompletedCommand[]): string {
  return `#compdef ${programs.map(lastWord).join(' ')}
# made by: edgewise completion zsh

_edgewise_values() {
  local -a names arguments
  local -i at
  at=\${words[(i)(-c|--config)]}
  ((at < CURRENT - 1)) && arguments+=(-c "\${words[at+1]}")
  at=\${words[(i)(-A|--dnet)]}
  ((at < CURRENT - 1)) && arguments+=(-A "\${words[at+1]}")
  names=("\${(@f)$(edgewise completion "$1" $arguments 2>/dev/null)}")
  compadd -- $names
}
${programs.flatMap(withCommandsBelow).map(commandFunction).join('')}
case $service in
${programs.map((one) => `  ${lastWord(one)}) ${functionName(one)} "$@" ;;`).join('\n')}
esac
`;
}

function commandFunction(command: CompletedCommand): string {
  const specs = command.options.map(optionSpec);
  if (command.commands.length === 0) {
    const values = command.values.map((value, i) => quoted(`${i + 1}:${label(value)}:${action(value)}`));
    return `
${functionName(command)}() {
  _arguments -S \\
    ${[...specs, ...values].join(' \\\n    ')}
}
`;
  }
  const below = command.commands;
  return `
${functionName(command)}() {
  local state line
  local -a commands
  commands=(
    ${below.map((one) => quoted(`${lastWord(one)}:${one.description.replaceAll(':', '\\:')}`)).join('\n    ')}
  )
  _arguments -C -S \\
    ${[...specs, "'1: :->command'", "'*:: :->rest'"].join(' \\\n    ')}
  case $state in
    command) _describe command commands ;;
    rest)
      case $line[1] in
${below.map((one) => `        ${lastWord(one)}) ${functionName(one)} ;;`).join('\n')}
      esac
      ;;
  esac
}
`;
}

function functionName({ path }: CompletedCommand): string {
  return `_edgewise_of_${path.replaceAll(/[^a-z_]/g, '_')}`;
}

function optionSpec({ names, description, value }: CompletedOption): string {
  const text = `[${description.replaceAll(/[[\]\\:]/g, '\\$&')}]${value.kind === 'none' ? '' : `:${label(value)}:${action(value)}`}`;
  if (names.length === 1) return quoted(`*${names[0]}${text}`);
  return `${quoted(`(${names.join(' ')})`)}{${names.join(',')}}${quoted(text)}`;
}

function label({ kind }: Value): string {
  return kind === 'choices' ? 'value' : kind;
}

function action(value: Value): string {
  switch (value.kind) {
    case 'choices':
      return `(${value.choices.join(' ')})`;
    case 'file':
      return '_files';
    case 'folder':
      return '_files -/';
    case 'networks':
    case 'edges':
      return ` _edgewise_values ${value.kind}`; // after a space it is called with these words and no more
    default:
      return ' ';
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
