import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { blocksOf } from '../support/documents.ts';
import { EDGEWISE, EdgewiseServer } from '../support/edgewise.ts';
import { type Ended, ended } from '../support/installation.ts';

/** What a reader puts in place of the page's examples: addresses, ports, paths. */
type Edit = (text: string) => string;

/** A reader who does what a page says, in a folder of his own that has the configuration. */
export class Reader {
  readonly folder = mkdtempSync(join(tmpdir(), 'edgewise-reader-'));
  /** What has been run, with its output; of `serve`, what it had printed when it was ready. */
  readonly seen: { readonly commands: string; readonly output: string }[] = [];
  server: EdgewiseServer | null = null;
  private readonly edit: Edit;
  private readonly env: Readonly<NodeJS.ProcessEnv>;

  constructor(edit: Edit = (text) => text) {
    this.edit = edit;
    const programs = ['edgewise', 'edge_manage', 'edge_query', 'edge_conf', 'goavail'];
    for (const program of programs) {
      const script = join(dirname(EDGEWISE), `${program}.js`);
      // An installed one reads the file in /etc.
      const config = /^edge/.test(program)
        ? `case " $* " in *" -c "*|*" --config "*|*" convert "*) ;; *) set -- "$@" -c "${this.config}" ;; esac\n`
        : '';
      this.write(`bin/${program}`, `#!/bin/sh\n${config}exec "${process.execPath}" "${script}" "$@"\n`, 0o755);
    }
    this.env = { ...process.env, PATH: `${join(this.folder, 'bin')}:${process.env['PATH'] ?? ''}` };
  }

  get config(): string {
    return join(this.folder, 'edgemanage.yaml');
  }

  write(file: string, text: string, mode = 0o644): void {
    mkdirSync(dirname(join(this.folder, file)), { recursive: true });
    writeFileSync(join(this.folder, file), text, { mode });
  }

  sh(commands: string): Promise<Ended> {
    return ended(spawn('sh', ['-euc', commands], { cwd: this.folder, env: this.env }));
  }

  /**
   * Down the page: blocks with a file's name are written, commands without a name are run. Rejects where one fails.
   * `edgewise serve` goes on in the background until the next one, or `close`. `before` is awaited before each block of
   * commands: what else happens on the machine.
   */
  async follow(file: string, before: (commands: string) => Promise<void> | void = () => undefined): Promise<void> {
    for (const { language, name, notRun, text, line } of blocksOf(file)) {
      if (language === 'sh' && name === '') await before(text);
      if (notRun !== null) continue;
      const own = this.edit(text);
      if (/[./]/.test(name)) this.write(name, own);
      else if (language === 'sh' && name === '') await this.run(own, `${file}:${line}`);
    }
  }

  /** Ends what runs; the folder goes. */
  async close(): Promise<void> {
    await this.server?.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async run(commands: string, place: string): Promise<void> {
    for (const part of commands.split(/^(?=edgewise serve)|(?<=^edgewise serve.*\n)/m)) {
      const serve = /^edgewise serve( -n)?(?: -c (\S+))?/.exec(part);
      if (serve !== null) {
        await this.serve(serve[1] === undefined ? [] : ['-n'], serve[2] ?? 'edgemanage.yaml');
        continue;
      }
      const { status, stdout, stderr } = await this.sh(part);
      if (status !== 0) throw new Error(`${place}: status ${status} of\n${part}\n${stdout}${stderr}`);
      this.seen.push({ commands: part, output: `${stdout}${stderr}` });
    }
  }

  private async serve(args: readonly string[], config: string): Promise<void> {
    await this.server?.stop();
    this.server = EdgewiseServer.spawn(join(this.folder, config), args);
    await this.server.ready();
    this.seen.push({ commands: `edgewise serve ${args.join(' ')} -c ${config}`, output: this.server.output });
  }
}
