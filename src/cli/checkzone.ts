import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { nameFromText, textFromWire } from '../dns/name.ts';
import { formatFault } from '../system/fault.ts';
import { FILE_MAX, readInput } from '../system/read-file.ts';
import type { Included } from '../zones/scan/include.ts';
import { FileCache } from '../zones/store/file-cache.ts';
import { type LoadedZone, loadZone, type ZoneSource } from '../zones/store/load-zone.ts';
import { canonicalLines } from '../zones/write/canonical.ts';
import { endWith, newCommand } from './command-line.ts';

type Flags = {
  readonly dump?: true;
  readonly output?: string;
  readonly quiet?: true;
  readonly include?: true;
  readonly rotate: readonly string[];
  readonly config?: string;
  readonly directory?: string;
};

/** `edgewise checkzone ORIGIN FILE`: reads and checks one zone as the server would; status 0 when it would be served. */
export function checkzoneCommand(): Command {
  return newCommand('checkzone')
    .description('check a zone file, as named-checkzone does')
    .argument('<origin>', "the zone's name")
    .argument('<file>', 'its master file ("-": standard input)')
    .option('-D, --dump', 'print the whole zone in canonical order, one record a line')
    .option('-o, --output <file>', 'write the zone there instead of standard output ("-")')
    .option('-q, --quiet', 'print nothing, only exit with a status')
    .option('--include', "the file is a network's include file: the server makes SOA and NS")
    .option('--rotate <label>', 'with --include: a label of rotate_zones (repeatable)', collect, [])
    .option('-c, --config <file>', 'as --include, with SOA, NS and rotate_zones of this edgemanage.yaml')
    .option('-w, --directory <folder>', "what $INCLUDE starts from and is confined to (default: the file's own folder)")
    .action(async (origin: string, file: string, flags: Flags) => {
      await endWith(() => checkzone(origin, file, flags));
    });
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

async function checkzone(originText: string, file: string, flags: Flags): Promise<number> {
  const dumpsToStdout = (flags.dump === true && flags.output === undefined) || flags.output === '-';
  const say = (text: string): void => {
    if (flags.quiet !== true) (dumpsToStdout ? process.stderr : process.stdout).write(`${text}\n`);
  };
  const complain = (text: string): void => {
    if (flags.quiet !== true) process.stderr.write(`${text}\n`);
  };

  const origin = nameFromText(originText, Uint8Array.of(0));
  if (typeof origin === 'string') {
    complain(`"${originText}" is not a domain name: ${origin}`);
    return 1;
  }
  const source = sourceOf(flags, complain);
  if (source === null) return 1;

  const root = resolve(flags.directory ?? dirname(file));
  const files = new FileCache();
  files.begin(false);
  const loaded = loadZone({
    origin,
    file,
    source,
    includeRoot: root,
    readFile: (path) => (path === file ? readOwn(file) : files.read(path, root)),
  });
  for (const fault of loaded.faults) complain(formatFault(fault));
  const title = `zone ${plain(origin)}/IN`;
  if (!loaded.ok) {
    say(`${title}: not loaded due to errors.`);
    return 1;
  }
  say(
    source.kind === 'static'
      ? `${title}: loaded serial ${loaded.serial}`
      : `${title}: loaded, the server sets the serial`,
  );
  // What a standard output that fails means is not ours to say (`runCommandLine`).
  if (dumpsToStdout) await dump(loaded, process.stdout).catch(() => undefined);
  else if (flags.output !== undefined && !(await dumpTo(flags.output, loaded, complain))) return 1;
  say('OK');
  return 0;
}

/** The zone's own file; unlike those it includes it may be a pipe that the shell handed over. */
function readOwn(file: string): Included {
  const read = readInput(file === '-' ? '/dev/stdin' : file, FILE_MAX.zone);
  return read.ok ? { ok: true, text: read.octets } : { ok: false, message: read.message };
}

function plain(origin: Uint8Array): string {
  return origin.length === 1 ? '.' : textFromWire(origin).slice(0, -1);
}

/** Null when the configuration cannot be read; the reasons were printed. */
function sourceOf(flags: Flags, complain: (text: string) => void): ZoneSource | null {
  if (flags.config === undefined) {
    return flags.include === true ? { kind: 'include', rotateZones: flags.rotate } : { kind: 'static' };
  }
  const { config, faults } = loadConfig(flags.config);
  if (config !== null) return { kind: 'network', dns: config.dns };
  for (const fault of faults) complain(formatFault(fault));
  return null;
}

async function dumpTo(file: string, loaded: LoadedZone, complain: (text: string) => void): Promise<boolean> {
  const stream = createWriteStream(file);
  try {
    await once(stream, 'open');
    await dump(loaded, stream);
    stream.end();
    await once(stream, 'close');
    return true;
  } catch (error) {
    complain(`cannot write the zone: ${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}

const CHUNK = 65536; // characters

async function dump(loaded: LoadedZone, stream: NodeJS.WritableStream): Promise<void> {
  let chunk = '';
  for (const line of canonicalLines(loaded.store)) {
    chunk += `${line}\n`;
    if (chunk.length < CHUNK) continue;
    if (!stream.write(chunk)) await once(stream, 'drain');
    chunk = '';
  }
  stream.write(chunk);
}
