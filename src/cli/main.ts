import type { Command } from 'commander';
import { version } from '../system/version.ts';
import { newCommand, runCommandLine } from './command-line.ts';

/** A command's file is loaded only where it is used: all of them together take half a second. */
const COMMANDS: { readonly [name: string]: () => Promise<Command> } = {
  serve: async () => (await import('./serve.ts')).serveCommand(),
  run: async () => (await import('./run.ts')).runCommand(),
  check: async () => (await import('./check.ts')).checkCommand(),
  checkzone: async () => (await import('./checkzone.ts')).checkzoneCommand(),
  status: async () => (await import('./status/command.ts')).statusCommand(),
  query: async () => (await import('./query.ts')).queryCommand(),
  export: async () => (await import('./export.ts')).exportCommand(),
  mode: async () => (await import('./mode.ts')).modeCommand(),
  explain: async () => (await import('./explain.ts')).explainCommand(),
  replay: async () => (await import('./replay.ts')).replayCommand(),
  convert: async () => (await import('./convert.ts')).convertCommand(),
  notice: async () => (await import('./notice.ts')).noticeCommand(),
  cluster: async () => (await import('./cluster.ts')).clusterCommand(),
  demo: async () => (await import('./demo.ts')).demoCommand(),
  completion: async () => (await import('./completion.ts')).completionCommand(everyProgram),
};

/**
 * `edgewise COMMAND …`: every command is a file of this folder. Sets the exit status; `serve` goes on when it returns.
 */
export async function runCli(argv: readonly string[]): Promise<void> {
  await runCommandLine(await edgewiseCommand(wanted(argv[2])), argv);
}

/** Everything that can be typed, for man pages and shell completion: `edgewise` and the commands with names of their own. */
export async function everyProgram(): Promise<readonly Command[]> {
  return [
    await edgewiseCommand(Object.values(COMMANDS)),
    (await import('./run.ts')).runCommand('edge_manage'),
    (await import('./query.ts')).queryCommand('edge_query'),
    (await import('./mode.ts')).modeCommand('edge_conf'),
    (await import('./goavail.ts')).goavailCommand(),
  ];
}

async function edgewiseCommand(commands: readonly (() => Promise<Command>)[]): Promise<Command> {
  const program = newCommand('edgewise')
    .description('Authoritative DNS server that answers with the edges that are healthy right now')
    .version(version());
  for (const load of commands) program.addCommand(await load());
  return program;
}

/** The one command that is named; for help and slips of the keyboard all of them. */
function wanted(word: string | undefined): readonly (() => Promise<Command>)[] {
  if (word !== undefined && Object.hasOwn(COMMANDS, word)) return [COMMANDS[word]];
  return word === '-V' || word === '--version' ? [] : Object.values(COMMANDS);
}
