import { runCommandLine } from './command-line.ts';
import { runCommand } from './run.ts';

/** `edge_manage`: `edgewise run` under edgemanage's name. Sets the exit status. */
export async function main(argv: readonly string[]): Promise<void> {
  await runCommandLine(runCommand('edge_manage'), argv);
}
