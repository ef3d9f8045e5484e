/**
 * A second reading of the specification, for comparison only. It shares nothing with `src/health` and is written to be
 * checked against the text, paragraph by paragraph, not to be fast or short: whole milliseconds, plain loops, no reasons.
 */

export interface NaiveTarget {
  name: string;
  mode: string;
  /** Oldest first, this round's included: [epoch seconds, milliseconds]. */
  samples: [number, number][];
  /** This round's fetch in milliseconds; null when there was none. */
  fetched: number | null;
  fetchedAt: number | null;
  badObject: boolean;
  hasAddress: boolean;
}

export interface NaiveRound {
  now: number;
  goodenough: number; // milliseconds
  timeout: number; // milliseconds
  n: number;
  maxfreq: number;
  killer: number;
  edges: NaiveTarget[];
  canaries: (NaiveTarget & { zone: string })[];
  operatorChange: boolean;
  lastLive: string[];
  rotationList: number[];
  /** By edge: what is remembered of its failures. */
  unsteady: Record<string, NaiveUnsteady>;
  /** By live edge: failed samples in a row while it was live, and when the last of them was taken. */
  missed: Record<string, { count: number; at: number }>;
  /** zone → canary in use, and the edge it stood in for where that is known. */
  active: Record<string, { address: string; victim: string | null }>;
  zoneRotations: Record<string, number[]>;
}

export interface NaiveUnsteady {
  falls: number;
  fails: number;
  passingSince: number | null;
  at: number;
}

export interface NaiveResult {
  states: Record<string, string>;
  canaryStates: Record<string, string>;
  live: string[];
  /** Section 12.4: nothing may be published, so what was published stays. */
  empty: boolean;
  rotated: boolean;
  held: boolean;
  /** Section 6 row 8 and section 3: one entry more where the live list differs, the newest hundred. */
  rotationList: number[];
  /** zone → address in use. */
  used: Record<string, string>;
  heldZones: string[];
  unsteady: Record<string, NaiveUnsteady>;
  /** Live edges that left during a hold. */
  replaced: string[];
}

const NONE = 'none';

/** Section 5, row by row. */
function state(target: NaiveTarget, round: NaiveRound): string {
  if (target.mode === 'unavailable') return NONE;
  if (target.samples.length === 0) return NONE;
  const last = target.samples[target.samples.length - 1][1];
  if (last < round.goodenough) return 'pass_threshold';
  if (last >= round.timeout) return 'fail';

  let windowSum = 0;
  let windowSize = 0;
  let sum = 0;
  for (const [at, took] of target.samples) {
    sum = sum + took;
    if (round.now - at <= 300) {
      windowSum = windowSum + took;
      windowSize = windowSize + 1;
    }
  }
  if (windowSize > 0 && windowSum < round.goodenough * windowSize) return 'pass_window';
  if (sum < round.goodenough * target.samples.length) return 'pass_average';
  return 'pass';
}

function isPassing(word: string): boolean {
  return word === 'pass_threshold' || word === 'pass_window' || word === 'pass_average' || word === 'pass';
}

/** -1 when a's average of all samples is lower, then by name. */
function slower(a: NaiveTarget, b: NaiveTarget): number {
  if (a.samples.length === 0 || b.samples.length === 0) {
    if (a.samples.length > 0) return -1;
    if (b.samples.length > 0) return 1;
    return a.name < b.name ? -1 : 1;
  }
  let sumA = 0;
  let sumB = 0;
  for (const s of a.samples) sumA += s[1];
  for (const s of b.samples) sumB += s[1];
  const crossA = sumA * b.samples.length;
  const crossB = sumB * a.samples.length;
  if (crossA !== crossB) return crossA < crossB ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}

function sameSet(a: string[], b: string[]): boolean {
  return JSON.stringify([...a].sort()) === JSON.stringify([...b].sort());
}

function countYoung(times: number[], now: number): number {
  let young = 0;
  for (const at of times) {
    if (at > now) continue; // the clock was set back since: "times in the future count for nothing"
    if (now - at < 600) young++;
  }
  return young;
}

export function naiveRound(round: NaiveRound): NaiveResult {
  // Section 5.
  const states: Record<string, string> = {};
  for (const edge of round.edges) states[edge.name] = state(edge, round);

  // Flapping: falls are counted, and after the second an edge must pass for 60 s, 120 s, … at most 1800 s.
  const unsteady: Record<string, NaiveUnsteady> = {};
  for (const edge of round.edges) {
    const old = round.unsteady[edge.name];
    if (edge.fetchedAt === null || states[edge.name] === NONE || old?.at === edge.fetchedAt) {
      if (old !== undefined) unsteady[edge.name] = old;
      continue;
    }
    if (!isPassing(states[edge.name])) {
      let falls = 1;
      if (old !== undefined) falls = old.passingSince === null ? old.falls : old.falls + 1;
      unsteady[edge.name] = { falls, fails: (old?.fails ?? 0) + 1, passingSince: null, at: edge.fetchedAt };
    } else if (old !== undefined) {
      const since = old.passingSince === null ? edge.fetchedAt : old.passingSince;
      if (edge.fetchedAt - since < 3600)
        unsteady[edge.name] = { falls: old.falls, fails: 0, passingSince: since, at: edge.fetchedAt };
    }
  }
  const mustWait = (name: string): boolean => {
    const own = unsteady[name];
    if (own === undefined || own.passingSince === null || round.lastLive.includes(name)) return false;
    if (own.passingSince > round.now) return false; // the clock was set back since
    let wait = 0;
    for (let fall = 2; fall <= own.falls; fall++) wait = wait === 0 ? 60 : wait * 2;
    if (wait > 1800) wait = 1800;
    return own.passingSince + wait > round.now;
  };

  // Section 6: "Names in canary values are excluded from everything here"; 12.5: unavailable and unlisted ones too.
  const canaryNames = round.canaries.map((c) => c.name);
  const usable: NaiveTarget[] = [];
  for (const edge of round.edges) {
    if (canaryNames.includes(edge.name)) continue;
    if (edge.mode === 'unavailable') continue;
    if (!edge.hasAddress) continue; // "unresolvable ones omitted"
    usable.push(edge);
  }

  // 12.6 and 12.10: all forced edges are live, even beyond N and even where they were live already.
  const chosen: NaiveTarget[] = [];
  for (const edge of usable) {
    if (edge.mode === 'blindforce') chosen.push(edge);
    if (edge.mode === 'force' && isPassing(states[edge.name])) chosen.push(edge);
  }

  // 12.10: where nothing else puts them in order, the name does.
  chosen.sort((a, b) => (a.name < b.name ? -1 : 1));

  // Still-healthy: last live and pass_threshold now; the fastest first where not all have a place.
  const still = usable.filter(
    (e) => !chosen.includes(e) && round.lastLive.includes(e.name) && states[e.name] === 'pass_threshold',
  );
  still.sort(slower);
  while (still.length > 0 && chosen.length < round.n) chosen.push(still.shift() as NaiveTarget);

  // Filling, state by state. Still-healthy ones left over mean that there is no place left anyway.
  const fill = (which: (name: string) => boolean): void => {
    for (const word of ['pass_threshold', 'pass_window', 'pass_average', 'pass']) {
      const group = usable.filter((e) => !chosen.includes(e) && states[e.name] === word && which(e.name));
      group.sort(slower);
      for (const edge of group) if (chosen.length < round.n) chosen.push(edge);
    }
  };
  // 12.4: top up from last live, by average, then name, verification failures last.
  const topUp = (which: (name: string) => boolean): void => {
    const lastOnes = usable.filter((e) => !chosen.includes(e) && round.lastLive.includes(e.name) && which(e.name));
    const clean = lastOnes.filter((e) => !e.badObject).sort(slower);
    const bad = lastOnes.filter((e) => e.badObject).sort(slower);
    for (const edge of clean.concat(bad)) if (chosen.length < round.n) chosen.push(edge);
  };
  fill((name) => !mustWait(name));
  const flapping = usable.some((e) => !chosen.includes(e) && isPassing(states[e.name]) && mustWait(e.name));
  const steady = usable.some((e) => isPassing(states[e.name]) && !mustWait(e.name));
  // Edges that flap wait behind live ones that failed once or twice, as long as something else passes.
  if (flapping && steady) topUp((name) => !isPassing(states[name]) && (unsteady[name]?.fails ?? 0) < 3);
  fill(() => true);
  topUp(() => true);
  const inOrder = chosen.map((e) => e.name);

  let live = chosen.map((e) => e.name).sort();

  // 12.9.
  let held = false;
  const replaced: string[] = [];
  const listed = round.edges.map((e) => e.name);
  const takenOut = round.lastLive.some((name) => {
    if (!listed.includes(name)) return true;
    if (canaryNames.includes(name)) return true;
    return round.edges.some((e) => e.name === name && e.mode === 'unavailable');
  });
  const keepable = round.lastLive.filter((name) => usable.some((e) => e.name === name));
  const tooMany = countYoung(round.rotationList, round.now) >= round.maxfreq;
  if (tooMany && !round.operatorChange && !takenOut && keepable.length > 0 && !sameSet(live, keepable)) {
    const oldPasses = keepable.some((name) => isPassing(states[name]));
    const newPasses = live.some((name) => isPassing(states[name]));
    if (oldPasses || !newPasses) {
      const wanted = live;
      live = [...keepable].sort();
      // A member that failed three times in a row leaves when a passing edge takes its place.
      const joining = inOrder.filter((name) => isPassing(states[name]) && !keepable.includes(name));
      for (const name of [...live]) {
        const edge = round.edges.find((e) => e.name === name);
        const old = round.missed[name];
        let count = old?.count ?? 0;
        if (edge !== undefined && edge.fetchedAt !== null && edge.fetchedAt !== old?.at) count++;
        if (isPassing(states[name]) || count < 3 || joining.length === 0) continue;
        live[live.indexOf(name)] = joining.shift() as string;
        replaced.push(name);
      }
      live.sort();
      held = !sameSet(live, wanted);
    }
  }

  const empty = live.length === 0;
  const rotated = !empty && !sameSet(live, round.lastLive);

  const rotationList = [...round.rotationList];
  if (rotated) rotationList.push(round.now);
  while (rotationList.length > 100) rotationList.shift();

  // Section 8: judged as edges are; the killer counts distinct failing addresses.
  const canaryStates: Record<string, string> = {};
  const failing: string[] = [];
  for (const canary of round.canaries) {
    canaryStates[canary.name] = state(canary, round);
    if (canary.fetched !== null && canary.fetched >= round.timeout && !failing.includes(canary.name)) {
      failing.push(canary.name);
    }
  }
  if (round.killer > 0 && failing.length >= round.killer) {
    for (const name of Object.keys(canaryStates)) canaryStates[name] = 'fail';
  }

  const used: Record<string, string> = {};
  const heldZones: string[] = [];
  for (const canary of round.canaries) {
    const before = round.active[canary.zone];
    const inUse = before !== undefined && before.address === canary.name;
    if (empty) {
      if (inUse) used[canary.zone] = canary.name;
      continue;
    }
    let use = isPassing(canaryStates[canary.name]);
    const young = countYoung(round.zoneRotations[canary.zone] ?? [], round.now);
    const replaced = before !== undefined && before.address !== canary.name;
    const operator = round.operatorChange || canary.mode === 'unavailable' || replaced;
    if (use !== inUse && young >= round.maxfreq && !operator) {
      // What the zone publishes now, and what it would.
      const passing = live.filter((name) => isPassing(states[name]));
      let free = false;
      if (use) free = passing.length === 0;
      if (!use) {
        // The canary fails; only where its victim is the one passing edge does the zone gain by dropping it.
        const victim = before?.victim ?? null;
        if (victim !== null && live.includes(victim)) free = passing.length === 1 && passing[0] === victim;
        else free = passing.length === 1 && live.length === 1; // else a failing edge would be drawn as victim
      }
      if (!free) {
        use = inUse;
        heldZones.push(canary.zone);
      }
    }
    if (use) used[canary.zone] = canary.name;
  }

  return { states, canaryStates, live, empty, rotated, held, rotationList, used, heldZones, unsteady, replaced };
}
