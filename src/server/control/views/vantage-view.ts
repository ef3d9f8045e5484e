/** Several vantage points as HTTP shows them: `/api/v1/vantage`. */
import type { RoundViews } from '../../../health/choose/round.ts';
import { isSuspect } from '../../../health/judge/quorum.ts';
import type { VantageJson } from '../api/json.ts';
import type { VantageSource } from './vantage-source.ts';
import type { NetworkView } from './views.ts';

export function vantageJson(source: VantageSource, networks: readonly NetworkView[], now: number): VantageJson {
  const { engine, name, isConnected, role, override, vantages } = source;
  return {
    engine,
    vantage: name,
    now,
    connected: isConnected,
    decider: role && { vantage: role.decider, is_self: role.isOurs, token: role.token, since: role.since },
    override: override && { ...override },
    vantages: vantages.map((one) => ({
      vantage: one.name,
      is_self: one.isSelf,
      reachable: one.reachable,
      last_heard: one.lastHeard,
      version: one.version,
      clock_offset: one.clockOffset,
      problem: one.problem,
    })),
    networks: networks.map((network) => networkRow(source, network)),
    faults: [
      ...source.faults,
      ...source.warnings,
      ...networks.flatMap(agreementReasons),
      ...networks.flatMap(agreementWarnings),
    ],
  };
}

/**
 * What keeps a network's vantage points from agreeing, a sentence each: reasons of `/healthz`, too. Those that are left out
 * by a majority that counts are none (`agreementWarnings`).
 */
export function agreementReasons({ name, agreement, notStored }: NetworkView): readonly string[] {
  const reasons = notStored === null ? [] : [`network ${name}: ${notStored}`];
  if (agreement === null) return reasons;
  const { counting, needed, excluded } = agreement;
  const who = excluded.map(({ vantage, why }) => `${vantage} (${why})`).join(', ');
  if (counting < needed) {
    const count = `${counting} of the ${needed} views that it takes ${counting === 1 ? 'counts' : 'count'}`;
    return [...reasons, `network ${name}: no quorum, the answer stays as it is: ${count}; left out: ${who || 'none'}`];
  }
  return isMajority(agreement) ? reasons : [...reasons, ...excludedText(name, excluded)];
}

/** Vantage points that a majority, ours, leaves out: as while one after the other takes another configuration. */
export function agreementWarnings({ name, agreement }: NetworkView): readonly string[] {
  return agreement !== null && isMajority(agreement) ? excludedText(name, agreement.excluded) : [];
}

/** Peers decide without a majority; those that most others leave out should be looked at all the same. */
function isMajority({ counting, needed, excluded }: RoundViews): boolean {
  return counting >= needed && (needed > 1 || counting > excluded.length);
}

function excludedText(network: string, excluded: RoundViews['excluded']): readonly string[] {
  const who = excluded.map(({ vantage, why }) => `${vantage} (${why})`).join(', ');
  return excluded.length === 0 ? [] : [`network ${network}: views that do not count: ${who}`];
}

/** Seconds by which another's clock may differ before it is a warning. */
const CLOCK_MAX = 5;

export type ClockWarning = { readonly vantage: string; readonly isAhead: boolean; readonly text: string };

/** Clocks that are wrong, here or there; nothing is decided by them. */
export function clockWarnings(vantages: VantageSource['vantages']): readonly ClockWarning[] {
  return vantages.flatMap(({ name, isSelf, clockOffset }) => {
    if (isSelf || clockOffset === null || Math.abs(clockOffset) <= CLOCK_MAX) return [];
    const by = Math.round(Math.abs(clockOffset));
    const isAhead = clockOffset > 0;
    const text = `vantage: the clock of ${name} is ${by} s ${isAhead ? 'ahead of' : 'behind'} ours`;
    return [{ vantage: name, isAhead, text }];
  });
}

function networkRow(source: VantageSource, network: NetworkView): VantageJson['networks'][number] {
  const { name, serial, agreement } = network;
  const set = source.decided(name);
  const received = new Map(source.views(name).map((one) => [one.view.vantage, one]));
  const excluded = new Set(agreement?.excluded.map(({ vantage }) => vantage));
  const views = source.vantages.map(({ name: vantage, isSelf }) => {
    const one = received.get(vantage);
    return {
      vantage,
      age: isSelf ? 0 : (one?.age ?? null),
      turn: one?.view.turn ?? null,
      same_config: isSelf
        ? true
        : one === undefined || agreement === null
          ? null
          : one.view.config === agreement.config,
      counts: isSelf || (one !== undefined && agreement !== null && !excluded.has(vantage)),
      serial: isSelf ? serial : (one?.view.serial ?? null),
    };
  });
  const quorums = [...(agreement?.quorums ?? [])];
  return {
    network: name,
    serial,
    decided: set && { serial: set.serial, at: set.at, by: set.by, token: set.token },
    counting: agreement?.counting ?? 1,
    needed: agreement?.needed ?? 1,
    views,
    suspects: quorums.flatMap(([edge, quorum]) => (isSuspect(quorum) ? [{ edge, says: quorum.says }] : [])),
  };
}
