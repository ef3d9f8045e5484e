import type { Decision } from '../health/choose/decision.ts';

/** `14:05:07` */
export function clockText(at: number): string {
  return new Date(at * 1000).toISOString().slice(11, 19);
}

/** One line: what is live now, what came and went, and why. */
export function changeText(decision: Decision): string {
  const live = decision.live.map(({ edge }) => edge).join(' ');
  const { outcome } = decision;
  const why = (sign: string, names: readonly string[]): string[] =>
    names.map((name) => `${sign}${name} (${decision.reasons.get(name)?.why ?? 'no longer listed'})`);
  const changes = outcome.kind === 'changed' ? [...why('-', outcome.removed), ...why('+', outcome.added)] : [];
  const canaries = decision.canaries
    .filter(({ changed }) => changed)
    .map(
      ({ zone, address, active, why: reason }) =>
        `${zone}: canary ${address} ${active === null ? 'out' : 'in'} (${reason})`,
    );
  return `live: ${live}  ${[...changes, ...canaries].join(' ')}`;
}
