import type { Command } from 'commander';
import { faultsOf, readNetworks, startFaults } from '../app/read-networks.ts';
import { zoneSettings } from '../app/zones-part.ts';
import { loadConfig } from '../config/load.ts';
import { readTls } from '../config/tls-files.ts';
import { ReferenceReader, referenceFault } from '../health/checks/reference.ts';
import { count } from '../health/judge/reason.ts';
import { referenceFiles } from '../health/pools/round-input.ts';
import { type Fault, hasErrors } from '../system/fault.ts';
import { ZoneStore } from '../zones/store/store.ts';
import { complain, endWith, networksCommand } from './command-line.ts';

type CheckFlags = { readonly config: string; readonly dnet?: string[] };

/** `edgewise check`: everything `serve` would read, without serving. Exit status 1 when anything would not be used. */
export function checkCommand(): Command {
  return networksCommand('check')
    .description('read the configuration, the lists and every zone, and report all that is wrong')
    .action(async (flags: CheckFlags) => {
      await endWith(async () => {
        const faults = await check(flags);
        complain(faults);
        return hasErrors(faults) ? 1 : 0;
      });
    });
}

async function check({ config: file, dnet }: CheckFlags): Promise<readonly Fault[]> {
  const { config, faults } = loadConfig(file);
  if (config === null) return faults;
  const networks = readNetworks(config, dnet ?? []);
  const lists = hasErrors(faultsOf(networks)) ? faultsOf(networks) : startFaults(config, networks);
  const store = new ZoneStore({
    settings: zoneSettings(config, [...networks.networks.keys()]),
    serialFile: null,
    liveSerial: () => 0,
    now: () => Date.now() / 1000,
    onChange: () => undefined,
  });
  await store.load();
  const zones = store.entries();
  await store.close();
  const edges = [...networks.networks.values()].reduce((sum, { files }) => sum + (files?.edges.length ?? 0), 0);
  process.stdout.write(
    `${count(networks.networks.size, 'network')}, ${count(edges, 'edge')}, ${count(zones.length, 'zone')} read
`,
  );
  const reference = await new ReferenceReader().read(referenceFiles(config));
  const tls = readTls(config.server, Date.now() / 1000);
  return [
    ...faults,
    ...(reference.ok ? [] : [referenceFault(reference)]),
    ...tls.faults,
    ...lists,
    ...store.faults(),
    ...zones.flatMap((zone) => zone.faults),
  ];
}
