import type { Command } from 'commander';
import { faultsOf, readNetworks, startFaults } from '../app/read-networks.ts';
import { zoneSettings } from '../app/zones-part.ts';
import { loadConfig } from '../config/load.ts';
import { forNetwork, isNetworkName } from '../config/paths.ts';
import { readTls } from '../config/tls-files.ts';
import type { Config } from '../config/types.ts';
import { ReferenceReader, referenceFault } from '../health/checks/reference.ts';
import { count } from '../health/judge/reason.ts';
import { neededFiles } from '../health/pools/probe-plan.ts';
import { readState } from '../health/state/state-file-io.ts';
import { prepareTargets } from '../publish/providers/targets.ts';
import { errorText } from '../system/error-text.ts';
import { type Fault, hasErrors, plainFault } from '../system/fault.ts';
import { Guard } from '../system/guard.ts';
import { ZoneStore } from '../zones/store/store.ts';
import { endWith, networksCommand, printFaults } from './command-line.ts';
import { progress } from './progress.ts';
import { vantageText } from './vantage-text.ts';

type CheckFlags = { readonly config: string; readonly dnet?: string[]; readonly effective?: true };

/** `edgewise check`: everything `serve` would read, without serving. Exit status 1 when anything would not be used. */
export function checkCommand(): Command {
  return networksCommand('check')
    .description('read the configuration, the lists and every zone, and report all that is wrong')
    .option('--effective', 'print every key with the value that counts and the line it is from, without secrets')
    .action(async (flags: CheckFlags) => {
      await endWith(async () => {
        if (flags.effective === true) return await effective(flags.config);
        const faults = await check(flags);
        printFaults(faults);
        return hasErrors(faults) ? 1 : 0;
      });
    });
}

/** Of a configuration with mistakes, too: what it would be without them is what helps to find them. */
async function effective(file: string): Promise<number> {
  const { faults } = loadConfig(file);
  // The reference of all keys is needed here only.
  const { effectiveText } = await import('../config/effective.ts');
  const text = effectiveText(file);
  if (text !== null) process.stdout.write(text);
  printFaults(faults);
  return hasErrors(faults) ? 1 : 0;
}

async function check({ config: file, dnet }: CheckFlags): Promise<readonly Fault[]> {
  const { config, faults } = loadConfig(file);
  if (config === null) return faults;
  const networks = readNetworks(config, dnet ?? []);
  const lists = faultsOf(networks);
  const nothing = startFaults(config, networks).filter((fault) => !lists.includes(fault));
  const states = await stateFaults(config, [...networks.networks.keys()]);
  const reading = progress('zones read', 0);
  const store = new ZoneStore({
    settings: zoneSettings(config, [...networks.networks.keys()]),
    serialFile: null,
    liveSerial: () => 0,
    now: () => Date.now() / 1000,
    onChange: () => undefined,
    onProgress: (looked, of) => reading.at(looked, of),
  });
  await store.load();
  reading.clear();
  const zones = store.entries();
  await store.close();
  const edges = [...networks.networks.values()].reduce((sum, { files }) => sum + (files?.edges.length ?? 0), 0);
  process.stdout.write(
    `${count(networks.networks.size, 'network')}, ${count(edges, 'edge')}, ${count(zones.length, 'zone')} read
`,
  );
  if (config.vantage !== null) process.stdout.write(`${vantageText(config.vantage)}\n`);
  const unreadable = await unreadableFiles(config, [...networks.networks.keys()]);
  const tls = readTls(config.server, Date.now() / 1000);
  return [
    ...faults,
    ...unreadable,
    ...tls.faults,
    ...(await providerFaults(config)),
    ...lists,
    ...nothing,
    ...states,
    ...store.faults(),
    ...zones.flatMap((zone) => zone.faults),
  ];
}

/** Files of secrets, and other things that targets are made of; no provider is asked. */
async function providerFaults(config: Config): Promise<readonly Fault[]> {
  const prepared = prepareTargets(config, [], {
    live: () => null,
    files: null,
    env: process.env,
    guard: new Guard({ report: () => undefined, now: () => Date.now() / 1000 }),
    log: () => undefined,
    now: () => Date.now() / 1000,
  });
  if (prepared.ok) for (const { target } of prepared.targets) await target.close();
  return prepared.faults;
}

/** Files without which the edges of a network cannot be judged. Without a network, those of `testobject`. */
async function unreadableFiles(config: Config, networks: readonly string[]): Promise<readonly Fault[]> {
  const needed = (networks.length === 0 ? [''] : networks).map((network) => neededFiles(config, network));
  const none: ReadonlyMap<string, string> = new Map();
  // Each alone and once, however many checks name it, so that every one that is wrong is said.
  const alone = (kind: 'objects' | 'authorities') =>
    [...new Map(needed.flatMap((files) => [...files[kind]]))].map((file) => ({
      ...{ objects: none, authorities: none, maxBytes: config.maxObjectBytes },
      [kind]: new Map([file]),
    }));
  const files = [...alone('objects'), ...alone('authorities')];
  const read = await Promise.all(files.map((file) => new ReferenceReader().readAll(file)));
  return read.flatMap((one) => (one.ok ? [] : [referenceFault(one)]));
}

/** Saved states that could not be used: their networks would begin anew, or could not be opened. */
async function stateFaults(config: Config, networks: readonly string[]): Promise<readonly Fault[]> {
  const faults: Fault[] = [];
  for (const network of networks) {
    if (!isNetworkName(network)) continue;
    try {
      faults.push(...(await readState(forNetwork(config.statefile, network), 0, true)).faults);
    } catch (error) {
      faults.push(plainFault('state', `network ${network} could not be opened: ${errorText(error)}`));
    }
  }
  return faults;
}
