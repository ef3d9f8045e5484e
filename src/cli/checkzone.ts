import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import { ZONE_LIMITS } from '../config/limits.ts';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/types.ts';
import { NAME_PROBLEM_TEXT, nameFromText, textFromWire } from '../dns/name.ts';
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
  readonly includeDir: readonly string[];
};

/**
 * `edgewise checkzone ORIGIN FILE`: reads and checks one zone as the server would; status 0 when it would be served.
 */
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
    .option('-c, --config <file>', 'as --include, with SOA, NS and rotate_zones of this configuration')
    .option('-w, --directory <folder>', "what $INCLUDE starts from and is confined to (default: the file's own folder)")
    .option(
      '--include-dir <folder>',
      'another folder that $INCLUDE may read from (repeatable), as include_dirs',
      collect,
      [],
    )
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
  const warn = (text: string): void => {
    if (flags.quiet !== true) process.stderr.write(`${text}\n`);
  };

  const origin = nameFromText(originText, Uint8Array.of(0));
  if (typeof origin === 'string') {
    warn(`"${originText}" is not a domain name: ${NAME_PROBLEM_TEXT[origin]}`);
    return 1;
  }
  const settings = settingsOf(flags, warn);
  if (settings === null) return 1;
  const { source, limits } = settings;

  const root = resolve(flags.directory ?? dirname(file));
  const includeDirs = [...settings.includeDirs, ...flags.includeDir.map((folder) => resolve(folder))];
  const files = new FileCache();
  files.begin(false);
  const loaded = loadZone({
    origin,
    file,
    source,
    includeRoot: root,
    includeDirs,
    limits,
    readFile: (path) => (path === file ? readOwn(file) : files.read(path, [root, ...includeDirs])),
  });
  for (const fault of loaded.faults) warn(formatFault(fault));
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
  else if (flags.output !== undefined && !(await dumpTo(flags.output, loaded, warn))) return 1;
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

type Settings = Config['zoneFiles'] & { readonly source: ZoneSource };

/** Null when the configuration cannot be read; the reasons were printed. */
function settingsOf(flags: Flags, warn: (text: string) => void): Settings | null {
  if (flags.config === undefined) {
    const source: ZoneSource =
      flags.include === true ? { kind: 'include', rotateZones: flags.rotate } : { kind: 'static' };
    return { source, includeDirs: [], limits: ZONE_LIMITS };
  }
  const { config, faults } = loadConfig(flags.config);
  if (config !== null) return { ...config.zoneFiles, source: { kind: 'network', dns: config.dns } };
  for (const fault of faults) warn(formatFault(fault));
  return null;
}

async function dumpTo(file: string, loaded: LoadedZone, warn: (text: string) => void): Promise<boolean> {
  const stream = createWriteStream(file);
  try {
    await once(stream, 'open');
    await dump(loaded, stream);
    stream.end();
    await once(stream, 'close');
    return true;
  } catch (error) {
    warn(`cannot write the zone: ${error instanceof Error ? error.message : String(error)}`);
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
