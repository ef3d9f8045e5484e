/** Serials of zones' contents through etcd: a part of the engine. */
import type { WireName } from '../../../dns/name.ts';
import { nextTurn } from '../../../system/yielding.ts';
import type { OwnContent } from '../../../zones/agreement/content.ts';
import type { ContentSerials } from '../../engine.ts';
import type { Compare } from '../client/wire.ts';
import type { ContentsPart, PartOptions } from '../engine.ts';
import type { Found, Look } from '../follower.ts';
import { ContentDecider } from './content-decider.ts';
import { OthersReports } from './others-reports.ts';
import { OwnReports } from './own-reports.ts';
import { ContentRecords, counterKey } from './records.ts';

const NAME = 'etcd contents';

export function makeContents(options: PartOptions): ContentsPart {
  const { client, keys, settings, leadership, guard, log, events, requestLook, networks, now } = options;
  const { name: vantage, members, lease: ttl } = settings.vantage;
  const records = new ContentRecords(keys, log);
  const inForce = (origin: WireName): ReturnType<ContentRecords['get']> => records.get(origin);
  const own = new OwnReports({ client, keys, vantage, ttl, inForce, guard, log });
  const others = new OthersReports(keys, members, vantage);
  const reports = (): Map<WireName, Map<string, OwnContent>> => {
    const collected = new Map<WireName, Map<string, OwnContent>>();
    for (const [origin, content] of own.reported()) collected.set(origin, new Map([[vantage, content]]));
    others.collect(collected);
    return collected;
  };
  const onStored = (origins: readonly WireName[]): void => {
    own.changed(origins);
    guard.run(NAME, () => events.onContents(origins));
  };
  const decider = new ContentDecider({
    client,
    keys,
    vantage,
    members,
    leadership,
    records,
    networks,
    reports,
    heard: () => others.heard(),
    now,
    onStored,
  });
  let wasOurs = false;
  let isDeciding = false;
  /** Something that the decider goes by is new since its last pass began. */
  let isNew = false;
  let stopped = false;

  const decide = async (): Promise<void> => {
    if (isDeciding || stopped || !leadership.role().isOurs || !(isNew || decider.isWaiting)) return;
    isDeciding = true;
    isNew = false;
    try {
      await nextTurn(); // the sets of the same look are applied after this
      const isDone = await decider.pass();
      isNew ||= !isDone;
    } finally {
      isDeciding = false;
    }
  };

  const look = async (at: Look): Promise<Found> => {
    const { isOurs } = leadership.role();
    if (wasOurs && !isOurs) {
      others.clear();
      decider.clear();
    }
    const isFirst = isOurs && !wasOurs;
    wasOurs = isOurs;
    const [found, theirs] = await Promise.all([records.look(at), isOurs ? others.look(at) : null]);
    if (!found.ok) return found;
    if (theirs !== null && !theirs.ok) return theirs;
    const apply = (): void => {
      const changed = found.apply();
      if (changed.length > 0) onStored(changed);
      theirs?.apply();
      isNew ||= isFirst || found.isChanged || theirs?.isChanged === true;
      own.request();
      guard.run(NAME, decide());
    };
    return { ok: true, isChanged: found.isChanged || theirs?.isChanged === true, apply };
  };

  const serials: ContentSerials = {
    inForce,
    highest: () => records.highest,
    ready: (contents) => {
      isNew = true;
      own.ready(contents);
      if (leadership.role().isOurs) requestLook();
    },
    gone: (origins) => {
      isNew = true;
      own.gone(origins);
    },
    why: (origin) => decider.why(origin),
  };

  return {
    serials,
    compares: (): readonly Compare[] => [{ key: counterKey(keys), target: 'mod', revision: records.counterRevision }],
    look,
    faults: () => [...records.faults(), ...own.faults(), ...others.faults(), ...decider.faults()],
    stop: async () => {
      stopped = true;
      await own.stop();
    },
  };
}
