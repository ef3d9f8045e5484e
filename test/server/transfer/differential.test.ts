import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { lowerName } from '../../../src/dns/name.ts';
import { nextSerial, serialMax } from '../../../src/dns/serial.ts';
import { LiveHistoryFiles } from '../../../src/live/history-files.ts';
import { LiveRRsets } from '../../../src/live/live-rrsets.ts';
import type { NetworkLive } from '../../../src/live/network-live.ts';
import { ZoneTable } from '../../../src/server/answer/zone-table.ts';
import { TransferHistory } from '../../../src/server/transfer/history.ts';
import { captureVersion, versionCursor, type ZoneVersion } from '../../../src/server/transfer/version.ts';
import type { LiveVersion } from '../../../src/zones/image/live-version.ts';
import { JournalFolder } from '../../../src/zones/journal/files.ts';
import { ContentJournal } from '../../../src/zones/journal/journal.ts';
import { recordKey } from '../../../src/zones/journal/step.ts';
import { wireName } from '../../support/dns-query.ts';
import { address4 } from '../../support/dns-responder.ts';
import { imageOf } from '../../support/zone-images.ts';

/**
 * Whatever happens to a zone, its live set, the process and its files: a difference that is given, applied to the version
 * it begins with, is the present version. A model keeps every version that was ever served.
 */

const root = mkdtempSync(join(tmpdir(), 'edgewise-differential-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const NETWORK = 'net';
const ORIGIN = lowerName(wireName('a.test'));
/** Contents and live sets are sets of bits. */
const CONTENT_BITS = 6;

type Op =
  | { readonly kind: 'content' | 'flip' | 'canary'; readonly bits: number; readonly later: number }
  | { readonly kind: 'calm' }
  | {
      readonly kind: 'restart';
      readonly how: 'stop' | 'crash' | 'stale';
      readonly bits: number;
      readonly damage: number;
    };

const bits = fc.integer({ min: 1, max: 2 ** CONTENT_BITS - 1 });
const later = fc.nat(2);
const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('content' as const), bits, later }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('flip' as const), bits, later }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('canary' as const), bits, later }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'calm' as const }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('restart' as const),
      how: fc.constantFrom('stop' as const, 'crash' as const, 'stale' as const),
      bits: fc.nat(2 ** CONTENT_BITS - 1), // 0: the content is as it was
      damage: fc.nat(9), // a file is hurt by the smaller numbers
    }),
  },
);

const pick = (all: number): readonly number[] =>
  Array.from({ length: CONTENT_BITS }, (_, i) => i).filter((i) => all & (1 << i));
const addresses = (all: number): Omit<LiveVersion, 'serial'> => ({
  v4: pick(all).map((i) => address4(`192.0.2.${i}`)),
  v6: [],
});

/** What is on disk before anybody sees it: the state file and the book of serials. */
type Durable = { live: LiveVersion; own: LiveVersion | null; bits: number; contentSerial: number; now: number };
type Seen = { readonly lines: ReadonlySet<string>; readonly soa: string };

class World {
  folder: string;
  readonly folders: string[] = [];
  readonly durable: Durable = {
    live: { serial: 1, ...addresses(3) },
    own: null,
    bits: 1,
    contentSerial: 2,
    now: 10,
  };
  readonly versions = new Map<number, Seen>();
  differences = 0;
  private board = new LiveRRsets();
  private histories: LiveHistoryFiles;
  private journal: ContentJournal;
  private readonly left: { close(): Promise<void> }[] = [];
  private history = new TransferHistory();
  private table = new ZoneTable();
  private servedSerial = 0; // of the book, as it was at the start

  constructor() {
    this.folder = this.newFolder();
    this.histories = new LiveHistoryFiles(this.folder, () => undefined);
    this.journal = this.newJournal();
  }

  private newFolder(): string {
    const folder = join(root, `${readdirSync(root).length}`);
    mkdirSync(folder);
    this.folders.push(folder);
    return folder;
  }

  private newJournal(): ContentJournal {
    const journal = new ContentJournal({
      files: new JournalFolder(this.folder, () => undefined),
      servedBefore: () => (this.servedSerial === 0 ? null : this.servedSerial),
    });
    journal.keepContents(true);
    return journal;
  }

  private image(): SharedArrayBuffer {
    const { bits: all, contentSerial: serial } = this.durable;
    const records = pick(all).map((i) => `n${i} 300 A 192.0.2.${i}\n${i % 2 === 0 ? `n${i} 300 TXT "${i}"\n` : ''}`);
    const text = `@ ${300 + (all & 1)} SOA ns1 host 1 2 3 4 5\n@ 300 NS ns1\n${records.join('')}`;
    return imageOf({ origin: 'a.test', text, serial, live: ['a.test', 'www.a.test'], liveTtl: 60 + (all & 2) });
  }

  private live(): NetworkLive {
    const { live, own } = this.durable;
    return { version: live, zones: new Map(own === null ? [] : [[ORIGIN, own]]) };
  }

  /** As the server starts: histories, live set, zones, journal. */
  async start(): Promise<void> {
    this.board = new LiveRRsets();
    this.histories = new LiveHistoryFiles(this.folder, () => undefined);
    this.journal = this.newJournal();
    this.history = new TransferHistory();
    this.table = new ZoneTable();
    this.board.register(NETWORK);
    const saved = (await this.histories.read(NETWORK)) ?? { versions: [], zones: new Map() };
    this.board.restore(NETWORK, saved, this.live());
    this.board.publish(NETWORK, this.live());
    this.board.takeNewVersions();
    const image = this.image();
    await this.journal.open([{ origin: ORIGIN, network: NETWORK, image }]);
    this.tell(image);
    this.history.note({
      live: this.board.history.all(),
      steps: [{ zone: 0, steps: this.journal.stepsOf(ORIGIN) }],
    });
    this.serve();
  }

  private tell(image: SharedArrayBuffer): void {
    const slot = this.board.slotOf(NETWORK, ORIGIN);
    this.table.apply([{ kind: 'zone', zone: 0, origin: ORIGIN, image, slot, network: 1 }]);
  }

  async run(next: Op): Promise<void> {
    const { durable } = this;
    if (next.kind === 'calm') await this.histories.close();
    else if (next.kind === 'restart') await this.restart(next);
    else {
      durable.now += next.later;
      const serial = nextSerial(this.highest(), durable.now);
      if (next.kind === 'content') {
        if (next.bits === durable.bits) return;
        Object.assign(durable, { bits: next.bits, contentSerial: serial });
        const image = this.image();
        this.tell(image);
        await this.journal.changed([{ origin: ORIGIN, network: NETWORK, image }]);
        this.history.note({ live: [], steps: [{ zone: 0, steps: this.journal.stepsOf(ORIGIN) }] });
      } else {
        const version = { serial, ...addresses(next.bits) };
        // A flip moves the zone's own live set too, as a canary's network does.
        if (next.kind === 'canary') durable.own = version;
        else Object.assign(durable, { live: version, own: durable.own === null ? null : { ...version } });
        const fresh = this.board.publish(NETWORK, this.live());
        this.history.note({ live: this.board.takeNewVersions(), steps: [] });
        if (fresh.length > 0) this.table.apply([{ kind: 'slot', zone: 0, slot: this.board.slotOf(NETWORK, ORIGIN) }]);
        this.histories.save(NETWORK, () => this.board.saved(NETWORK));
      }
    }
    this.serve();
  }

  private highest(): number {
    const { live, own, contentSerial } = this.durable;
    return serialMax(serialMax(live.serial, own?.serial ?? 0), contentSerial);
  }

  private async restart({ how, bits: all, damage }: Extract<Op, { kind: 'restart' }>): Promise<void> {
    const { durable } = this;
    const before = this.folders.length > 1 ? this.folders[this.folders.length - 2] : this.folder;
    if (how === 'stop') {
      await this.journal.close();
      await this.histories.close();
    } else this.left.push(this.journal, this.histories);
    // Killed: the files are as they stand. Stale: the disk has taken nothing since an earlier start.
    const from = how === 'stale' ? before : this.folder;
    this.folder = this.newFolder();
    cpSync(from, this.folder, { recursive: true, filter: (file) => !file.endsWith('.tmp') });
    this.hurt(damage);
    this.servedSerial = durable.contentSerial;
    if (all !== 0 && all !== durable.bits) {
      durable.contentSerial = nextSerial(this.highest(), durable.now);
      durable.bits = all;
    }
    await this.start();
  }

  private hurt(damage: number): void {
    const files = readdirSync(this.folder);
    if (damage > 3 || files.length === 0) return;
    const file = join(this.folder, files[damage % files.length]);
    const octets = readFileSync(file);
    if (damage % 2 === 0) writeFileSync(file, octets.subarray(0, octets.length >> 1));
    else {
      octets[octets.length >> 1] ^= 1;
      writeFileSync(file, octets);
    }
  }

  /** Notes the version that is served now, and holds every difference to it against the version it begins with. */
  private serve(): void {
    const find = (): ReturnType<ZoneTable['byName']> => this.table.byName(ORIGIN);
    const version = captureVersion(this.board.slots, find, () => undefined);
    if (version === null) throw new Error('nothing is served');
    const now = seenOf(version);
    const known = this.versions.get(version.serial);
    if (known !== undefined) expect([...now.lines].sort()).toEqual([...known.lines].sort());
    this.versions.set(version.serial, now);
    for (const [serial, then] of this.versions) {
      const difference = this.history.difference(version, serial);
      if (difference === null) continue;
      this.differences += 1;
      expect(recordKey(difference.oldSoa)).toBe(then.soa);
      const lines = new Set(then.lines);
      for (const record of difference.removed) expect(lines.delete(recordKey(record))).toBe(true);
      for (const record of difference.added) {
        expect(lines.has(recordKey(record))).toBe(false);
        lines.add(recordKey(record));
      }
      expect([...lines].sort()).toEqual([...now.lines].sort());
    }
  }

  async end(): Promise<void> {
    for (const one of [this.journal, this.histories, ...this.left]) await one.close();
    for (const folder of this.folders) rmSync(folder, { recursive: true });
  }
}

function seenOf(version: ZoneVersion): Seen {
  const lines = new Set<string>();
  let soa = '';
  const cursor = versionCursor(version);
  while (cursor?.next() === true) {
    const { owner, type, ttl, rdata } = cursor;
    const key = recordKey({ owner: owner.slice(), type, ttl, rdata: rdata.slice() });
    if (type === 6) soa = key;
    else lines.add(key);
  }
  return { lines, soa };
}

async function play(ops: readonly Op[]): Promise<number> {
  const world = new World();
  try {
    await world.start();
    for (const one of ops) await world.run(one);
  } finally {
    await world.end();
  }
  return world.differences;
}

const does = (kind: 'content' | 'flip' | 'canary', all: number): Op => ({ kind, bits: all, later: 0 });
const restarts = (how: 'stop' | 'crash' | 'stale', all = 0): Op => ({ kind: 'restart', how, bits: all, damage: 9 });

test.each<[string, readonly Op[]]>([
  [
    'flips that the disk did not take',
    [does('flip', 1), restarts('stop'), does('flip', 2), does('content', 8), does('flip', 4), restarts('stale')],
  ],
  [
    'a canary that the disk did not take',
    [does('flip', 1), restarts('stop'), does('canary', 2), does('content', 8), does('canary', 4), restarts('stale')],
  ],
  [
    'contents that the disk did not take',
    [does('content', 2), restarts('stop'), does('content', 4), does('flip', 8), restarts('stale', 16)],
  ],
  ['a content that changed while stopped', [does('content', 2), does('flip', 4), restarts('stop', 8), does('flip', 5)]],
])('%s', async (_, ops) => {
  expect(await play(ops)).toBeGreaterThan(0);
});

test('a difference leads from the version it begins with to the present one, in two hundred histories', async () => {
  let differences = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(op, { minLength: 3, maxLength: 14 }), async (ops) => {
      differences += await play(ops);
    }),
    { numRuns: 200 },
  );
  // Refusing always would be no proof.
  expect(differences).toBeGreaterThan(500);
}, 120_000);
