import { decide } from '../../src/health/choose/decide.ts';
import type { Decision } from '../../src/health/choose/decision.ts';
import type { EdgeInput } from '../../src/health/judge/edge.ts';
import { NO_MEMORY, NOW, RULES } from '../support/round-input.ts';

/** One round: edges by name with the seconds of their only sample; null: never fetched. */
export function decision(network: string, edges: Readonly<Record<string, number | null>>): Decision {
  const inputs = Object.entries(edges).map(
    ([name, seconds]): EdgeInput => ({
      name,
      mode: 'available',
      modeUntil: null,
      comment: '',
      history: seconds === null ? { times: [], seconds: [] } : { times: [NOW - 400], seconds: [seconds] },
      sample: null,
      v4: '192.0.2.1',
      v6: null,
      verificationFailed: false,
    }),
  );
  const rules = { ...RULES, edgeCount: 1 };
  return decide({
    now: NOW,
    network,
    scope: 'turn',
    rules,
    edges: inputs,
    canaries: [],
    memory: NO_MEMORY,
    operatorChange: false,
  });
}
