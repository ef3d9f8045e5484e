import { Argument, type Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { listNetworks, readNetworkFiles } from '../config/network-files.ts';
import type { Config } from '../config/types.ts';
import { configOption, endWith, newCommand } from './command-line.ts';
import { bashCompletion } from './completion/bash.ts';
import { fishCompletion } from './completion/fish.ts';
import { completedCommand } from './completion/words.ts';
import { zshCompletion } from './completion/zsh.ts';

const SCRIPTS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;
type Shell = keyof typeof SCRIPTS;
type Flags = { readonly config: string; readonly dnet?: string };

/** `edgewise completion`: the script for a shell, and the names that the scripts ask for while somebody types. */
export function completionCommand(programs: () => Promise<readonly Command[]>): Command {
  return configOption(newCommand('completion'))
    .description('print the completion script for a shell')
    .addArgument(
      new Argument('<what>', 'the shell; or names of the configuration, for the scripts').choices([
        ...Object.keys(SCRIPTS),
        'networks',
        'edges',
      ]),
    )
    .option('-A, --dnet <network>', 'with edges: of this network (default: of every one)')
    .action(async (what: Shell | 'networks' | 'edges', { config, dnet }: Flags) => {
      await endWith(async () => {
        if (what === 'networks' || what === 'edges') return printNames(what, config, dnet ?? null);
        const commands = (await programs()).map((program) => completedCommand(program));
        process.stdout.write(SCRIPTS[what](commands));
        return 0;
      });
    });
}

/** One name a line. Faults are kept back: whoever types would see them in the middle of the line. */
function printNames(what: 'networks' | 'edges', file: string, network: string | null): number {
  const { config } = loadConfig(file);
  if (config === null) return 1;
  const { networks } = listNetworks(config);
  const wanted = networks.filter((one) => network === null || one === network);
  const names = what === 'networks' ? networks : edgesOf(config, wanted);
  process.stdout.write(names.map((name) => `${name}\n`).join(''));
  return 0;
}

function edgesOf(config: Config, networks: readonly string[]): readonly string[] {
  return [...new Set(networks.flatMap((network) => readNetworkFiles(config, network).files?.edges ?? []))];
}
