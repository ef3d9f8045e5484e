import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../../config/types.ts';
import type { Decision } from '../choose/decision.ts';
import type { RoundInput } from '../choose/round.ts';
import { fallbackSet } from './fallback.ts';
import type { RoundTools } from './round-types.ts';

/** As a decision takes it; nothing where no network is named. */
export type FallbackFacts = Pick<RoundInput, 'fallback' | 'fallbackDoubt'>;

/** Another network's set that one may answer with (`below: fallback`), and how the last decision saw it. */
export class BorrowedSet {
  private readonly network: string;
  private readonly tools: Pick<RoundTools, 'fallbackSource' | 'now'>;
  private wasNeeded = false;
  private last: unknown = null;

  constructor(network: string, tools: Pick<RoundTools, 'fallbackSource' | 'now'>) {
    this.network = network;
    this.tools = tools;
  }

  async facts(config: Config): Promise<FallbackFacts> {
    const name = config.safety.get(this.network)?.fallback ?? null;
    const { fallbackSource, now } = this.tools;
    if (name === null || fallbackSource === undefined) return {};
    const set = await fallbackSet(name, config, now(), fallbackSource);
    return { fallback: set?.members ?? null, ...(set?.doubt ? { fallbackDoubt: set.doubt } : {}) };
  }

  decided({ safety: { minUp } }: Decision, facts: FallbackFacts): void {
    this.wasNeeded = minUp !== null && minUp.up < minUp.needed;
    this.last = answeredOf(facts);
  }

  /** Whether it is needed, and is not as the last decision saw it. */
  async isOther(config: Config): Promise<boolean> {
    return this.wasNeeded && !isDeepStrictEqual(answeredOf(await this.facts(config)), this.last);
  }
}

/** What a decision takes of another network's set; why its members are live there may differ with every sample. */
function answeredOf({ fallback, fallbackDoubt }: FallbackFacts): unknown {
  return { members: fallback?.map(({ edge, v4, v6 }) => [edge, v4, v6]), fallbackDoubt };
}
