import { rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { TransferConfig } from '../../config/types.ts';
import { lowerName, type WireName, wireFromName } from '../../dns/name.ts';
import { nextSerial } from '../../dns/serial.ts';
import { writeAtomic } from '../../system/atomic-write.ts';
import { parseObject } from '../../system/json-object.ts';
import { makeFolder } from '../../system/make-folder.ts';
import { FILE_MAX, readFileNow } from '../../system/read-file.ts';
import { WriteBehind } from '../../system/write-behind.ts';
import { type CatalogMember, catalogDigest, catalogImage } from '../../zones/write/catalog.ts';

/**
 * A catalog as it is served. `zone`: its number, apart from those of the zone store. `network` null: of all networks.
 */
export type Catalog = {
  readonly zone: number;
  readonly origin: WireName;
  readonly network: string | null;
  readonly image: SharedArrayBuffer;
  readonly serial: number;
};

/** What is remembered of a catalog: its members, as a digest, and the serial that they had. */
type Saved = { readonly digest: string; readonly serial: number };
type Member = { readonly origin: WireName; readonly network: string | null };

/** Numbers from here on belong to no zone of the store. */
const FIRST_NUMBER = 2 ** 30;

/**
 * The catalogs that the configuration asks for: one of all zones, or one for each network below its name. Serials are
 * remembered in `file`, so that a restart with the same zones is no change.
 */
export class Catalogs {
  private readonly catalogs = new Map<WireName, Catalog & { readonly digest: string }>();
  private readonly numbers = new Map<WireName, number>();
  private readonly saved: Map<string, Saved>;
  private readonly file: string;
  /** Where a spoilt file goes before the next one is written; null: there is none. */
  private aside: string | null = null;
  private readonly writes: WriteBehind<string>;

  /** `warn`: for what cannot be written. */
  constructor(file: string, warn: (message: string) => void = () => undefined) {
    this.file = file;
    const { saved, problem } = readSaved(file);
    this.saved = saved;
    this.writes = new WriteBehind({
      onFault: (_, fault) => {
        if (fault !== null) warn(`${file}: ${fault}`);
      },
    });
    if (problem === null) return;
    const left =
      saved.size === 0 ? 'serials of catalogs go on from the clock' : 'the other catalogs keep their serials';
    warn(`${file}: ${problem}; it is kept as ${file}.bad, and ${left}`);
    this.save(`${file}.bad`);
  }

  get(origin: WireName): Catalog | null {
    return this.catalogs.get(origin) ?? null;
  }

  origins(): readonly WireName[] {
    return [...this.catalogs.keys()];
  }

  /**
   * Brings the catalogs up to date with the zones there are. Returns what changed: new versions, and catalogs that go.
   * A network that is served keeps its catalog when it has no zones left: from an empty one secondaries learn that the
   * last zone is gone, from one that is refused they learn nothing.
   */
  update(
    config: TransferConfig['catalog'],
    networks: readonly string[],
    members: readonly Member[],
    nowSeconds: number,
  ): { readonly changed: readonly Catalog[]; readonly gone: readonly Catalog[] } {
    const wanted = groupsOf(config, networks, members);
    const changed: Catalog[] = [];
    for (const [origin, { network, list }] of wanted) {
      const digest = catalogDigest(list);
      const was = this.catalogs.get(origin);
      if (was?.digest === digest) continue;
      const saved = this.saved.get(origin);
      const known = was === undefined && saved?.digest === digest;
      const serial = known ? saved.serial : nextSerial(saved?.serial ?? 0, nowSeconds);
      const image = catalogImage(origin, list, serial);
      const catalog = { zone: this.numberOf(origin), origin, network, image, serial, digest };
      this.catalogs.set(origin, catalog);
      this.saved.set(origin, { digest, serial });
      changed.push(catalog);
    }
    const gone = [...this.catalogs.values()].filter(({ origin }) => !wanted.has(origin));
    for (const { origin } of gone) this.catalogs.delete(origin);
    if (changed.length > 0) this.save();
    return { changed, gone };
  }

  /** What cannot be written, a sentence. */
  faults(): readonly string[] {
    return Array.from(
      this.writes.faults(),
      ([file, fault]) => `the serials of catalogs are not saved in ${file}: ${fault}`,
    );
  }

  /** Resolves when everything is written. */
  async close(): Promise<void> {
    await this.writes.close();
  }

  private numberOf(origin: WireName): number {
    const number = this.numbers.get(origin) ?? FIRST_NUMBER + this.numbers.size;
    this.numbers.set(origin, number);
    return number;
  }

  /** A disk that takes nothing costs a new serial after the next start, from the clock. */
  private save(aside: string | null = null): void {
    if (aside !== null) this.aside = aside;
    this.writes.save(this.file, async () => {
      await makeFolder(dirname(this.file));
      if (this.aside !== null) await rename(this.file, this.aside).catch(() => undefined);
      this.aside = null;
      await writeAtomic(this.file, `${JSON.stringify(Object.fromEntries(this.saved))}\n`);
    });
  }
}

type Group = { readonly network: string | null; readonly list: CatalogMember[] };

function groupsOf(
  config: TransferConfig['catalog'],
  networks: readonly string[],
  members: readonly Member[],
): ReadonlyMap<WireName, Group> {
  const groups = new Map<WireName, Group>();
  if (config === null) return groups;
  if (config.per === 'all') groups.set(config.zone, { network: null, list: [] });
  else {
    for (const network of networks) {
      const name = catalogName(config.zone, network);
      if (name !== null) groups.set(name, { network, list: [] });
    }
  }
  for (const { origin, network } of members) {
    const name = config.per === 'all' ? config.zone : catalogName(config.zone, network);
    if (name === null) continue;
    const group = groups.get(name) ?? { network, list: [] };
    groups.set(name, group);
    group.list.push({ origin, group: network });
  }
  return groups;
}

/** `NETWORK.catalog.example.`; null: a static zone, which is of no network, or a network whose name is no label. */
function catalogName(zone: WireName, network: string | null): WireName | null {
  const label = Buffer.from(network ?? '', 'utf8');
  if (label.length === 0 || label.length > 63) return null;
  return lowerName(Uint8Array.from([label.length, ...label, ...wireFromName(zone)]));
}

const SERIAL_MAX = 2 ** 32 - 1;
const SAVED = z.object({ digest: z.string(), serial: z.int().min(0).max(SERIAL_MAX) });

/** The entries that make sense. `problem`: why not all of the file does; null: it does, or there is none. */
function readSaved(file: string): { readonly saved: Map<string, Saved>; readonly problem: string | null } {
  const saved = new Map<string, Saved>();
  const read = readFileNow(file, FILE_MAX.state);
  if (!read.ok) return { saved, problem: ['ENOENT', 'ENOTDIR'].includes(read.code) ? null : read.message };
  const object = parseObject(read.octets.toString('utf8'));
  if (!object.ok) return { saved, problem: object.problem };
  let problem: string | null = null;
  for (const [name, value] of Object.entries(object.value)) {
    const entry = SAVED.safeParse(value);
    if (entry.success) saved.set(name, entry.data);
    else problem ??= `the entry of ${JSON.stringify(name)} does not make sense`;
  }
  return { saved, problem };
}
