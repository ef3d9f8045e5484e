/** Asks a network's references (`safety.reference`), each with the check that the configuration gives it. */
import type { Config } from '../../config/types.ts';
import { errorText } from '../../system/error-text.ts';
import type { Prober } from '../checks/prober.ts';
import type { PlanFiles } from '../checks/reference.ts';
import type { ReferenceFact } from '../choose/safety-uplink.ts';
import { referencePlans } from './probe-plan.ts';

type Asked = ReferenceFact & { readonly since: number };

/**
 * A reference passes only if it answered each time in a turn: at its start, and when it was decided. So an outage that is
 * over by then still explains what failed in it.
 */
export class UplinkProbes {
  private readonly network: string;
  private readonly prober: Pick<Prober, 'round'> & Partial<Pick<Prober, 'cancel'>>;
  private readonly now: () => number;
  /** When the turns began that are still running. */
  private readonly turns = new Set<{ readonly since: number }>();
  private asked: readonly Asked[] = [];
  private names: readonly string[] = [];
  private asking: Promise<void> | null = null;

  /** `now`: epoch seconds. */
  constructor(network: string, prober: Pick<Prober, 'round'> & Partial<Pick<Prober, 'cancel'>>, now: () => number) {
    this.network = network;
    this.prober = prober;
    this.now = now;
  }

  /** A turn begins; what was found before all that are running is forgotten. Call `end` when it was decided. */
  begin(): { readonly end: () => void } {
    const turn = { since: this.now() };
    this.turns.add(turn);
    const oldest = Math.min(...Array.from(this.turns, ({ since }) => since));
    this.asked = this.asked.filter(({ since }) => since >= oldest);
    return { end: () => this.turns.delete(turn) };
  }

  /** Asks them all again; what came of the turns that are running. Nothing where there are no references. */
  async facts(config: Config, files: PlanFiles): Promise<{ readonly references?: readonly ReferenceFact[] }> {
    await this.ask(config, files);
    if (this.names.length === 0) return {};
    return {
      references: this.names.map((name) =>
        together(
          name,
          this.asked.filter((one) => one.name === name),
        ),
      ),
    };
  }

  /** Ends what is under way. */
  cancel(): void {
    for (const [i] of this.names.entries()) this.prober.cancel?.(this.roundName(i));
  }

  /** Whoever asks while it is being asked gets that answer. Never rejects. */
  async ask(config: Config, files: PlanFiles): Promise<void> {
    this.asking ??= this.askAll(config, files).finally(() => {
      this.asking = null;
    });
    await this.asking;
  }

  private async askAll(config: Config, files: PlanFiles): Promise<void> {
    const since = this.now();
    const plans = referencePlans(config, this.network, files);
    this.names = plans.map(({ name }) => name);
    const asked = await Promise.all(
      plans.map(async ({ name, address, plan }, i): Promise<Asked> => {
        const targets = [{ name: address, canary: false, live: true }];
        try {
          const round = { network: this.roundName(i), plan, targets, spread: 0, canaryKiller: 0 };
          const { samples, unknown } = await this.prober.round(round);
          const sample = samples.get(address);
          if (sample === undefined) return { name, passes: null, detail: unknown[0]?.why ?? 'not asked', since };
          const { fail } = sample;
          const detail = fail === null ? '' : `${fail.reason}: ${fail.detail}`;
          return { name, passes: fail === null, detail, since };
        } catch (error) {
          return { name, passes: null, detail: errorText(error), since };
        }
      }),
    );
    this.asked = [...this.asked.filter(({ name }) => this.names.includes(name)), ...asked];
  }

  /** No network's name has a NUL in it. */
  private roundName(i: number): string {
    return `${this.network}\0reference ${i}`;
  }
}

/** The worst of what was found: failed once is failed. */
function together(name: string, asked: readonly Asked[]): ReferenceFact {
  const worst =
    asked.find(({ passes }) => passes === false) ?? asked.find(({ passes }) => passes === true) ?? asked.at(-1);
  return { name, passes: worst?.passes ?? null, detail: worst?.detail ?? 'not asked' };
}
