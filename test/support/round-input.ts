import type { FailReason, Sample } from '../../src/health/checks/sample.ts';
import { type Memory, NO_MEMORY } from '../../src/health/choose/memory.ts';
import type { RoundInput, Rules, Scope } from '../../src/health/choose/round.ts';
import type { CanaryInput, EdgeInput, Mode } from '../../src/health/judge/edge.ts';
import { addSample, type History } from '../../src/health/judge/history.ts';

/** Noon, so that no sample lands in minute 0 by accident of the tests. */
export const NOW = 1_700_000_000;

export const RULES: Rules = { goodenough: 0.7, timeout: 10, edgeCount: 4, maxfreq: 10, canaryKiller: 0 };

/** `count` equal samples, all older than the window, newest last. */
export function oldSamples(seconds: number, count = 10): History {
  return {
    times: Array.from({ length: count }, (_, i) => NOW - 1000 - 60 * (count - i)),
    seconds: new Array<number>(count).fill(seconds),
  };
}

/** A finished fetch. One of `timeout` or more failed. */
export function sample(edge: string, seconds: number, at = NOW - 1, reason: FailReason = 'timeout'): Sample {
  const fail = seconds >= RULES.timeout ? { reason, detail: 'in the connect phase' } : null;
  const phases = { resolve: null, connect: 0.001, tls: null, firstByte: seconds / 2, total: seconds };
  const figures = { seconds, fail, phases, attempts: 1, hops: 0 };
  const checks = [{ name: 'http', kind: 'http', ...figures }] as const;
  return {
    edge,
    at,
    seconds,
    fail,
    primary: { address: '127.0.0.1', ...figures, check: 'http', checks },
    others: [],
    stalledMs: 0,
  };
}

/** What a test says of one edge; unsaid: available, ten old samples of 0.2 s, fetched in 0.2 s. */
export type EdgeWords = {
  readonly fetch?: number | null;
  readonly mode?: Mode;
  readonly history?: number | History | null;
  readonly modeUntil?: number;
  readonly comment?: string;
  readonly verificationFailed?: boolean;
  readonly v4?: string | null;
  readonly v6?: string | null;
};

export function edge(name: string, words: EdgeWords = {}): EdgeInput {
  const { fetch = 0.2, history = 0.2 } = words;
  const own = fetch === null ? null : sample(name, fetch);
  const before =
    history === null ? { times: [], seconds: [] } : typeof history === 'number' ? oldSamples(history) : history;
  return {
    name,
    mode: words.mode ?? 'available',
    modeUntil: words.modeUntil ?? null,
    comment: words.comment ?? '',
    history: own === null ? before : addSample(before, own.at, own.seconds),
    sample: own,
    v4: words.v4 === undefined ? '192.0.2.1' : words.v4,
    v6: words.v6 ?? null,
    verificationFailed: words.verificationFailed ?? false,
  };
}

export function canary(zone: string, name: string, words: EdgeWords = {}): CanaryInput {
  return { ...edge(name, words), zone };
}

export { NO_MEMORY };

/** What a test says of a round. `edges`: in list order. */
export type RoundWords = {
  readonly edges: Readonly<Record<string, EdgeWords>>;
  readonly canaries?: readonly CanaryInput[];
  readonly last?: string;
  readonly memory?: Partial<Memory>;
  readonly rules?: Partial<Rules>;
  readonly now?: number;
  readonly operatorChange?: boolean;
  readonly scope?: Scope;
  readonly references?: RoundInput['references'];
  readonly fallback?: RoundInput['fallback'];
  readonly fallbackDoubt?: string;
};

/** A round in which `last` ("ABCD": one letter an edge) was live before. */
export function round(words: RoundWords): RoundInput {
  return {
    now: words.now ?? NOW,
    network: 'test',
    scope: words.scope ?? 'turn',
    rules: { ...RULES, ...words.rules },
    edges: Object.entries(words.edges).map(([name, edgeWords]) => edge(name, edgeWords)),
    canaries: words.canaries ?? [],
    memory: { ...NO_MEMORY, lastLive: [...(words.last ?? '')], ...words.memory },
    operatorChange: words.operatorChange ?? false,
    ...(words.fallback === undefined ? {} : { fallback: words.fallback }),
    ...(words.fallbackDoubt === undefined ? {} : { fallbackDoubt: words.fallbackDoubt }),
    ...(words.references === undefined ? {} : { references: words.references }),
  };
}
