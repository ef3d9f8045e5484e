import type { ProviderAccess } from '../../config/goavail-environment.ts';
import type { Goavail } from '../../config/goavail-file.ts';
import { canonicalAddresses, type LiveTexts } from '../../publish/providers/sets.ts';
import { ProviderTarget } from '../../publish/providers/target.ts';
import { within } from '../../system/deadline.ts';
import type { Log } from '../../system/log-events.ts';
import { WriteBehind } from '../../system/write-behind.ts';
import { type AddressStep, OwnAddresses } from './own-addresses.ts';
import { assumedProvider, type GoavailTarget, goavailNames, goavailTarget, typesOf } from './providers.ts';
import { SlackWebhook, slackText } from './slack.ts';

/**
 * What should be published. `shown`: addresses that have passed, or failed often enough, and of which enough peers agree;
 * others stay as they are.
 */
export type Wanted = {
  readonly goavail: Goavail;
  readonly addresses: ReadonlySet<string>;
  readonly shown: ReadonlySet<string>;
};

export type PublisherOptions = {
  readonly access: ProviderAccess;
  readonly env: Readonly<NodeJS.ProcessEnv>;
  /** Where Slack's webhooks are. */
  readonly slackApi: string;
  readonly dryRun: boolean;
  readonly log: Log;
  /** First pause before what failed is tried again, milliseconds. */
  readonly retryMs?: number;
  /** For tests. */
  readonly target?: typeof goavailTarget;
};

/** Two looks at a provider when nothing changes are at least this far apart, however short the interval is. */
const LOOK_MIN_MS = 5000;
const READ_MS = 10_000;
const END_MS = 5000;
const MESSAGES_MAX = 100;

/** Keeps goavail's names at their provider equal to what the monitor wants. Whoever asks never waits. */
export class GoavailPublisher {
  private readonly options: PublisherOptions;
  private readonly work: WriteBehind<'records'>;
  private wanted: Wanted | null = null;
  private target: ProviderTarget | null = null;
  private madeFor = '';
  private asked = '';
  private lookedAt = Number.NEGATIVE_INFINITY;
  private slack: { readonly webhook: SlackWebhook; readonly path: string } | null = null;
  private sending: Promise<void> = Promise.resolve();
  private unsent = 0;
  private closed = false;

  constructor(options: PublisherOptions) {
    this.options = options;
    const { log, retryMs } = options;
    this.work = new WriteBehind<'records'>({
      onFault: (_, message) => {
        const kind = this.wanted?.goavail.provider.kind ?? '';
        if (this.closed) return;
        if (message === null) {
          log('info', `the records at ${kind} can be kept right again`, 'provider.recovered');
          return;
        }
        const text = `the records at ${kind} cannot be kept right, so it is tried again: ${message}`;
        log('error', text, 'provider.failed');
      },
      ...(retryMs === undefined ? {} : { retryMs }),
    });
  }

  /** Called with every result: what failed is tried again, what is right is looked at again each interval. */
  publish(wanted: Wanted): void {
    const { goavail } = wanted;
    this.wanted = wanted;
    // Of nothing that is published peers agree: it stays, and is not even read.
    if (goavail.cluster !== null && wanted.shown.size === 0) return;
    this.open(goavail);
    const asked = JSON.stringify([[...wanted.addresses], [...wanted.shown], this.madeFor]);
    const now = performance.now();
    const isDue = now - this.lookedAt >= Math.max(goavail.intervalSeconds * 1000, LOOK_MIN_MS);
    if (asked === this.asked && (!isDue || this.work.faults().size > 0)) return;
    this.asked = asked;
    this.lookedAt = now;
    this.work.save('records', () => this.reconcile());
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await this.work.idle();
    await this.sending;
  }

  /** What is under way has a few seconds; then it is given up. */
  async close(): Promise<void> {
    await within(END_MS, this.idle(), () => undefined);
    this.closed = true;
    this.forget();
    await this.work.close();
    await this.slack?.webhook.close();
  }

  private async reconcile(): Promise<void> {
    const faults = (await this.target?.reconcile()) ?? [];
    if (faults.length > 0) throw new Error(faults.map(({ message }) => message).join('; '));
  }

  /** Gives up the target that is kept. */
  private forget(): void {
    void this.target?.close();
    this.target = null;
    this.madeFor = '';
  }

  /** Makes the target, anew where the file's table has changed. */
  private open(goavail: Goavail): void {
    const { access, env, log, dryRun, target: makeTarget = goavailTarget } = this.options;
    const madeFor = JSON.stringify(goavail.provider);
    if (madeFor === this.madeFor) return;
    this.forget();
    this.madeFor = madeFor;
    const found = makeTarget(goavail.provider, access, env, (level, text) => {
      log(level, text, 'provider.message');
    });
    const made: GoavailTarget = found ?? { provider: assumedProvider(goavail), ttl: 1, corrections: () => [] };
    // What is assumed is known from the beginning.
    const shown = (wanted: Wanted): Wanted =>
      found === null ? { ...wanted, shown: new Set(goavail.provider.addresses) } : wanted;
    const own = (): ReadonlySet<string> =>
      new Set(canonicalAddresses(this.wanted === null ? [] : [...shown(this.wanted).shown]));
    const provider = new OwnAddresses({ ...made, own, dryRun, onStep: (step) => this.say(step) });
    const { kind } = goavail.provider;
    this.target = new ProviderTarget({
      spec: {
        name: kind,
        network: 'goavail',
        names: goavailNames(goavail.provider),
        types: typesOf(goavail.provider),
        ttl: made.ttl,
        owner: true,
        timeoutMs: READ_MS,
        // OwnAddresses writes nothing then, and knows what would have been written.
        dryRun: false,
      },
      provider,
      live: () => (this.wanted === null ? null : liveOf(shown(this.wanted))),
      left: { read: async () => ({ left: null, lastRight: null }), write: () => undefined },
      log: () => undefined, // each step is said by itself
      now: () => Date.now() / 1000,
    });
  }

  /** The original's sentence, in the log and to Slack, and ours. */
  private say({ action, name, type, address }: AddressStep): void {
    const { log, dryRun, access } = this.options;
    const { goavail } = this.wanted ?? {};
    if (goavail === undefined) return;
    const { domain, kind } = goavail.provider;
    const text = slackText(action, domain, dryRun);
    const done = dryRun ? `would ${action}` : { add: 'added', remove: 'removed' }[action];
    const event = { event: 'goavail.published', address } as const;
    log('info', text, event);
    log('info', `${done} ${name} ${type} ${address} at ${kind} (${access.api})`, event);
    this.send(goavail, text);
  }

  private send({ slack }: Goavail, text: string): void {
    const { log, slackApi } = this.options;
    if (slack === null) return;
    if (this.slack?.path !== slack.reveal()) {
      void this.slack?.webhook.close();
      this.slack = { path: slack.reveal(), webhook: new SlackWebhook(slackApi, slack) };
    }
    const { webhook } = this.slack;
    if (this.unsent >= MESSAGES_MAX) {
      const waiting = `${this.unsent} messages to Slack wait already, so this one is not sent`;
      log('warn', waiting, 'goavail.slack_failed');
      return;
    }
    this.unsent += 1;
    this.sending = this.sending.then(async () => {
      const problem = await webhook.send(text);
      this.unsent -= 1;
      if (problem !== null) log('warn', problem, 'goavail.slack_failed');
    });
  }
}

/** A family that is listed, but of which nothing passes, goes where the other one answers. */
function liveOf({ addresses, shown, goavail }: Wanted): LiveTexts {
  const live = [...addresses].filter((address) => shown.has(address));
  const v4 = live.filter((address) => !address.includes(':'));
  const v6 = live.filter((address) => address.includes(':'));
  const types = typesOf(goavail.provider);
  const dead = v4.length === 0 && types.includes('A') ? 'v4' : v6.length === 0 && types.includes('AAAA') ? 'v6' : null;
  return { v4, v6, unanswered: live.length === 0 ? null : dead };
}
