import type { ActionFault, ActionResult } from '../server/control/http/control-actions.ts';

/** Names whose last time is kept; the configuration has fewer. */
const NAMES_MAX = 10_000;

/** Keeps what operators ask for from being done twice at a time, or again and again. */
export class Pace {
  private readonly seconds: number;
  private readonly most: number;
  private readonly now: () => number;
  private readonly running = new Set<string>();
  private readonly lastAt = new Map<string, number>();

  /** `seconds` between the beginnings of two of one name; `most` at a time, of all names. `now`: seconds. */
  constructor(seconds: number, most = 10, now: () => number = () => performance.now() / 1000) {
    this.seconds = seconds;
    this.most = most;
    this.now = now;
  }

  async run<Value>(name: string, work: () => Promise<ActionResult<Value>>): Promise<ActionResult<Value>> {
    const wait = (this.lastAt.get(name) ?? Number.NEGATIVE_INFINITY) + this.seconds - this.now();
    if (this.running.has(name)) return refuse('busy', 'the same is under way already');
    if (this.running.size >= this.most) return refuse('busy', `${this.most} of these are under way already`);
    if (wait > 0) return refuse('too-often', `this was done a moment ago; again in ${Math.ceil(wait)} s`, wait);
    if (this.lastAt.size >= NAMES_MAX) this.lastAt.clear();
    this.lastAt.set(name, this.now());
    this.running.add(name);
    try {
      return await work();
    } finally {
      this.running.delete(name);
    }
  }
}

function refuse(code: ActionFault['code'], message: string, retryAfter?: number): ActionResult<never> {
  return { ok: false, fault: { code, message, ...(retryAfter === undefined ? {} : { retryAfter }) } };
}
