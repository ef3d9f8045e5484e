import { Command } from 'commander';
import { version } from '../version.ts';
import { checkCommand } from './check.ts';
import { checkzoneCommand } from './checkzone.ts';
import { demoCommand } from './demo.ts';
import { explainCommand } from './explain.ts';
import { exportCommand } from './export.ts';
import { modeCommand } from './mode.ts';
import { queryCommand } from './query.ts';
import { replayCommand } from './replay.ts';
import { runCommand } from './run.ts';
import { serveCommand } from './serve.ts';
import { statusCommand } from './status.ts';

/** `edgewise COMMAND …`: every command is a file of this folder. Sets the exit status; does not return for `serve`. */
export async function runCli(argv: readonly string[]): Promise<void> {
  const program = new Command('edgewise')
    .description('Authoritative DNS server that answers with the edges that are healthy right now')
    .version(version())
    .showHelpAfterError()
    .addCommand(serveCommand())
    .addCommand(runCommand())
    .addCommand(checkCommand())
    .addCommand(checkzoneCommand())
    .addCommand(statusCommand())
    .addCommand(queryCommand())
    .addCommand(exportCommand())
    .addCommand(modeCommand())
    .addCommand(explainCommand())
    .addCommand(replayCommand())
    .addCommand(demoCommand());
  await program.parseAsync(argv);
}
