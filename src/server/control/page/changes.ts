/**
 * Which version of each section is the newest: noticed by comparing a few figures once a second, not by rendering, and
 * only while somebody looks.
 */
import { createHash } from 'node:crypto';
import type { Guard } from '../../../system/guard.ts';
import type { NetworkView, StatusView } from '../views/views.ts';
import { type SectionKey, sectionKeys } from './sections.ts';

/** Whoever listens (`StreamSink`). */
export type Listener = { readonly write: (text: string) => boolean; readonly end: () => void };

const TICK_MS = 1000;
/** Figures that change all the time (fetch times, the rate of queries) are shown anew so often, seconds. */
const ROUTINE_SECONDS = 10;
/** Zones, secondaries and the rest, whose figures take longer to look at, every so many ticks. */
const SLOW_TICKS = 5;
/** An event at least so often shows a page that the connection still works, ticks. A page waits 30 s for one. */
const HEARTBEAT_TICKS = 10;
/** The rate of queries is that of about so many seconds. */
const RATE_SECONDS = 10;

/** `urgent`: what a person should see at once; `routine`: all else that the section shows. */
type Signature = { readonly urgent: string; readonly routine: string };
type Known = Signature & { readonly number: number; readonly at: number };
type Counted = { readonly at: number; readonly queries: number };

export class PageChanges {
  private readonly view: StatusView;
  private readonly guard: Guard;
  /** Of the files of the page: one that was loaded with others is out of date. */
  private readonly files: string;
  private readonly known = new Map<SectionKey, Known>();
  /** Listeners, and whether each has all that was said so far. */
  private readonly listeners = new Map<Listener, { isCurrent: boolean }>();
  private readonly counted: Counted[] = [];
  private timer: NodeJS.Timeout | null = null;
  private ticks = 0;
  private lookedAt = Number.NEGATIVE_INFINITY;

  constructor(view: StatusView, guard: Guard, files: string) {
    this.view = view;
    this.guard = guard;
    this.files = files;
  }

  /** Of one process: `lx3f.12`. A section that is not there has none. */
  version(key: SectionKey): string {
    return `${Math.round(this.view.startedAt * 1000).toString(36)}.${this.known.get(key)?.number ?? 0}`;
  }

  /**
   * Looks at everything now, unless that was done within the last second: for whoever asks for the whole page.
   * `isSure`: in any case, because something was changed.
   */
  look(isSure = false): void {
    if (!isSure && performance.now() - this.lookedAt < TICK_MS) return;
    const changed = this.compare(true, true);
    this.tell(changed);
  }

  /** Version of the server and of its page's files. */
  get page(): string {
    return `${this.view.version} ${this.files}`;
  }

  /** Whether changes are looked for every second. */
  get isWatched(): boolean {
    return this.timer !== null;
  }

  /** Queries per second lately; null: not known yet. */
  rate(): { readonly perSecond: number; readonly over: number } | null {
    const [first] = this.counted;
    const last = this.counted.at(-1);
    if (first === undefined || last === undefined || last.at - first.at < 1) return null;
    const over = last.at - first.at;
    return { perSecond: (last.queries - first.queries) / over, over };
  }

  /** Says the versions of all sections, then what changes. Returns what ends it. */
  listen(listener: Listener): () => void {
    this.look();
    const keys = sectionKeys(this.view);
    this.listeners.set(listener, { isCurrent: listener.write(`retry: 3000\n\n${this.event('hello', keys)}`) });
    if (this.timer === null) {
      this.timer = setInterval(
        this.guard.protect('http', () => this.tick()),
        TICK_MS,
      );
      this.timer.unref();
    }
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size > 0 || this.timer === null) return;
      clearInterval(this.timer);
      this.timer = null;
    };
  }

  private tick(): void {
    this.ticks += 1;
    const changed = this.compare(this.ticks % SLOW_TICKS === 0, false);
    this.tell(changed);
    if (changed.length > 0 || this.ticks % HEARTBEAT_TICKS !== 0) return;
    for (const listener of this.listeners.keys())
      listener.write(`event: beat\ndata: ${JSON.stringify({ now: this.view.now() })}\n\n`);
  }

  private tell(changed: readonly SectionKey[]): void {
    if (changed.length === 0 || this.listeners.size === 0) return;
    const text = this.event('change', changed);
    for (const [listener, state] of this.listeners) {
      // One that did not keep up gets everything as soon as it does.
      const missed = state.isCurrent ? text : this.event('hello', sectionKeys(this.view));
      state.isCurrent = listener.write(missed);
    }
  }

  private event(name: 'hello' | 'change', keys: readonly SectionKey[]): string {
    const sections = Object.fromEntries(keys.map((key) => [key, this.version(key)]));
    return `event: ${name}\ndata: ${JSON.stringify({ now: this.view.now(), ...(name === 'hello' ? { page: this.page } : {}), sections })}\n\n`;
  }

  /** The sections that are to be shown anew. `isFresh`: figures, too, however new the last ones are. */
  private compare(isSlow: boolean, isFresh: boolean): readonly SectionKey[] {
    this.lookedAt = performance.now();
    const now = this.view.now();
    if (isSlow) this.count(now);
    const networks = this.view.networks();
    const changed: SectionKey[] = [];
    const note = (key: SectionKey, signature: Signature): void => {
      const before = this.known.get(key);
      const isDue = isFresh || before === undefined || Math.abs(now - before.at) >= ROUTINE_SECONDS;
      const isUrgent = before?.urgent !== signature.urgent;
      if (!isUrgent && !(isDue && before.routine !== signature.routine)) return;
      this.known.set(key, { ...signature, number: (before?.number ?? 0) + 1, at: now });
      changed.push(key);
    };
    for (const network of networks) note(`network/${network.name}`, networkSignature(network));
    note('summary', this.summarySignature(networks, now));
    if (isSlow || !this.known.has('zones')) {
      for (const [key, signature] of Object.entries(slowSignatures(this.view, networks))) {
        note(key as SectionKey, { urgent: signature, routine: '' });
      }
    }
    // A network that is gone is gone from every page: its absence from `hello` says so.
    const names = new Set(networks.map(({ name }) => `network/${name}`));
    for (const key of this.known.keys()) {
      if (!key.startsWith('network/') || names.has(key)) continue;
      this.known.delete(key);
      for (const state of this.listeners.values()) state.isCurrent = false;
      changed.push('summary');
    }
    return changed;
  }

  private count(at: number): void {
    const { queries } = this.view.stats();
    const newest = this.counted.at(-1);
    if (newest !== undefined && at <= newest.at) this.counted.length = 0; // the clock was set back
    this.counted.push({ at, queries: queries.reduce((sum, { count }) => sum + count, 0) });
    while (this.counted.length > 2 && at - this.counted[0].at > RATE_SECONDS) this.counted.shift();
  }

  private summarySignature(networks: readonly NetworkView[], now: number): Signature {
    const { ok, stale, broken } = this.view.zoneStates();
    const parts = [
      this.view.ready(),
      this.view.prober().alive,
      ok,
      stale.length,
      broken.length,
      this.view.partFaults().map(({ message }) => message.replace(/\d+/g, '#')),
      this.view.contained().length,
      networks.map((network) => [network.name, urgentOf(network)]),
    ];
    return { urgent: digest(parts), routine: String(now) };
  }
}

function networkSignature(network: NetworkView): Signature {
  let samples = 0;
  for (const { sample } of network.members.values()) samples += sample?.at ?? 0;
  const { decision, round, serial, wanted, goodenough, timeout, maxfreq } = network;
  const routine = [decision?.at, round.lastRun, serial, samples, round.seconds, wanted, goodenough, timeout, maxfreq];
  return { urgent: digest(urgentOf(network)), routine: routine.join() };
}

/** What is live, up, set, held or wrong in it. */
function urgentOf({ decision, live, members, edges, round, notStored, agreement, changes }: NetworkView): unknown {
  return [
    live,
    edges,
    decision?.hold,
    decision?.notes,
    decision?.verdicts.map(({ judgement }) => judgement),
    decision?.canaries.map(({ active, held }) => [active, held]),
    decision?.safety,
    [...members].map(([name, { mode, comment, modeUntil, sample, uptime }]) => [
      name,
      mode,
      comment,
      modeUntil,
      sample?.fail?.reason,
      uptime.up,
      uptime.since,
      uptime.position,
    ]),
    [round.overdue, round.failure !== null, round.overlong !== null, round.silence, round.unchecked, round.unsaved],
    notStored,
    agreement?.excluded,
    agreement === null ? null : [...agreement.quorums].map(([edge, { says }]) => [edge, says.map(({ up }) => up)]),
    changes.at(-1)?.at,
  ];
}

type SlowKey = Exclude<SectionKey, 'summary' | `network/${string}`>;

function slowSignatures(view: StatusView, networks: readonly NetworkView[]): { readonly [key in SlowKey]: string } {
  const source = view.vantage();
  return {
    zones: digest(
      view
        .zones()
        .map(({ name, network, state, serial, faults, records, signaturesEnd, loadedAt }) => [
          name,
          network,
          state,
          serial,
          faults.length,
          records,
          signaturesEnd,
          loadedAt,
        ]),
    ),
    secondaries: digest(
      view
        .secondaries()
        .map(({ secondary, zone, serial, ourSerial, state, error, lagSeconds }) => [
          secondary,
          zone,
          serial,
          ourSerial,
          state,
          error,
          state === 'current' ? 0 : Math.round((lagSeconds ?? 0) / ROUTINE_SECONDS),
        ]),
    ),
    publish: digest([
      view
        .providers()
        .map(({ name, state, since, lastRight, problem, corrections }) => [
          name,
          state,
          since,
          Math.round((lastRight ?? 0) / 60),
          problem,
          corrections,
        ]),
      [...view.notices()],
      view.partFaults().filter(({ part }) => part === 'notices'),
    ]),
    vantage: digest(
      source === null
        ? null
        : [
            source.isConnected,
            source.role,
            source.override,
            source.faults,
            source.warnings,
            source.vantages.map(({ name, reachable, version, problem }) => [name, reachable, version, problem]),
            networks.map(({ name, serial, agreement }) => [name, serial, agreement?.counting, agreement?.excluded]),
          ],
    ),
  };
}

function digest(value: unknown): string {
  return createHash('sha1')
    .update(JSON.stringify(value) ?? '')
    .digest('base64');
}
