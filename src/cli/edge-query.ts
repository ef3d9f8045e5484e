import { queryCommand } from './query.ts';

/** `edge_query`: `edgewise query` under edgemanage's name. Sets the exit status. */
export async function main(argv: readonly string[]): Promise<void> {
  await queryCommand('edge_query').parseAsync(argv);
}
