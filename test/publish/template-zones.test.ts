import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ZONE_LIMITS } from '../../src/config/limits.ts';
import type { Config } from '../../src/config/types.ts';
import { nameKey, type WireName } from '../../src/dns/name.ts';
import { serialCompare, serialMax } from '../../src/dns/serial.ts';
import { nextState, openingState, type StateUpdate, zoneSerial } from '../../src/health/pools/next-state.ts';
import type { LiveUpdate } from '../../src/health/pools/round-types.ts';
import { NEW_STATE, type NetworkState } from '../../src/health/state/network-state.ts';
import { parseState, printState } from '../../src/health/state/state-file.ts';
import { liveAddresses, withCanary } from '../../src/live/addresses.ts';
import { TemplateZones, templateChanges } from '../../src/publish/template-zones.ts';
import type { Fault } from '../../src/system/fault.ts';
import { ZoneImage } from '../../src/zones/image/image.ts';
import { SerialLedger, serialLedgerPath } from '../../src/zones/store/serial-ledger.ts';
import { ZoneStore } from '../../src/zones/store/store.ts';
import { printSnapshot } from '../../src/zones/write/snapshot.ts';
import { AT_ONCE } from '../zones/store/store-fixture.ts';
import { decision } from './decision-fixture.ts';

const NET = 'net';
const ZONES = ['x.test', 'y.test', 'z.test'] as const;
type Zone = (typeof ZONES)[number];

function key(text: string): WireName {
  const name = nameKey(text);
  if (name === null) throw new Error(`${text} is no name`);
  return name;
}

/** Where a process is killed: before its zone files, after their serials are durable, before it notes that it wrote. */
type Kill = 'before' | 'unwritten' | 'unnoted' | null;

/** An installation on which single runs and servers, each a new process, work one after the other. */
class Site {
  readonly folder = mkdtempSync(join(tmpdir(), 'edgewise-serials-'));
  readonly config: Config;
  readonly serialFile: string;
  /** Epoch seconds. */
  now = 1_763_778_000;
  state: NetworkState = NEW_STATE;
  /** What was seen of each zone last, and under which serial each of its texts was. */
  readonly seen = new Map<string, number>();
  readonly texts = new Map<string, string>();
  readonly faults: Fault[] = [];

  constructor() {
    onTestFinished(() => rmSync(this.folder, { recursive: true, force: true }));
    const settings = {
      stateDir: this.folder,
      namedDir: join(this.folder, 'named'),
      zonetemplateDir: join(this.folder, 'zones'),
      staticZones: [],
      staticZoneDir: null,
      zoneFiles: { includeDirs: [], limits: ZONE_LIMITS },
      dns: {
        nsRecords: [key('ns1.test.')],
        soaNameserver: key('ns1.test.'),
        soaMailbox: key('host.test.'),
        rotateZones: [],
        ttl: 60,
      },
    };
    this.config = settings as unknown as Config;
    this.serialFile = serialLedgerPath(this.folder);
    mkdirSync(join(this.folder, 'named'));
    for (const zone of ZONES) this.edit(zone, 'first', 1);
  }

  edit(zone: Zone, text: string, mtime: number): void {
    const file = join(this.folder, 'zones', NET, `${zone}.zone`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `x TXT "${text}"\n`);
    utimesSync(file, mtime, mtime);
  }

  file(zone: Zone): string {
    return join(this.folder, 'named', `${zone}.zone`);
  }

  serial(zone: Zone): number {
    return Number(/SOA\s+\S+\s+\S+\s+(\d+)/.exec(readFileSync(this.file(zone), 'utf8'))?.[1]);
  }

  /** A version of a zone comes before the world: no older than the last one, and no other one under its serial. */
  show(zone: string, serial: number, text: string): void {
    const before = this.seen.get(zone) ?? serial;
    if (serial !== before && serialCompare(serial, before) < 0)
      throw new Error(`${zone}: ${serial} is shown after ${before}`);
    const content = text.replace(String(serial), 'SERIAL');
    const id = `${zone} ${serial}`;
    const other = this.texts.get(id) ?? content;
    if (other !== content) throw new Error(`${id} is shown with two contents:\n${other}\n${content}`);
    this.seen.set(zone, serial);
    this.texts.set(id, content);
  }

  /** One run of edge_manage that decides on these edges, and perhaps a canary of the first zone. */
  async run(edges: readonly number[], canary: number | null = null, kill: Kill = null): Promise<void> {
    const { config } = this;
    const opened = await SerialLedger.open(this.serialFile, { now: this.now });
    if (opened.fault !== null) this.faults.push(opened.fault);
    const { ledger } = opened;
    let state = openingState(this.saved(), 'run', this.now);
    const zones = new TemplateZones({ config, network: NET, ledger, newest: () => state, now: () => this.now });
    const update = this.decide(state, edges, canary, {
      zones: await templateChanges(config, NET, state),
      floorSerial: ledger.highest(NET),
    });
    this.state = state = update.state;
    if (kill === 'before') return;
    zones.published(update);
    const due = await zones.due({ network: NET, config, update, zones: [], filesWritten: false });
    this.faults.push(...due.faults);
    if (kill === 'unwritten') return;
    const zoneMtimes = new Map(state.zoneMtimes);
    const pendingZones = new Set(state.pendingZones);
    const zoneSerials = new Map(state.zoneSerials);
    for (const { name, print } of due.zones) {
      const { text, mtime, serial, unsaved } = print();
      writeFileSync(join(this.folder, 'named', `${name}.zone`), text);
      this.show(name, this.serial(name as Zone), text);
      if (mtime !== null) zoneMtimes.set(name, mtime);
      if (serial === zoneSerial(state, name)) pendingZones.delete(name);
      if (unsaved !== undefined) zoneSerials.set(name, serialMax(unsaved, zoneSerials.get(name) ?? 0));
    }
    if (kill !== 'unnoted') this.state = { ...state, zoneMtimes, pendingZones, zoneSerials };
  }

  /** A decision that is not published yet. */
  flip(edges: readonly number[], ledger: SerialLedger): { readonly state: NetworkState; readonly update: LiveUpdate } {
    const zones = { all: ZONES, changed: [] };
    const update = this.decide(this.state, edges, null, { zones, floorSerial: ledger.highest(NET) });
    return { state: update.state, update };
  }

  /** A server starts, decides once, and writes every zone file. */
  async serve(edges: readonly number[], canary: number | null = null): Promise<void> {
    let state = openingState(this.saved(), 'server', this.now);
    const store = new ZoneStore({
      settings: { ...this.config, networks: [NET] },
      settle: AT_ONCE,
      serialFile: this.serialFile,
      liveSerial: (_, origin) => zoneSerial(state, ZONES.find((zone) => key(zone) === origin) ?? ''),
      now: () => this.now,
      onChange: () => undefined,
    });
    await store.load();
    const showAll = (): void => {
      const zoneMtimes = new Map(state.zoneMtimes);
      for (const { name, image } of store.entries()) {
        if (image === null || state.live.length === 0) continue;
        const served = ZoneImage.attach(image);
        const active = state.memory.activeCanaries.find(({ zone }) => zone === name);
        const live = active === undefined ? liveAddresses(state.live) : withCanary(state.live, active);
        const serial = serialMax(served.serial, zoneSerial(state, name));
        const text = printSnapshot(served, live, serial);
        this.show(name, serial, text);
        writeFileSync(join(this.folder, 'named', `${name}.zone`), text);
      }
      this.state = { ...state, zoneMtimes };
    };
    showAll();
    const floorSerial = serialMax(store.maxSerial(NET), state.serial);
    state = this.decide(state, edges, canary, { zones: null, floorSerial }).state;
    showAll();
    await store.close();
  }

  /** As it comes back from its file. */
  private saved(): NetworkState {
    const parsed = parseState(printState(this.state));
    if (!parsed.ok) throw new Error(parsed.problem);
    return parsed.state;
  }

  private decide(
    state: NetworkState,
    edges: readonly number[],
    canary: number | null,
    more: Pick<StateUpdate, 'zones' | 'floorSerial'>,
  ): LiveUpdate {
    const live = edges.map((n) => ({ edge: `e${n}`, v4: `192.0.2.${n}`, v6: null, why: '' }));
    const activeCanaries =
      canary === null ? [] : [{ zone: ZONES[0], address: `192.0.2.${100 + canary}`, victim: `e${edges[0]}` }];
    const made = { ...decision(NET, {}), at: this.now, live, memory: { ...state.memory, activeCanaries } };
    const update = { decision: made, records: new Map(), forceUpdate: false, isRun: true, ...more };
    return { ...nextState(state, update), decision: made, isRun: true };
  }
}

describe('serials of single runs', () => {
  test('a first run gives every zone the serial of its live set, and the next one leaves them alone', async () => {
    const site = new Site();
    await site.run([1, 2]);
    expect(ZONES.map((zone) => site.serial(zone))).toEqual(ZONES.map(() => site.now));
    const first = readFileSync(site.serialFile, 'utf8');
    site.now += 60;
    await site.run([1, 2]);
    expect(readFileSync(site.serialFile, 'utf8')).toBe(first);
    site.edit('x.test', 'second', 2);
    await site.run([1, 2]);
    expect(ZONES.map((zone) => site.serial(zone))).toEqual([site.now, site.now - 60, site.now - 60]);
  });

  test('go on from those that a server gave, also for a file that was removed', async () => {
    const site = new Site();
    await site.run([1, 2]);
    site.now += 60;
    site.edit('x.test', 'second', 2);
    await site.serve([1, 2]);
    const given = site.serial('x.test');
    expect(given).toBe(site.now);
    rmSync(site.file('x.test'));
    site.now -= 3600;
    await site.run([1, 2]);
    expect(site.serial('x.test')).toBeGreaterThanOrEqual(given);
    const before = site.serial('x.test');
    await site.run([2, 3]); // a new live set, with the clock an hour back
    expect(site.serial('x.test')).toBeGreaterThan(before);
  });

  test('that an earlier version noted in the state file are gone on from', async () => {
    const site = new Site();
    await site.run([1, 2]);
    rmSync(site.serialFile);
    const given = site.now + 5000;
    site.state = { ...site.state, zoneSerials: new Map([['x.test', given]]) };
    rmSync(site.file('x.test'));
    await site.run([1, 2]);
    expect(site.serial('x.test')).toBeGreaterThanOrEqual(given);
    expect(site.serial('y.test')).toBe(site.now);
    site.edit('x.test', 'second', 2);
    await site.run([1, 2]);
    expect(site.serial('x.test')).toBeGreaterThan(given);
  });

  test.each([
    ['half a file', (site: Site) => writeFileSync(site.serialFile, '{"version":1,"zo'), ['serials-unreadable']],
    ['a file that is gone', (site: Site) => rmSync(site.serialFile), []],
    ['null', (site: Site) => writeFileSync(site.serialFile, 'null'), ['serials-unreadable']],
  ])('%s: go on all the same', async (_, spoil, codes) => {
    const site = new Site();
    await site.run([1, 2]);
    spoil(site);
    site.now += 60;
    site.edit('x.test', 'second', 2);
    await site.run([1, 2]);
    expect(site.serial('x.test')).toBe(site.now);
    expect(site.faults.map(({ code }) => code)).toEqual(codes);
    expect(readFileSync(site.serialFile, 'utf8')).toContain('"x.test."');
  });

  test('whose file is lost go on from the zone files, whatever the clock says', async () => {
    const site = new Site();
    await site.run([1, 2]);
    const given = site.now;
    rmSync(site.serialFile);
    site.state = NEW_STATE;
    site.now -= 3600;
    site.edit('x.test', 'second', 2);
    await site.run([1, 2]);
    expect(site.serial('x.test')).toBe(given + 1);
  });

  test('that cannot be remembered: the files are written, it is said, and no later run goes back', async () => {
    const site = new Site();
    symlinkSync('/proc/none/zones.json', site.serialFile); // nobody can write there, root included
    await site.run([1, 2]);
    site.now += 60;
    site.edit('x.test', 'second', 2);
    await site.run([1, 2]);
    const given = site.serial('x.test');
    expect(given).toBe(site.now);
    expect(site.faults.at(-1)).toMatchObject({ code: 'serials-unwritable' });
    expect(site.faults.at(-1)?.message).toContain(site.serialFile);
    site.now -= 3600;
    site.edit('x.test', 'third', 3);
    await site.run([1, 2]);
    expect(site.serial('x.test')).toBeGreaterThan(given);
  });

  test('a file that is written again of one update, with another content, has another serial', async () => {
    const site = new Site();
    await site.run([1, 2]);
    site.now += 60;
    const { config } = site;
    const { ledger } = await SerialLedger.open(site.serialFile, { now: site.now });
    const { state, update } = site.flip([2, 3], ledger);
    const options = { config, network: NET, ledger, newest: () => state, now: () => site.now };
    const zones = new TemplateZones(options);
    zones.published(update);
    const change = { network: NET, config, update, zones: [], filesWritten: false };
    const texts = async (): Promise<readonly string[]> =>
      (await zones.due(change)).zones.map(({ print }) => print().text);
    for (const text of await texts()) expect(text).toContain(String(state.serial));
    site.edit('x.test', 'second', 2);
    const again = await texts();
    expect(again[0]).toContain('second');
    expect(again[0]).toContain(String(state.serial + 1));
    expect(again[1]).toContain(String(state.serial));
    expect(await texts()).toEqual(again); // tried once more, it is the same version
  });

  test('a warning of an include file is handed on, and is no failure that is tried again', async () => {
    const site = new Site();
    await site.run([1, 2]);
    site.now += 60;
    const file = join(site.folder, 'zones', NET, 'x.test.zone');
    writeFileSync(file, '@ A 192.0.2.9\nx TXT "second"\n'); // an address where the live ones are
    utimesSync(file, 2, 2);
    const { config } = site;
    const { ledger } = await SerialLedger.open(site.serialFile, { now: site.now });
    const { state, update } = site.flip([2, 3], ledger);
    const warnings: Fault[] = [];
    const options = { config, network: NET, ledger, newest: () => state, now: () => site.now };
    const zones = new TemplateZones({ ...options, onWarning: (fault) => warnings.push(fault) });
    zones.published(update);
    const due = await zones.due({ network: NET, config, update, zones: [], filesWritten: false });
    expect(due.faults).toEqual([]);
    expect(warnings).toMatchObject([{ severity: 'warning', code: 'live-address', at: { file, line: 1 } }]);
    expect(due.zones.find(({ name }) => name === 'x.test')?.print().text).toContain('second');
  });

  test('a dry run reads a spoilt file, and leaves it where it is', async () => {
    const site = new Site();
    await site.run([1, 2]);
    writeFileSync(site.serialFile, 'x');
    const { ledger, fault } = await SerialLedger.open(site.serialFile, { now: site.now, readOnly: true });
    expect(fault?.code).toBe('serials-unreadable');
    const options = { config: site.config, network: NET, ledger, newest: () => site.state, now: () => site.now };
    site.edit('x.test', 'second', 2);
    const state = { ...site.state, pendingZones: new Set(['x.test']) };
    const report = { state, liveChanged: false, canaryZones: [], decision: decision(NET, {}), probe: null, faults: [] };
    expect(await new TemplateZones(options).planned(report)).toEqual([{ name: 'x.test', serial: site.now + 1 }]);
    expect(await ledger.change(site.now, () => undefined)).toBe(null);
    expect(readFileSync(site.serialFile, 'utf8')).toBe('x');
  });

  test('no version of a zone has the serial of another, or an older one, whoever shows it and whenever it is killed', async () => {
    const edges = fc.subarray([1, 2, 3], { minLength: 1 });
    const canary = fc.option(fc.constantFrom(1, 2), { freq: 2 });
    const step = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({
          kind: fc.constant('run' as const),
          edges,
          canary,
          kill: fc.constantFrom<Kill>(null, null, 'before', 'unwritten', 'unnoted'),
        }),
      },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('serve' as const), edges, canary }) },
      {
        weight: 3,
        arbitrary: fc.record({
          kind: fc.constant('edit' as const),
          zone: fc.constantFrom(...ZONES),
          text: fc.constantFrom('first', 'a', 'b'),
          mtime: fc.constantFrom(1, 2, 3),
        }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), zone: fc.constantFrom(...ZONES) }) },
      {
        weight: 2,
        arbitrary: fc.record({ kind: fc.constant('clock' as const), by: fc.constantFrom(1, 60, -1, -3600) }),
      },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 14 }), async (steps) => {
        const site = new Site();
        for (const one of steps) {
          if (one.kind === 'run') await site.run(one.edges, one.canary, one.kill);
          else if (one.kind === 'serve') await site.serve(one.edges, one.canary);
          else if (one.kind === 'edit') site.edit(one.zone, one.text, one.mtime);
          else if (one.kind === 'clock') site.now += one.by;
          else if (existsSync(site.file(one.zone))) rmSync(site.file(one.zone));
        }
        rmSync(site.folder, { recursive: true, force: true });
      }),
      { numRuns: 150 },
    );
  });
});
