import type { Config } from '../config/types.ts';
import { decisionLines } from '../health/pools/round-log.ts';
import type { RoundReport } from '../health/pools/round-types.ts';

/** A zone file that would be written, and under which serial. */
type PlannedZone = { readonly name: string; readonly serial: number };

/** What a dry run prints: the decision with its reasons, and what a real run would do about it. */
export function printDryRun(report: RoundReport, due: readonly PlannedZone[], config: Config): void {
  process.stdout.write(`${dryRunLines(report, due, config).join('\n')}\n`);
}

function dryRunLines(report: RoundReport, due: readonly PlannedZone[], config: Config): readonly string[] {
  const { decision, liveChanged, canaryZones, state } = report;
  const { network } = decision;
  const lines = [`Dry run of ${network}: nothing is written, no command is started.`];
  for (const { level, text } of decisionLines(decision)) if (level !== 'debug') lines.push(text);
  for (const [edge, { live, why }] of [...decision.reasons].sort(([a], [b]) => (a < b ? -1 : 1))) {
    lines.push(`  ${live ? 'in ' : 'out'} ${edge}: ${why}`);
  }
  if (liveChanged) lines.push(`Would publish the live set with serial ${state.serial}.`);
  for (const zone of canaryZones) lines.push(`Would change the canary of ${zone}.`);
  for (const { name, serial } of due) lines.push(`Would write ${name}.zone with serial ${serial}.`);
  const { runBefore, runAfter, runAfterChanges } = config.commands;
  const changes = liveChanged || canaryZones.length > 0 || due.length > 0 ? runAfterChanges : [];
  for (const command of [...runBefore, ...runAfter, ...changes]) lines.push(`Would start: ${command}`);
  return lines;
}
