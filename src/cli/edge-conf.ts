import { modeCommand } from './mode.ts';

/** `edge_conf`: `edgewise mode` under edgemanage's name. Sets the exit status. */
export async function main(argv: readonly string[]): Promise<void> {
  await modeCommand('edge_conf').parseAsync(argv);
}
