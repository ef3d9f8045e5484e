/** What administrators have the server do over HTTP (`ControlActions`), each in one line of the log. */
import type { Config } from '../config/types.ts';
import type { Decision } from '../health/choose/decision.ts';
import { operatorAction } from '../health/choose/operator-action.ts';
import { list } from '../health/judge/reason.ts';
import { appendModeChange } from '../health/modes/mode-changes.ts';
import { modeEffects } from '../health/modes/mode-effects.ts';
import { expireMode, withMode } from '../health/modes/modes.ts';
import { sendTestNotice } from '../publish/notices/test-notice.ts';
import { edgeVersion } from '../server/control/api/edge-version.ts';
import type {
  ActionFault,
  ActionResult,
  Author,
  ControlActions,
  ModeOrder,
  ModeSet,
  Updated,
} from '../server/control/http/control-actions.ts';
import { errorText } from '../system/error-text.ts';
import { formatFault } from '../system/fault.ts';
import type { Log, Logged } from '../system/log-events.ts';
import { oneLine } from '../system/printable.ts';
import { exists } from '../system/set-aside.ts';
import { sendSyslog } from '../system/syslog-datagram.ts';
import type { Networks } from './networks.ts';
import { Pace } from './pace.ts';
import type { Reloads } from './reloads.ts';

export type ControlActionsOptions = {
  readonly config: () => Config;
  readonly networks: Pick<Networks, 'clockOf' | 'modeChanged' | 'stores'>;
  readonly reloads: () => Pick<Reloads, 'reloadWithOutcome'>;
  readonly log: Log;
  /** Left out: port 514 of this machine. */
  readonly syslog?: (text: string) => Promise<void>;
};

/** Seconds between two of a kind: probes of one edge, decisions of one network, tests of one target. */
const PROBE_S = 2;
const UPDATE_S = 1;
const NOTICE_S = 5;
/** Probes at a time, of all edges. */
const PROBES_MAX = 10;

type Who = { readonly author: string; readonly client: string };
type AdminEvent = Logged<
  'admin.mode_set' | 'admin.probed' | 'admin.updated' | 'admin.reloaded' | 'admin.notice_tested'
>;

export function controlActions(options: ControlActionsOptions): ControlActions {
  const { log } = options;
  const [probes, updates, tests] = [new Pace(PROBE_S, PROBES_MAX), new Pace(UPDATE_S), new Pace(NOTICE_S)];

  /** Does it, whatever is thrown, and logs who had what done and what came of it. */
  const audited = async <Value>(
    what: string,
    { name: author, client }: Author,
    done: (who: Who) => AdminEvent,
    work: () => Promise<ActionResult<Value>>,
  ): Promise<ActionResult<Value>> => {
    const result = await work().catch((error: unknown): ActionResult<Value> => fault('failed', errorText(error)));
    const who = `${what} by ${author} from ${client}`;
    if (result.ok) log('info', `${who}: done`, done({ author, client }));
    else log('warn', `${who}: ${oneLine(result.fault.message)}`, { event: 'admin.refused', author, client });
    return result;
  };

  return {
    setMode: (order, author) => {
      const { network, edge, mode, until } = order;
      const comment = oneLine(order.comment);
      const end = until === null ? '' : ` until ${new Date(until * 1000).toISOString()}`;
      const why = comment === '' ? '' : ` (${comment})`;
      const what = `mode ${mode}${end} of ${edge} in ${network}${why}`;
      const done = (who: Who): AdminEvent => ({ event: 'admin.mode_set', ...who, network, edge, mode, comment });
      return audited(what, author, done, () => setMode(options, order, author));
    },
    probeNow: ({ network, edge }, author) =>
      audited(
        `probe of ${edge} in ${network}`,
        author,
        (who) => ({ event: 'admin.probed', ...who, network, edge }),
        async () => {
          const clock = options.networks.clockOf(network);
          if (clock === null) return notServed(network);
          if (clock.files?.edges.includes(edge) !== true) return notListed(network, edge);
          return probes.run(`${network} ${edge}`, async () => {
            const sample = await clock.rounds.probeNow(edge, author.name);
            if (sample === null) return fault('failed', `${edge} could not be asked; the log says why`);
            return 'failure' in sample ? fault('failed', sample.failure.message) : { ok: true, value: sample };
          });
        },
      ),
    updateNow: ({ network, force, reason: given }, author) => {
      const reason = oneLine(given ?? '') || null;
      return audited(
        `${force ? 'forced ' : ''}update of ${network}${reason === null ? '' : ` (${reason})`}`,
        author,
        (who) => ({ event: 'admin.updated', ...who, network }),
        async () => {
          const clock = options.networks.clockOf(network);
          if (clock === null) return notServed(network);
          const action = operatorAction({ action: force ? 'forced_update' : 'update', by: author.name, reason });
          return updates.run(network, async (): Promise<ActionResult<Updated>> => {
            const report = await clock.updateNow(action);
            if (report === null) return fault('failed', `nothing can be decided about ${network} yet`);
            const { decision, liveChanged, state } = report;
            const held = clock.rounds.notStored ?? heldText(decision);
            return {
              ok: true,
              value: { changed: liveChanged, live: state.live.map(({ edge }) => edge), serial: state.serial, held },
            };
          });
        },
      );
    },
    reload: (author) =>
      audited(
        'reload',
        author,
        (who) => ({ event: 'admin.reloaded', ...who }),
        async () => {
          const { refused, faults } = await options.reloads().reloadWithOutcome(author.name);
          const texts = faults.map(formatFault);
          if (refused === null) return { ok: true, value: { warnings: texts } };
          const message = `the settings before are in force: ${refused}`;
          return { ok: false, fault: { code: 'failed', message, faults: texts } };
        },
      ),
    testNotice: (target, author) =>
      audited(
        `test of the notices to ${target}`,
        author,
        (who) => ({ event: 'admin.notice_tested', ...who, target }),
        async () => {
          const { notices, vantage } = options.config();
          const found = notices.find(({ name }) => name === target);
          if (found === undefined)
            return fault('unknown', `there is no target of notices called ${JSON.stringify(target)}`);
          return tests.run(target, async () => {
            const reason = await sendTestNotice(found, vantage?.name ?? null);
            return reason === null ? { ok: true, value: { sent: true } } : fault('failed', `not sent: ${reason}`);
          });
        },
      ),
  };
}

/** As `edgewise mode` does it: the same record, file of changes and syslog, with the author instead of the Unix user. */
async function setMode(
  { config: configNow, networks, syslog = sendSyslog }: ControlActionsOptions,
  { network, edge, mode, comment: given, until, version }: ModeOrder,
  { name }: Author,
): Promise<ActionResult<ModeSet>> {
  const config = configNow();
  const text = oneLine(given);
  if (mode !== 'available' && text === '') return fault('invalid', `a comment is needed to set an edge to ${mode}`);
  const [clock, stores] = [networks.clockOf(network), networks.stores()];
  if (clock === null || stores === null) return notServed(network);
  if (clock.files?.edges.includes(edge) !== true) return notListed(network, edge);
  if (!clock.rounds.samples.has(edge) && !(await exists(stores.path(edge)))) {
    return fault('busy', `${edge} was never fetched, so it has no health record yet`);
  }
  const now = Date.now() / 1000;
  const comment = text === '' ? null : `[${name}] ${text}`;
  let isStale = false;
  const { record, faults } = await stores.update(edge, now, (old) => {
    const before = expireMode(old, now);
    // Another change may have come between the request's look at it and this.
    isStale = version !== undefined && edgeVersion(before) !== version;
    return isStale ? old : withMode(before, { mode, comment, until, by: name }, now);
  });
  if (isStale) return fault('stale', 'it is no longer as you have seen it: read it again, then decide');
  const wrong = faults.find(({ code }) => code !== 'edge-store-invalid');
  if (wrong !== undefined) return fault('failed', formatFault(wrong));
  await stores.sync();
  // Other processes on this store look at it; this one decides right away.
  await appendModeChange(config.healthdataStore, {
    at: now,
    network,
    edge,
    mode,
    until,
    comment: record.comment,
    by: name,
  }).catch(() => undefined);
  if (comment !== null) await syslog(`Edge ${edge} changed mode to ${mode} with comment ${comment}`);
  await networks.modeChanged();
  const effects = await modeEffects(config, stores, edge, mode, now);
  return {
    ok: true,
    value: {
      mode: record.mode,
      comment: record.comment,
      since: record.modeSince,
      until: record.modeUntil,
      effects,
      live: clock.rounds.state.live.map((member) => member.edge),
    },
  };
}

function fault(code: ActionFault['code'], message: string): { readonly ok: false; readonly fault: ActionFault } {
  return { ok: false, fault: { code, message } };
}

function notServed(network: string): { readonly ok: false; readonly fault: ActionFault } {
  return fault('unknown', `the network ${JSON.stringify(network)} is not served by this process at present`);
}

function notListed(network: string, edge: string): { readonly ok: false; readonly fault: ActionFault } {
  return fault('unknown', `${JSON.stringify(edge)} is not in the edge list of ${network}`);
}

/** What keeps the set from being another one; null: nothing does. Only the first of these is past with `force`. */
function heldText({ hold, safety: { minUp, uplink, heldUp } }: Decision): string | null {
  if (hold !== null) return `the limit of rotations holds the set until ${new Date(hold.until * 1000).toISOString()}`;
  if (uplink?.inDoubt === true) return 'most references fail (reference), so our own line is in doubt: the set is kept';
  if (minUp?.below === 'keep')
    return `${minUp.up} edges do not fail and ${minUp.needed} must (min_up): the set is kept`;
  return heldUp.length === 0 ? null : `${list(heldUp)} must pass for longer before it is live (hold_up)`;
}
