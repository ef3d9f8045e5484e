import { type Command, Option } from 'commander';
import { goavailPlan } from '../app/goavail/plan.ts';
import { edgemanageYaml } from '../config/goavail-convert.ts';
import { type GoavailUse, loadGoavail } from '../config/goavail-file.ts';
import { isNetworkName } from '../config/paths.ts';
import { endWith, newCommand, printFaults, refuse } from './command-line.ts';

type ConvertFlags = {
  readonly type: GoavailUse['type'];
  readonly dnsProvider: GoavailUse['provider'];
  readonly dnet: string;
};

/** `edgewise convert goavail.toml`: the nearest edgemanage.yaml on standard output. Exit status 1: the file has errors. */
export function convertCommand(): Command {
  return newCommand('convert')
    .description("print the edgemanage.yaml that does what goavail's configuration says")
    .argument('<goavail.toml>', "goavail's configuration")
    .addOption(
      new Option('-t, --type <type>', 'how goavail was started: its option of the same name')
        .choices(['ip', 'tcp'])
        .default('ip'),
    )
    .addOption(
      new Option('-p, --dns-provider <provider>', 'how goavail was started: its option of the same name')
        .choices(['cloudflare', 'route53'])
        .default('cloudflare'),
    )
    .option('-A, --dnet <network>', 'the name of the network that the addresses make', 'goavail')
    .action(async (file: string, flags: ConvertFlags) => {
      await endWith(async () => convert(file, flags));
    });
}

function convert(file: string, { type, dnsProvider, dnet }: ConvertFlags): number {
  // It is also a file's name, a key of YAML and a word for a shell.
  if (!isNetworkName(dnet) || !/^[A-Za-z][\w.-]*$/.test(dnet)) {
    return refuse(`-A: expected a network's name of letters, digits and . _ -, got "${dnet}"`, 2);
  }
  const { goavail, faults } = loadGoavail(file, { type, provider: dnsProvider });
  printFaults(faults);
  if (goavail === null) return 1;
  const plan = goavailPlan(goavail);
  // What is printed is right all the same, for a version that can.
  if (!plan.ok) printFaults(plan.faults.map((fault) => ({ ...fault, severity: 'warning' })));
  process.stdout.write(edgemanageYaml(goavail, dnet));
  return 0;
}
