import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';

export const NETWORK = 'mynet';
export const OBJECT = 'the object that every edge must serve\n';

type Program = 'edge_manage' | 'edge_query' | 'edge_conf';
export type Ended = { readonly status: number | null; readonly stdout: string; readonly stderr: string };
export type StateJson = {
  readonly last_live: readonly string[];
  readonly last_run: number;
  readonly rotation_list: readonly number[];
  readonly verification_failures: readonly string[];
  readonly active_canaries: Readonly<Record<string, string>>;
  readonly zone_mtimes: Readonly<Record<string, number>>;
  readonly edgewise: { readonly serial: number };
};
export type StoreJson = {
  readonly fetch_times: Readonly<Record<string, number>>;
  readonly rotation_history: readonly number[];
  readonly health: string;
  readonly state: string;
  readonly mode: string;
  readonly comment: string;
  readonly state_entry_time: number | null;
  readonly mode_until: number | null;
};

type Options = {
  readonly edges: readonly string[];
  readonly port?: number;
  /** Zone → address. */
  readonly canaries?: Readonly<Record<string, string>>;
  /** Zone → include text. */
  readonly zones?: Readonly<Record<string, string>>;
  /** Seconds that edges took in the past: who is next in line is then no matter of this machine's speed. */
  readonly speeds?: Readonly<Record<string, number>>;
  /** Keys of edgemanage.yaml that are other than usual. */
  readonly keys?: Readonly<Record<string, unknown>>;
};

/**
 * Seconds. With these keys an edge may be late by all that a stalled machine makes it (some two seconds) and still be
 * good enough; one that is `slow` passes, but is not good enough.
 */
export const PATIENCE = { goodenough: 3, timeout: 6, slow: 3.5 } as const;
const PAST_SAMPLES = 200;

/** An edgemanage installation in a folder of its own, and its commands as an operator runs them: from `bin/`. */
export class Installation {
  readonly folder: string;
  private readonly started = new Set<ChildProcess>();

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make({
    edges,
    port = 80,
    canaries = {},
    zones = {},
    speeds = {},
    keys = {},
  }: Options): Promise<Installation> {
    const made = new Installation(await mkdtemp(join(tmpdir(), 'edgewise-installation-')));
    const config = {
      testobject: {
        host: 'object.test',
        port,
        proto: 'http',
        uri: '/object',
        local: made.path('object'),
        verify: true,
      },
      dns: {
        ns_records: ['ns1.nameservers.test.', 'ns2.nameservers.test.'],
        soa_nameserver: 'ns0.nameservers.test.',
        soa_mailbox: 'hostmaster.nameservers.test.',
        rotate_zones: ['www'],
      },
      goodenough: PATIENCE.goodenough,
      workers: 40,
      retry: 3,
      edge_count: 4,
      dnet_edge_count: {},
      dnschange_maxfreq: 10,
      canary_killer: 6,
      edgelist_dir: made.path('edges'),
      healthdata_store: made.path('health'),
      zonetemplate_dir: made.path('zones'),
      named_dir: made.path('named'),
      statefile: made.path('{dnet}.state'),
      live_list: made.path('{dnet}.live'),
      canary_files: made.path('canaries', '{dnet}'),
      logpath: made.path('edgemanage.log'),
      lockfile: made.path('edgemanage.lock'),
      commands: null,
      ...keys,
    };
    await made.write('edgemanage.yaml', stringify(config));
    await made.write('object', OBJECT);
    await utimes(made.path('object'), 1_700_000_000, 1_700_000_000); // settled, so that nobody waits for the rest
    await made.write(`edges/${NETWORK}`, `# edges\n${edges.join('\n')}\n`);
    await made.write(`canaries/${NETWORK}`, stringify(canaries));
    for (const [zone, text] of Object.entries(zones)) await made.write(`zones/${NETWORK}/${zone}.zone`, text);
    await mkdir(made.path('zones', NETWORK), { recursive: true });
    for (const [edge, seconds] of Object.entries(speeds)) await made.write(`health/${edge}.edgestore`, past(seconds));
    return made;
  }

  path(...parts: readonly string[]): string {
    return join(this.folder, ...parts);
  }

  async write(file: string, text: string): Promise<void> {
    await mkdir(dirname(this.path(file)), { recursive: true });
    await writeFile(this.path(file), text);
  }

  /** Puts a finished file in its place, as careful tools do: nobody waits to see whether more of it comes. */
  async replace(file: string, text: string): Promise<void> {
    await this.write('aside.new', text);
    // Clocks of file systems are coarse: without it, the writing and the renaming may seem to be one moment.
    const past = new Date(Date.now() - 60_000);
    await utimes(this.path('aside.new'), past, past);
    await mkdir(dirname(this.path(file)), { recursive: true });
    await rename(this.path('aside.new'), this.path(file));
  }

  read(file: string): Promise<string> {
    return readFile(this.path(file), 'utf8');
  }

  /** Names in a folder of it, sorted; none where there is no such folder. */
  async list(folder: string): Promise<readonly string[]> {
    return (await readdir(this.path(folder)).catch(() => [])).sort();
  }

  async state(): Promise<StateJson> {
    return JSON.parse(await this.read(`${NETWORK}.state`)) as StateJson;
  }

  async store(edge: string): Promise<StoreJson> {
    return JSON.parse(await this.read(`health/${edge}.edgestore`)) as StoreJson;
  }

  /** Starts one of the commands on this installation and network. */
  start(command: Program, args: readonly string[] = [], env = {}): ChildProcess {
    return this.startBare(command, ['-A', NETWORK, '-c', this.path('edgemanage.yaml'), ...args], env);
  }

  /** With these arguments and no others. */
  startBare(command: Program, args: readonly string[], env = {}): ChildProcess {
    const script = join(import.meta.dirname, '..', '..', 'bin', `${command}.js`);
    const child = spawn(process.execPath, [script, ...args], { env: { ...process.env, ...env } });
    this.started.add(child);
    child.once('exit', () => this.started.delete(child));
    return child;
  }

  run(command: Program, args: readonly string[] = [], env = {}): Promise<Ended> {
    return ended(this.start(command, args, env));
  }

  async remove(): Promise<void> {
    for (const child of this.started) child.kill('SIGKILL');
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** A store whose samples are all as long, and older than the window. */
function past(seconds: number): string {
  const from = Math.floor(Date.now() / 1000) - 1000 - PAST_SAMPLES;
  const samples = Array.from({ length: PAST_SAMPLES }, (_, i) => [`${from + i}.5`, seconds]);
  return JSON.stringify({ fetch_times: Object.fromEntries(samples), health: 'pass_threshold' });
}

/** Runs a program to its end. */
export function program(command: string, args: readonly string[], input = ''): Promise<Ended> {
  const child = spawn(command, [...args]);
  child.stdin.on('error', () => {}); // it may end without reading
  child.stdin.end(input);
  return ended(child);
}

/** What a child printed and how it ended. */
export function ended(child: ChildProcess): Promise<Ended> {
  return new Promise((resolve, reject) => {
    let stdout = '';
    let stderr = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.once('error', reject);
    child.once('close', (status) => resolve({ status, stdout, stderr }));
  });
}
