import { runCommandLine } from './command-line.ts';
import { modeCommand } from './mode.ts';

/** `edge_conf`: `edgewise mode` under edgemanage's name. Sets the exit status. */
export async function main(argv: readonly string[]): Promise<void> {
  await runCommandLine(modeCommand('edge_conf'), argv);
}
