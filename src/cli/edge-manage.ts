import { runCommand } from './run.ts';

/** `edge_manage`: `edgewise run` under edgemanage's name. Sets the exit status. */
export async function main(argv: readonly string[]): Promise<void> {
  await runCommand('edge_manage').parseAsync(argv);
}
