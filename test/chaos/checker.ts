/**
 * What must hold of every run, whatever failed in it. Pure: a log in, violations out. Each rule is a function of its own.
 */
import { serialCompare, serialMax } from '../../src/dns/serial.ts';
import type { Say } from '../../src/health/judge/quorum.ts';
import { UNAGREED_SERIAL } from '../../src/zones/agreement/own-step.ts';
import type { Entry, Log, StoredSet } from './log.ts';

export type Rules = {
  /** Configured vantages. */
  readonly members: readonly string[];
  /** Votes that call an edge down; those that call it up follow. */
  readonly down: number;
  /**
   * By when a node serves what was stored: so many intervals (milliseconds), in which it must have stored more views than
   * that. A view is stored at each change, so views alone are no measure; nor is time alone, on a machine that stalls.
   */
  readonly turns: number;
  readonly interval: number;
};

export type Violation = { readonly rule: string; readonly at: number; readonly text: string };
type Rule = (log: Log, rules: Rules) => readonly Violation[];

export function check(log: Log, rules: Rules): readonly Violation[] {
  return Object.entries(RULES).flatMap(([, rule]) => rule(log, rules));
}

type Of<K extends Entry['kind']> = Extract<Entry, { readonly kind: K }>;

function every<K extends Entry['kind']>(log: Log, kind: K): readonly Of<K>[] {
  return log.filter((entry): entry is Of<K> => entry.kind === kind);
}

/**
 * The same serial has the same records, on whatever node and however it was asked for. What nobody agreed upon yet is
 * answered under a serial that stands for nothing, and is never transferred.
 */
const sameOctets: Rule = (log) => {
  const seen = new Map<string, { readonly node: string; readonly what: string }>();
  const violations: Violation[] = [];
  for (const entry of log) {
    if (entry.kind !== 'answer' && entry.kind !== 'transfer') continue;
    if (entry.kind === 'answer' && entry.serial === UNAGREED_SERIAL) continue;
    const key = `${entry.kind} ${entry.zone} ${entry.serial}`;
    const what = (entry.kind === 'answer' ? entry.addresses : entry.records).join('\n');
    const first = seen.get(key);
    if (first === undefined) seen.set(key, { node: entry.node, what });
    else if (first.what !== what) {
      const text = `${key}: ${first.node} has ${short(first.what)}, ${entry.node} has ${short(what)}`;
      violations.push({ rule: 'same octets', at: entry.at, text });
    }
  }
  return violations;
};

/** No node's serial of a zone goes back, restarts included. */
const onwards: Rule = (log) => {
  const last = new Map<string, number>();
  const violations: Violation[] = [];
  for (const { at, node, zone, serial } of every(log, 'answer')) {
    const key = `${node} ${zone}`;
    const before = last.get(key);
    if (before !== undefined && serialCompare(serial, before) < 0) {
      violations.push({ rule: 'serial onwards', at, text: `${key}: ${before}, then ${serial}` });
    }
    last.set(key, serial);
  }
  return violations;
};

/** What is answered under a serial is the set that was stored under it; nothing is answered that nobody stored. */
const storedFirst: Rule = (log) => {
  const sets = new Map<number, string>();
  const withCanaries = new Map<string, string>();
  for (const set of every(log, 'set')) {
    sets.set(set.serial, set.addresses.join());
    for (const zone of canaryZones(set)) withCanaries.set(`${zone} ${zoneSerial(set, zone)}`, zoneAddresses(set, zone));
  }
  const contents = new Set(every(log, 'content').map(({ zone, serial }) => `${zone} ${serial}`));
  const begins = every(log, 'set')[0]?.at;
  if (begins === undefined) return [];
  const violations: Violation[] = [];
  const alone = new Set<string>();
  /** What a vantage decided alone is its own serial for ever. */
  const owners = new Map<number, string>();
  for (const entry of log) {
    overrides(alone, entry);
    if (entry.kind !== 'answer' || entry.at < begins || entry.serial === UNAGREED_SERIAL) continue;
    const { at, node, zone, serial, addresses } = entry;
    const set = withCanaries.get(`${zone} ${serial}`) ?? sets.get(serial);
    const stored = set === undefined ? contents.has(`${zone} ${serial}`) : set === addresses.join();
    if (stored) continue;
    if (alone.has(node) && !owners.has(serial)) owners.set(serial, node);
    if (owners.get(serial) === node) continue;
    const text = `${node} ${zone} ${serial}: ${addresses.join()}, stored: ${set ?? 'nothing'}`;
    violations.push({ rule: 'stored first', at, text });
  }
  return violations;
};

/** Zones of which a set says more than of the others. */
function canaryZones({ canaries = [], canarySerials = {} }: StoredSet): ReadonlySet<string> {
  return new Set([...canaries.map(({ zone }) => zone), ...Object.keys(canarySerials)]);
}

function zoneSerial({ serial, canarySerials = {} }: StoredSet, zone: string): number {
  return serialMax(serial, canarySerials[zone] ?? 0);
}

/** What a zone is answered with by a set: its canary stands in for a live edge, or comes to them. */
function zoneAddresses({ addresses, canaries = [] }: StoredSet, zone: string): string {
  const canary = canaries.find((one) => one.zone === zone);
  if (canary === undefined) return addresses.join();
  return [...addresses.filter((address) => address !== canary.victim), canary.address].sort().join();
}

/** The latest serial that came with a set: of the live set, or of a zone whose canary changed. */
function versionOf({ serial, canarySerials = {} }: StoredSet): number {
  return Object.values(canarySerials).reduce(serialMax, serial);
}

/** Keeps who decides alone up to date. */
function overrides(alone: Set<string>, entry: Entry): void {
  if (entry.kind !== 'mark') return;
  if (entry.mark === 'override') alone.add(entry.what);
  else if (entry.mark === 'override over') alone.delete(entry.what);
}

/** Sets in the order they were stored, each with the one before it, whatever became of the store; null: the first. */
function steps(log: Log): readonly { readonly set: Of<'set'>; readonly before: StoredSet | null }[] {
  const last = new Map<string, StoredSet>();
  return every(log, 'set').map((set) => {
    const before = last.get(set.network) ?? null;
    last.set(set.network, set);
    return { set, before };
  });
}

/** Each stored set's serial is later than that of the one before, in the whole run: also where the store lost its memory. */
const storedOnwards: Rule = (log) => {
  const last = new Map<string, number>();
  return every(log, 'set').flatMap((set) => {
    const { at, network, by } = set;
    const serial = versionOf(set);
    const before = last.get(network);
    last.set(network, serial);
    if (before === undefined || serialCompare(serial, before) > 0) return [];
    return [{ rule: 'stored onwards', at, text: `${network}: ${by} stored ${serial} after ${before}` }];
  });
};

/** A serial was given under one token, and by whoever held `leader` with it at that revision. */
const oneToken: Rule = (log) => {
  const violations: Violation[] = [];
  const tokens = new Map<string, string>();
  for (const set of every(log, 'set')) {
    const { at, cluster, network, token } = set;
    const key = `${network} ${versionOf(set)}`;
    const before = tokens.get(key);
    if (before !== undefined && before !== `${cluster} ${token}`) {
      violations.push({ rule: 'one token', at, text: `${key} under ${before} and ${cluster} ${token}` });
    }
    tokens.set(key, `${cluster} ${token}`);
  }
  const leaders = every(log, 'leader');
  for (const set of every(log, 'set')) {
    const holder = leaders
      .filter(({ cluster, revision }) => cluster === set.cluster && revision <= set.revision)
      .at(-1)?.holder;
    if (holder?.token === set.token && holder.name === set.by) continue;
    const text = `${set.by} stored ${set.serial} under ${set.token}; ${holder?.name ?? 'nobody'} held ${holder?.token ?? 'none'}`;
    violations.push({ rule: 'one token', at: set.at, text });
  }
  return violations;
};

/**
 * Each edge that left or joined did so because enough vantages said so, in views that they had stored, and each decision
 * rests on a majority of the configured.
 */
const justified: Rule = (log, rules) => {
  const majority = Math.floor(rules.members.length / 2) + 1;
  const said = new Set<string>();
  for (const { cluster, vantage, turn, up } of every(log, 'view')) {
    for (const [edge, is] of Object.entries(up)) said.add(`${cluster} ${vantage} ${turn} ${edge} ${is}`);
  }
  return steps(log).flatMap(({ set, before }) => {
    const violations: Violation[] = [];
    const blame = (text: string): void =>
      void violations.push({ rule: 'justified', at: set.at, text: `${set.serial}: ${text}` });
    const voters = Object.keys(set.basis).filter((name) => rules.members.includes(name));
    // The same set again, under another serial, needs nobody's opinion.
    const isSame = before !== null && before.edges.join() === set.edges.join();
    if (before === null || isSame) return [];
    if (voters.length < majority) blame(`rests on ${voters.join() || 'nobody'}`);
    const left = before.edges.filter((edge) => !set.edges.includes(edge) && !isWithdrawn(log, edge, set.at));
    const joined = set.edges.filter((edge) => !before.edges.includes(edge));
    for (const [edges, up, needed, verb] of [
      [left, false, rules.down, 'left'],
      [joined, true, rules.members.length - rules.down + 1, 'joined'],
    ] as const) {
      for (const edge of edges) {
        const votes = (set.says[edge] ?? []).filter((say) => say.up === up && rules.members.includes(say.vantage));
        if (new Set(votes.map(({ vantage }) => vantage)).size < needed)
          blame(`${edge} ${verb}: ${told(set.says[edge])}`);
        for (const { vantage } of votes) {
          const turn = set.basis[vantage];
          if (turn === undefined) blame(`${edge} ${verb} with the vote of ${vantage}, which it does not rest on`);
          // Its own view the decider may use before it is stored.
          else if (vantage !== set.by && !said.has(`${set.cluster} ${vantage} ${turn} ${edge} ${up}`)) {
            blame(`${edge} ${verb}: ${vantage} did not say so in its turn ${turn}`);
          }
        }
      }
    }
    return violations;
  });
};

/** Whether an operator took the edge out, or was about to: that needs no votes. */
function isWithdrawn(log: Log, edge: string, at: number): boolean {
  const last = every(log, 'mark').findLast(
    (entry) => entry.mark.startsWith('mode') && entry.at <= at && entry.what.split(' ')[0] === edge,
  );
  return last?.mark === 'mode begins' || last?.what === `${edge} unavailable`;
}

/** While there is no quorum nothing changes: nothing is stored, and every node answers what it did. */
const frozen: Rule = (log) => {
  const violations: Violation[] = [];
  const last = new Map<string, string>();
  const alone = new Set<string>();
  let isFrozen = false;
  for (const entry of log) {
    overrides(alone, entry);
    if (entry.kind === 'mark' && (entry.mark === 'frozen' || entry.mark === 'thawed'))
      isFrozen = entry.mark === 'frozen';
    if (entry.kind === 'set' && isFrozen) {
      violations.push({ rule: 'frozen', at: entry.at, text: `${entry.by} stored ${entry.serial}` });
    }
    if (entry.kind !== 'answer') continue;
    const key = `${entry.node} ${entry.zone}`;
    const now = `${entry.serial} ${entry.addresses.join()}`;
    const before = last.get(key);
    if (isFrozen && !alone.has(entry.node) && before !== undefined && before !== now) {
      violations.push({ rule: 'frozen', at: entry.at, text: `${key}: ${before}, then ${now}` });
    }
    last.set(key, now);
  }
  return violations;
};

/** While nothing is broken, each node serves what was stored within so many of its own turns, also from the healing on. */
const caughtUp: Rule = (log, rules) => {
  const violations: Violation[] = [];
  let isBroken = false;
  let wanted: StoredSet | null = null;
  /** Since something newer was stored, or all was healed: when that was, and views per node. */
  let since = 0;
  const views = new Map<string, number>();
  for (const entry of log) {
    if (entry.kind === 'mark' && (entry.mark === 'broken' || entry.mark === 'healed')) {
      isBroken = entry.mark === 'broken';
      since = entry.at;
      views.clear();
    } else if (entry.kind === 'set') {
      wanted = entry;
      since = entry.at;
      views.clear();
    } else if (entry.kind === 'view') views.set(entry.vantage, (views.get(entry.vantage) ?? 0) + 1);
    else if (entry.kind === 'answer' && !isBroken && wanted !== null) {
      const serial = zoneSerial(wanted, entry.zone);
      if (serialCompare(entry.serial, serial) >= 0) continue;
      const intervals = (entry.at - since) / rules.interval;
      if ((views.get(entry.node) ?? 0) <= rules.turns || intervals <= rules.turns) continue;
      const text = `${entry.node} ${entry.zone} has ${entry.serial}, ${intervals.toFixed(1)} intervals after ${serial}`;
      violations.push({ rule: 'caught up', at: entry.at, text });
    }
  }
  return violations;
};

/**
 * A mode that an operator set on any node is in force on all of them within so many turns while nothing is broken, and
 * where it was once in force it stays until the next one is set, whatever fails.
 */
const modesHold: Rule = (log, rules) => {
  const violations: Violation[] = [];
  const wanted = new Map<string, string>();
  const seen = new Map<string, string>();
  const reached = new Set<string>();
  let isBroken = false;
  let since = 0;
  const views = new Map<string, number>();
  for (const entry of log) {
    if (entry.kind === 'mark') {
      const [edge, mode = ''] = entry.what.split(' ');
      if (entry.mark === 'broken' || entry.mark === 'healed') isBroken = entry.mark === 'broken';
      else if (entry.mark === 'mode begins') wanted.delete(edge);
      else if (entry.mark === 'mode set') wanted.set(edge, mode);
      else continue;
      since = entry.at;
      views.clear();
      for (const key of reached) if (key.endsWith(` ${edge}`) && entry.mark.startsWith('mode')) reached.delete(key);
      for (const [key, is] of seen) if (wanted.get(key.split(' ')[1]) === is) reached.add(key);
    } else if (entry.kind === 'view') views.set(entry.vantage, (views.get(entry.vantage) ?? 0) + 1);
    else if (entry.kind === 'mode') {
      const key = `${entry.node} ${entry.edge}`;
      const mode = wanted.get(entry.edge);
      seen.set(key, entry.mode);
      if (mode === entry.mode) reached.add(key);
      else if (reached.has(key)) {
        violations.push({ rule: 'modes hold', at: entry.at, text: `${key}: ${mode} became ${entry.mode}` });
      }
    } else if (entry.kind === 'answer' && !isBroken) {
      const intervals = (entry.at - since) / rules.interval;
      if ((views.get(entry.node) ?? 0) <= rules.turns || intervals <= rules.turns) continue;
      for (const [edge, mode] of wanted) {
        const is = seen.get(`${entry.node} ${edge}`);
        if (is === undefined || is === mode) continue;
        const text = `${entry.node} ${edge} is ${is}, ${intervals.toFixed(1)} intervals after ${mode} was set`;
        violations.push({ rule: 'modes hold', at: entry.at, text });
      }
    }
  }
  return violations;
};

const RULES: Readonly<Record<string, Rule>> = {
  sameOctets,
  onwards,
  storedFirst,
  storedOnwards,
  oneToken,
  justified,
  frozen,
  caughtUp,
  modesHold,
};

function told(says: readonly Say[] | undefined): string {
  return says?.map(({ vantage, up, detail }) => `${vantage} ${up} (${detail})`).join(', ') ?? 'nobody says anything';
}

function short(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
}
