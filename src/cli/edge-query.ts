import { runCommandLine } from './command-line.ts';
import { queryCommand } from './query.ts';

/** `edge_query`: `edgewise query` under edgemanage's name. Sets the exit status. */
export async function main(argv: readonly string[]): Promise<void> {
  await runCommandLine(queryCommand('edge_query'), argv);
}
