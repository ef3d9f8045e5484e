import { once } from 'node:events';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ApiServer, unansweredText } from '../ask-server.ts';
import { getAnswers, getSlowAnswers, type SlowAnswers } from './answers.ts';
import { FIRST_VIEW, keysOf, pressed, type ScreenView } from './keys.ts';
import { frame, pageOf } from './screen.ts';
import { plainText } from './styled.ts';
import { Terminal } from './terminal.ts';
import { clock, type WatchLines, watchLines } from './watch-lines.ts';
import { answered, unanswered, unknownState, type WatchState } from './watch-state.ts';

export type WatchOptions = {
  readonly server: ApiServer;
  /** Between two looks. */
  readonly seconds: number;
  readonly all: boolean;
  readonly json: boolean;
};

/** Milliseconds for which rows of zones and secondaries are kept: with ten thousand zones they are megabytes. */
const SLOW_MS = 10_000;

/** Shows the server until it is ended. Resolves with the exit status. */
export function watch(options: WatchOptions): Promise<number> {
  const { TERM } = process.env;
  const isScreen = process.stdout.isTTY && !options.json && TERM !== 'dumb';
  return isScreen ? watchOnScreen(options) : watchInBlocks(options);
}

/** Looks at the server, one look at a time. */
class Watcher {
  state: WatchState;
  private readonly server: ApiServer;
  private slow: SlowAnswers | null = null;
  private slowAtMs = 0;

  constructor(server: ApiServer) {
    this.server = server;
    this.state = unknownState(server.base);
  }

  async look(): Promise<void> {
    try {
      if (this.slow === null || performance.now() - this.slowAtMs >= SLOW_MS) {
        this.slow = await getSlowAnswers(this.server);
        this.slowAtMs = performance.now();
      }
      this.state = answered(this.state, await getAnswers(this.server, this.slow), Date.now() / 1000);
    } catch (error) {
      this.slow = null;
      this.state = unanswered(this.state, unansweredText(this.server, error), Date.now() / 1000);
    }
  }
}

/** A block, or a line of JSON, each time; until the reader has gone, or a signal ends the program as usual. */
async function watchInBlocks({ server, seconds, all, json }: WatchOptions): Promise<number> {
  const watcher = new Watcher(server);
  const over = new AbortController();
  process.stdout.once('error', () => over.abort()); // the reader has seen enough
  while (!over.signal.aborted) {
    await watcher.look();
    process.stdout.write(json ? jsonLine(watcher.state) : block(watcher.state, all));
    await sleep(seconds * 1000, undefined, { signal: over.signal }).catch(() => undefined);
  }
  return 0;
}

function jsonLine({ answers, away }: WatchState): string {
  return `${JSON.stringify(away === null ? answers : { away })}\n`;
}

function block(state: WatchState, all: boolean): string {
  const now = Date.now() / 1000;
  // What it said before is further up.
  const { head, body } = watchLines(
    state.away === null ? state : { ...state, answers: null },
    { ...FIRST_VIEW, all },
    now,
  );
  const lines = [`--- ${clock(now)}`, ...[...head, ...body].map(plainText)];
  return `${lines.map((text) => text.trimEnd()).join('\n')}\n\n`;
}

async function watchOnScreen({ server, seconds, all }: WatchOptions): Promise<number> {
  const watcher = new Watcher(server);
  const over = new AbortController();
  const ended = once(over.signal, 'abort');
  const { NO_COLOR = '' } = process.env;
  const isColoured = NO_COLOR === '';
  let view: ScreenView = FIRST_VIEW;
  let status = 0;
  const lines = (): WatchLines => watchLines(watcher.state, { ...view, all }, Date.now() / 1000);
  const draw = (): void => terminal.draw(frame(lines(), view, terminal.size, isColoured));
  const terminal = new Terminal({
    resized: draw,
    keys: (text) => {
      for (const key of keysOf(text)) {
        const shown = lines();
        const next = pressed(view, key, { page: pageOf(shown, terminal.size), lines: shown.body.length });
        if (next === 'quit') return over.abort();
        if (next === 'suspend') terminal.suspend();
        else view = next;
      }
      draw();
    },
    ended: (signal) => {
      status = signal === 'SIGINT' ? 0 : 128 + constants.signals[signal];
      over.abort();
    },
  });
  terminal.open();
  draw();
  while (!over.signal.aborted) {
    await Promise.race([watcher.look(), ended]);
    draw();
    await sleep(seconds * 1000, undefined, { signal: over.signal }).catch(() => undefined);
  }
  terminal.close();
  server.agent.destroy();
  return status;
}
