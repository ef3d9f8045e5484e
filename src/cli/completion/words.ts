import type { Argument, Command, Option } from 'commander';

/** What may be typed in one place: fixed words, or what the shell finds. */
export type Value =
  | { readonly kind: 'none' | 'text' | 'file' | 'folder' | 'networks' | 'edges' }
  | { readonly kind: 'choices'; readonly choices: readonly string[] };

export type CompletedOption = {
  /** With their dashes: `-A`, `--dnet`. */
  readonly names: readonly string[];
  readonly description: string;
  readonly value: Value;
};

/** A command with the words that may follow it. */
export type CompletedCommand = {
  /** As it is typed: `edgewise cluster status`. */
  readonly path: string;
  readonly description: string;
  readonly commands: readonly CompletedCommand[];
  readonly options: readonly CompletedOption[];
  readonly values: readonly Value[];
};

export function completedCommand(command: Command, before = ''): CompletedCommand {
  const path = `${before}${command.name()}`;
  return {
    path,
    description: command.description(),
    commands: command.commands.map((one) => completedCommand(one, `${path} `)),
    options: [...command.createHelp().visibleOptions(command)].map(completedOption),
    values: command.registeredArguments.map(valueOfArgument),
  };
}

/** A command and all below it. */
export function withCommandsBelow(command: CompletedCommand): readonly CompletedCommand[] {
  return [command, ...command.commands.flatMap(withCommandsBelow)];
}

/** The last word of a command's path. */
export function lastWord({ path }: CompletedCommand): string {
  return path.slice(path.lastIndexOf(' ') + 1);
}

function completedOption(option: Option): CompletedOption {
  const takesValue = option.required || option.optional;
  const placeholder = /[<[]([^>\]]+)[>\]]/.exec(option.flags)?.[1] ?? '';
  return {
    names: [option.short, option.long].filter((name) => name !== undefined),
    description: option.description,
    value: takesValue ? valueFor(placeholder, option.argChoices) : { kind: 'none' },
  };
}

function valueOfArgument(argument: Argument): Value {
  return valueFor(argument.name(), argument.argChoices);
}

/** By the placeholder in the help. */
function valueFor(placeholder: string, choices: readonly string[] | undefined): Value {
  if (choices !== undefined) return { kind: 'choices', choices };
  switch (placeholder.replace(/\.\.\.$/, '')) {
    case 'file':
    case 'goavail.toml':
      return { kind: 'file' };
    case 'folder':
      return { kind: 'folder' };
    case 'network':
      return { kind: 'networks' };
    case 'edge':
      return { kind: 'edges' };
    default:
      return { kind: 'text' };
  }
}
