import type { ProviderAccess } from '../../config/goavail-environment.ts';
import type { Goavail } from '../../config/goavail-file.ts';
import { count } from '../../health/judge/reason.ts';
import type { RoundLog } from '../../health/pools/round-log.ts';
import type { Correction, MonitorOptions } from './monitor.ts';
import { slackText } from './slack.ts';

/**
 * What would be done at the provider, in goavail's own words and in ours. Nothing is sent. In a cluster nothing would be
 * done before peers agree, whom nobody asks yet: such a correction stays open, and is said once.
 */
export function dryRun(access: ProviderAccess, log: RoundLog): MonitorOptions['correct'] {
  const waiting = new Map<string, Correction['action']>();
  return async (correction, goavail) => {
    const { action, address } = correction;
    if (goavail.cluster !== null && goavail.cluster.minPeersAgree > 0) {
      if (waiting.get(address) !== action) log('info', waitingText(correction, goavail));
      waiting.set(address, action);
      return false;
    }
    for (const text of correctionTexts(correction, goavail, access)) log('info', text);
    return true;
  };
}

/** The first line of each pair is the original's, its spaces included: people look for it. */
export function correctionTexts(
  { action, address }: Correction,
  { provider }: Goavail,
  { api }: Pick<ProviderAccess, 'api'>,
): readonly string[] {
  const type = address.includes(':') ? 'AAAA' : 'A';
  return provider.names.flatMap((name) => [
    slackText(action, provider.domain, true),
    `would ${action} ${name} ${type} ${address} at ${provider.kind} (${api})`,
  ]);
}

function waitingText({ action, address }: Correction, { cluster }: Goavail): string {
  const needed = count(cluster?.minPeersAgree ?? 0, 'peer');
  return `would ${action} ${address} once ${needed} see the same; peers are not asked yet, so nothing is done`;
}
