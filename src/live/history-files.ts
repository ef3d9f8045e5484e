import { dirname, join } from 'node:path';
import { z } from 'zod';
import { nameKey, nameText, type WireName } from '../dns/name.ts';
import { addressOctets } from '../system/address.ts';
import { addressText } from '../system/address-text.ts';
import { writeAtomic } from '../system/atomic-write.ts';
import { parseObject } from '../system/json-object.ts';
import { makeFolder } from '../system/make-folder.ts';
import { FILE_MAX, readFile } from '../system/read-file.ts';
import { seal, unseal } from '../system/sealed.ts';
import { WriteBehind, writeFaults } from '../system/write-behind.ts';
import type { LiveVersion } from '../zones/image/live-version.ts';

/** What a network's slot held lately, and those of its zones that have slots of their own. Oldest first. */
export type SavedLiveHistory = {
  readonly versions: readonly LiveVersion[];
  readonly zones: ReadonlyMap<WireName, readonly LiveVersion[]>;
};

/**
 * Remembers each network's short history over restarts, in `<folder>/<network>.live`, sealed. Writing follows the flip
 * and holds nobody up; a file that is lost or late costs whole transfers only.
 */
export class LiveHistoryFiles {
  private readonly folder: string;
  private readonly writes: WriteBehind<string>;

  constructor(folder: string, onTrouble: (message: string) => void) {
    this.folder = folder;
    this.writes = new WriteBehind({
      onFault: (network, message) => {
        if (message !== null) onTrouble(`history of ${network}: ${message}`);
      },
    });
  }

  /** What cannot be written at present, in a sentence. */
  faults(): readonly string[] {
    return writeFaults('live history: not saved for incremental transfers after a restart', this.writes);
  }

  /** Null: none, or one that does not make sense. */
  async read(network: string): Promise<SavedLiveHistory | null> {
    const sealed = await readFile(this.pathOf(network), FILE_MAX.state);
    const body = sealed.ok ? unseal(sealed.octets) : null;
    return body === null ? null : parse(body.toString('utf8'));
  }

  /** `current` is asked when the file's turn has come. */
  save(network: string, current: () => SavedLiveHistory): void {
    this.writes.save(network, async () => {
      const file = this.pathOf(network);
      await makeFolder(dirname(file));
      await writeAtomic(file, seal(format(current())));
    });
  }

  async close(): Promise<void> {
    await this.writes.close();
  }

  private pathOf(network: string): string {
    return join(this.folder, `${encodeURIComponent(network)}.live`);
  }
}

type VersionJson = { readonly serial: number; readonly addresses: readonly string[] };

function format({ versions, zones }: SavedLiveHistory): string {
  const text = (list: readonly LiveVersion[]): VersionJson[] =>
    list.map(({ serial, v4, v6 }) => ({ serial, addresses: [...v4, ...v6].map(addressText) }));
  const own = Object.fromEntries(Array.from(zones, ([origin, list]) => [nameText(origin), text(list)]));
  return `${JSON.stringify({ version: 1, versions: text(versions), zones: own })}\n`;
}

const VERSIONS = z.array(
  z
    .object({ serial: z.int(), addresses: z.array(z.string()) })
    .transform(({ serial, addresses }, context): LiveVersion => {
      const octets = addresses.map(addressOctets).filter((address) => address !== null);
      if (octets.length < addresses.length) context.addIssue('not an address');
      return {
        serial,
        v4: octets.filter(({ length }) => length === 4),
        v6: octets.filter(({ length }) => length === 16),
      };
    }),
);
const FILE = z.object({ version: z.literal(1), versions: VERSIONS, zones: z.record(z.string(), VERSIONS) });

/** Null: no file of ours. */
function parse(text: string): SavedLiveHistory | null {
  const object = parseObject(text);
  const file = FILE.safeParse(object.ok ? object.value : null);
  if (!file.success) return null;
  const zones = new Map<WireName, readonly LiveVersion[]>();
  for (const [name, versions] of Object.entries(file.data.zones)) {
    const origin = nameKey(name);
    if (origin === null) return null;
    zones.set(origin, versions);
  }
  return { versions: file.data.versions, zones };
}
