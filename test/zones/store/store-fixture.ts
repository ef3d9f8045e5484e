import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { ZONE_LIMITS } from '../../../src/config/limits.ts';
import { nameKey, type WireName } from '../../../src/dns/name.ts';
import type { SettleTimes } from '../../../src/system/settling.ts';
import { forEachRecord } from '../../../src/zones/image/cursor.ts';
import { ZoneImage } from '../../../src/zones/image/image.ts';
import { ZoneStore, type ZoneStoreOptions } from '../../../src/zones/store/store.ts';
import type { StoreFault, ZoneChange, ZoneEntry, ZoneSettings } from '../../../src/zones/store/types.ts';
import { printRecord } from '../../../src/zones/write/print-record.ts';

export function key(text: string): WireName {
  const name = nameKey(text);
  if (name === null) throw new Error(`${text} is no name`);
  return name;
}

/** A complete zone with serial 7. */
export const STATIC = '$TTL 300\n@ SOA ns host 7 7200 900 1209600 300\n@ NS ns\nns A 192.0.2.1\n';

/** Files are taken for whole as soon as they are seen. */
export const AT_ONCE: SettleTimes = { quietMs: 0, swapMs: 0, doubtMs: 0, reportMs: 60_000 };

/** An installation that goes with the test. */
export function install(...args: ConstructorParameters<typeof Installation>): Installation {
  const installation = new Installation(...args);
  onTestFinished(() => installation.close());
  return installation;
}

/** A folder with zones in it and a store over them. `close` removes both. */
export class Installation {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'edgewise-store-'));
  readonly serialFile: string = join(this.folder, 'edgewise-zones.json');
  readonly changes: ZoneChange[] = [];
  readonly faults: { readonly name: string | null; readonly codes: readonly string[] }[] = [];
  /** Epoch seconds. */
  now = 1_763_778_000;
  live = 0;
  store: ZoneStore;
  private waiters: (() => void)[] = [];

  constructor(settings: Partial<ZoneSettings> = {}, options: Partial<ZoneStoreOptions> = {}) {
    mkdirSync(join(this.folder, 'zones', 'net'), { recursive: true });
    this.store = this.open(settings, options);
  }

  settings(changed: Partial<ZoneSettings> = {}): ZoneSettings {
    return {
      dns: {
        nsRecords: [key('ns1.example.net.')],
        soaNameserver: key('ns1.example.net.'),
        soaMailbox: key('host.example.net.'),
        rotateZones: [],
        ttl: 60,
      },
      zonetemplateDir: join(this.folder, 'zones'),
      networks: ['net'],
      staticZones: [],
      staticZoneDir: null,
      zoneFiles: { includeDirs: [], limits: ZONE_LIMITS },
      ...changed,
    };
  }

  /** A new store over the same folder, as after a restart. */
  open(settings: Partial<ZoneSettings> = {}, options: Partial<ZoneStoreOptions> = {}): ZoneStore {
    this.store = new ZoneStore({
      settings: this.settings(settings),
      settle: AT_ONCE,
      serialFile: this.serialFile,
      liveSerial: () => this.live,
      now: () => this.now,
      onChange: (changes) => {
        this.changes.push(...changes);
        this.wake();
      },
      onFaults: (entry: ZoneEntry | null, faults: readonly StoreFault[]) => {
        this.faults.push({ name: entry?.name ?? null, codes: faults.map(({ code }) => code) });
        this.wake();
      },
      ...options,
    });
    return this.store;
  }

  /** Writes a file below the folder, making folders as needed. Returns its path. */
  write(path: string, text: string): string {
    const file = join(this.folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  }

  path(path: string): string {
    return join(this.folder, path);
  }

  entry(name: string): ZoneEntry {
    const entry = this.store.entry(key(name));
    if (entry === null) throw new Error(`no zone ${name}`);
    return entry;
  }

  /** The zone's records as served, without live ones, but for its SOA. */
  records(name: string): readonly string[] {
    const { image } = this.entry(name);
    if (image === null) throw new Error(`${name} is broken`);
    const lines: string[] = [];
    forEachRecord(ZoneImage.attach(image), (owner, type, ttl, rdata) => {
      if (type !== 6) lines.push(printRecord(owner, type, ttl, rdata).replaceAll('\t', ' '));
    });
    return lines;
  }

  /** Resolves when the condition holds, looking again at each change or fault that the store reports. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.waiters.push(resolve));
  }

  async close(): Promise<void> {
    await this.store.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private wake(): void {
    const waiters = this.waiters;
    this.waiters = [];
    for (const resolve of waiters) resolve();
  }
}
