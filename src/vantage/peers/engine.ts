/** Vantages that ask each other, with nothing to install: each serves its own views and decides for itself. */

import type { KeyObject } from 'node:crypto';
import type { VantageView } from '../../health/agreement/view.ts';
import type { Endpoint } from '../../system/address.ts';
import type { Guard } from '../../system/guard.ts';
import type { Log } from '../../system/log-events.ts';
import { Turns } from '../../system/turns.ts';
import type { Engine, EngineEvents, VantageStatus } from '../engine.ts';
import { Asker } from './asker.ts';
import { Listener, type ListenerTls, type Reply } from './listener.ts';
import {
  answerContext,
  answerText,
  type PeerAnswer,
  type PeerRequest,
  REQUEST_CONTEXT,
  readRequest,
  WAIT_MAX_MS,
} from './messages.ts';
import { OwnViews } from './own-views.ts';
import { ReceivedViews } from './received-views.ts';
import { type RefusalKind, Refusals } from './refusals.ts';
import { open, seal } from './sealing.ts';
import { Sessions } from './sessions.ts';

/** What a reload may change. */
export type PeersSettings = {
  readonly name: string;
  readonly listen: Endpoint;
  readonly peers: readonly { readonly name: string; readonly url: string }[];
  /** Of 16, 24 or 32 octets. */
  readonly key: KeyObject;
  /** Null: our listener speaks HTTP in the clear. */
  readonly tls: ListenerTls | null;
  /** PEM of the authorities that sign the peers' certificates; null: the system's. */
  readonly ca: string | null;
  /** Seconds between two views of a network. */
  readonly interval: number;
  /** Seconds that a peer may take to answer, besides waiting for something new. */
  readonly timeout: number;
};

/** `decode` null: it is no view. */
export type ViewCodec = {
  readonly encode: (view: VantageView) => string;
  readonly decode: (value: unknown) => VantageView | null;
};

export type PeersEngineOptions = {
  readonly settings: PeersSettings;
  readonly codec: ViewCodec;
  /** Of Edgewise. */
  readonly version: string;
  readonly events: Pick<EngineEvents, 'onView'>;
  readonly guard: Guard;
  readonly log: Log;
  /** Epoch seconds. */
  readonly now: () => number;
  readonly monotonicMs?: () => number;
};

export type PeersEngine = Engine & {
  /** Resolves when what has changed is in use, or is being tried. Never rejects. */
  readonly reconfigure: (settings: PeersSettings) => Promise<void>;
  /** Where it listens, with the port that was chosen; null: it does not. */
  readonly endpoint: () => Endpoint | null;
  /** What was refused, how often since the start. */
  readonly refusals: () => ReadonlyMap<RefusalKind, number>;
};

export function makePeersEngine(options: PeersEngineOptions): PeersEngine {
  const peers = new Peers(options);
  return {
    kind: 'peers',
    start: () => peers.start(),
    stop: () => peers.stop(),
    publishView: (view) => peers.publishView(view),
    views: (network) => peers.views(network),
    vantages: () => peers.vantages(),
    faults: () => peers.faults(),
    warnings: () => [],
    agreement: null,
    reconfigure: (settings) => peers.reconfigure(settings),
    endpoint: () => peers.endpoint(),
    refusals: () => peers.refusals.counts(),
  };
}

/** What is known of one peer. Milliseconds by our monotonic clock. */
type Peer = {
  readonly name: string;
  readonly url: string;
  readonly sessions: Sessions;
  readonly asker: Asker;
  /** What its asker was made for: another one of them, another asker. */
  readonly madeFor: { readonly text: string; readonly key: KeyObject };
  answeredMs: number | null;
  askedMs: number | null;
  version: string | null;
  clockOffset: number | null;
  problem: string | null;
};

class Peers {
  readonly refusals: Refusals;
  private readonly options: PeersEngineOptions;
  private readonly monotonicMs: () => number;
  private readonly own: OwnViews;
  private readonly received = new ReceivedViews();
  private settings: PeersSettings;
  private peers: ReadonlyMap<string, Peer> = new Map();
  private listener: Listener | null = null;
  private readonly turns = new Turns();
  private stopped = false;

  constructor(options: PeersEngineOptions) {
    this.options = options;
    this.settings = options.settings;
    this.monotonicMs = options.monotonicMs ?? (() => performance.now());
    this.own = new OwnViews(this.monotonicMs);
    this.refusals = new Refusals((text) => options.log('warn', text, 'vantage.refused'), this.monotonicMs);
  }

  start(): Promise<void> {
    return this.turns.take(async () => {
      if (this.stopped) return;
      this.openPeers();
      await this.openListener();
    });
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.own.wakeAll();
    const { peers, listener } = this;
    await Promise.all([listener?.close(), ...[...peers.values()].map(({ asker }) => asker.stop())]);
  }

  reconfigure(settings: PeersSettings): Promise<void> {
    return this.turns.take(async () => {
      const { listen, tls } = this.settings;
      this.settings = settings;
      if (this.stopped || this.listener === null) return; // `start` goes by the new ones
      this.openPeers();
      const isSame = JSON.stringify([listen, tls]) === JSON.stringify([settings.listen, settings.tls]);
      if (isSame) return;
      await this.listener.close();
      await this.openListener();
    });
  }

  publishView(view: VantageView): void {
    const before = this.own.problems.get(view.network) ?? null;
    const problem = this.own.show(view, this.options.codec.encode(view));
    if (problem !== null && problem !== before) {
      this.options.log('error', problem, { event: 'vantage.view_fault', network: view.network });
    }
  }

  views(network: string): ReturnType<ReceivedViews['of']> {
    return this.received.of(network, this.monotonicMs());
  }

  vantages(): readonly VantageStatus[] {
    const now = this.monotonicMs();
    const self: VantageStatus = {
      name: this.settings.name,
      isSelf: true,
      reachable: this.listener?.problem === null,
      lastHeard: 0,
      version: this.options.version,
      clockOffset: 0,
      problem: this.listener?.problem ?? null,
    };
    const others = [...this.peers.values()].map(({ name, answeredMs, version, clockOffset, problem, askedMs }) => ({
      name,
      isSelf: false,
      reachable: problem === null && answeredMs !== null,
      lastHeard: answeredMs === null ? null : (now - answeredMs) / 1000,
      version,
      clockOffset,
      problem: problem === null ? null : `${problem}${this.asksText(askedMs)}`,
    }));
    return [self, ...others];
  }

  faults(): readonly string[] {
    const listening = this.listener?.problem ?? null;
    return [
      ...(listening === null ? [] : [listening]),
      ...this.own.problems.values(),
      ...[...this.peers.values()].flatMap((peer) =>
        peer.problem === null ? [] : [`${peerText(peer)}: ${peer.problem}${this.asksText(peer.askedMs)}`],
      ),
    ];
  }

  endpoint(): Endpoint | null {
    return this.listener?.endpoint ?? null;
  }

  /** It matters to whoever looks for the fault: one way works. */
  private asksText(askedMs: number | null): string {
    const isRecent = askedMs !== null && this.monotonicMs() - askedMs <= 3000 * this.settings.interval;
    return isRecent ? ' (it does ask us)' : '';
  }

  private async openListener(): Promise<void> {
    const { guard, log } = this.options;
    const { listen, tls } = this.settings;
    const listener = new Listener({
      endpoint: listen,
      tls,
      reply: (body, sender, signal) => this.reply(body, sender, signal),
      refusals: this.refusals,
      guard,
      log,
    });
    this.listener = listener;
    if (!this.stopped) await listener.start();
  }

  /** Peers that are as they were go on. */
  private openPeers(): void {
    const { peers, name, key, ca, interval, timeout } = this.settings;
    const old = this.peers;
    const opened = peers.map((peer): Peer => {
      const text = JSON.stringify([name, ca, interval, timeout, peer.url]);
      const was = old.get(peer.name);
      if (was?.madeFor.text === text && was.madeFor.key.equals(key)) return was;
      return this.openPeer(peer, { text, key }, was);
    });
    this.peers = new Map(opened.map((peer) => [peer.name, peer]));
    for (const [peer, was] of old) if (this.peers.get(peer) !== was) this.options.guard.run('peers', was.asker.stop());
    this.received.keep(new Set(this.peers.keys()));
    for (const [peer, now] of this.peers) if (old.get(peer) !== now) now.asker.start();
  }

  private openPeer(of: { readonly name: string; readonly url: string }, madeFor: Peer['madeFor'], was?: Peer): Peer {
    const { guard, now, log } = this.options;
    const { name: from, key, ca, interval, timeout } = this.settings;
    const asker = new Asker({
      from,
      peer: of,
      key,
      ca,
      waitMs: Math.min(WAIT_MAX_MS, interval * 1000),
      timeoutMs: timeout * 1000,
      known: () => this.received.known(of.name),
      onAnswer: (answer, transitMs) => this.take(peer, answer, transitMs),
      onForged: () =>
        this.refusals.add(
          'forged-answer',
          of.name,
          `${peerText(of)}: an answer that was not sealed for our request is refused`,
        ),
      onProblem: (problem) => {
        peer.problem = problem;
        const vantage = of.name;
        if (problem === null) {
          log('info', `${peerText(of)}: it answers again`, { event: 'vantage.peer_recovered', vantage });
        } else log('warn', `${peerText(of)}: ${problem}`, { event: 'vantage.peer_failed', vantage });
      },
      guard,
      now,
      monotonicMs: this.monotonicMs,
    });
    const peer: Peer = {
      ...of,
      asker,
      madeFor,
      sessions: was?.sessions ?? new Sessions(),
      answeredMs: was?.answeredMs ?? null,
      askedMs: was?.askedMs ?? null,
      version: was?.version ?? null,
      clockOffset: was?.clockOffset ?? null,
      problem: null,
    };
    return peer;
  }

  /** What a peer answered. False: none of it was new. */
  private take(peer: Peer, answer: PeerAnswer, transitMs: number): boolean {
    if (this.stopped || this.peers.get(peer.name) !== peer) return false;
    let isNews = false;
    const clock = { now: this.options.now(), nowMs: this.monotonicMs() };
    peer.answeredMs = clock.nowMs;
    peer.version = answer.version;
    peer.clockOffset = answer.clock - (clock.now - transitMs / 2000);
    for (const { ageMs, view: value } of answer.views) {
      const view = this.options.codec.decode(value);
      if (view === null || view.vantage !== peer.name) {
        const why = view === null ? 'what is no view' : `a view of "${view.vantage}"`;
        this.refusals.add('bad-view', peer.name, `${peerText(peer)}: it answers with ${why}, which is refused`);
      } else if (this.received.take(peer.name, view, ageMs + transitMs, clock)) {
        isNews = true;
        this.options.events.onView(view.network, peer.name);
      }
    }
    return isNews;
  }

  /** Answers a request, or refuses it; what is not sealed with our key costs no more than trying to open it. */
  private async reply(body: Buffer, sender: string, signal: AbortSignal): Promise<Reply> {
    const { name, key } = this.settings;
    const text = open(key, 'request', REQUEST_CONTEXT, body);
    if (text === null) {
      return this.refuse(
        401,
        'wrong-key',
        sender,
        `a request from ${sender} was sealed with another key, or is forged`,
      );
    }
    const request = readRequest(text);
    if (request === null) {
      return this.refuse(400, 'malformed', sender, `a request from ${sender} is not what this version knows`);
    }
    const { from, to } = request;
    if (to !== name) {
      const why = `a request from ${sender} is for ${JSON.stringify(to)}, and this is "${name}"`;
      return this.refuse(421, 'other-recipient', sender, why);
    }
    const peer = this.peers.get(from);
    if (peer === undefined) {
      const why = `a request from ${sender} is of ${JSON.stringify(from)}, which is no peer here`;
      return this.refuse(403, 'unknown-peer', sender, why);
    }
    const freshness = peer.sessions.check(request);
    if (freshness === 'replayed') {
      return this.refuse(409, 'replayed', from, `${peerText(peer)}: a request that was seen before is refused`);
    }
    if (freshness === 'unknown-session') return this.answer(peer, request, key, null);
    const started = this.monotonicMs();
    peer.askedMs = started;
    await this.own.wait(from, request.known, Math.min(WAIT_MAX_MS, request.waitMs), signal);
    return this.answer(peer, request, key, this.monotonicMs() - started);
  }

  /** `waitedMs` null: the request has to come again, with the session. */
  private answer({ sessions }: Peer, request: PeerRequest, key: KeyObject, waitedMs: number | null): Reply {
    const text = answerText(
      {
        from: request.to,
        to: request.from,
        session: sessions.session,
        isNewSession: waitedMs === null,
        version: this.options.version,
        clock: this.options.now(),
        waitedMs: waitedMs ?? 0,
      },
      waitedMs === null ? [] : this.own.news(request.known),
    );
    return { status: 200, body: seal(key, 'answer', answerContext(request), text), isTrusted: waitedMs !== null };
  }

  private refuse(status: number, kind: RefusalKind, sender: string, why: string): Reply {
    this.refusals.add(kind, sender, `peers: ${why}; it is refused`);
    return { status, body: null, isTrusted: false };
  }
}

function peerText({ name, url }: { readonly name: string; readonly url: string }): string {
  return `peer ${name} (${url})`;
}
