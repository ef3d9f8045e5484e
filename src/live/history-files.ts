import { dirname, join } from 'node:path';
import { z } from 'zod';
import { nameKey, nameText, type WireName } from '../dns/name.ts';
import { addressOctets } from '../system/address.ts';
import { addressText } from '../system/address-text.ts';
import { writeAtomic } from '../system/atomic-write.ts';
import { parseObject } from '../system/json-object.ts';
import { droppedText, listOf, mapOf, objectOf, type Parts, readParts } from '../system/json-parts.ts';
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
  private readonly onTrouble: (message: string) => void;

  constructor(folder: string, onTrouble: (message: string) => void) {
    this.folder = folder;
    this.onTrouble = onTrouble;
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

  /** What makes no sense is left out, and said. Null: there is none, or nothing of it does. */
  async read(network: string): Promise<SavedLiveHistory | null> {
    const file = this.pathOf(network);
    const sealed = await readFile(file, FILE_MAX.state);
    if (!sealed.ok) {
      if (sealed.code !== 'ENOENT') this.unused(file, sealed.message);
      return null;
    }
    const body = unseal(sealed.octets);
    const parts = body === null ? null : parse(body.toString('utf8'));
    if (parts === null) this.unused(file, body === null ? 'is not as it was written' : 'is of another version');
    const dropped = droppedText(parts?.dropped ?? []);
    if (dropped !== null) this.unused(file, `has what makes no sense (${dropped})`);
    return parts?.value ?? null;
  }

  private unused(file: string, problem: string): void {
    this.onTrouble(`live history: ${file} ${problem}: not used, so some of the next transfers are whole`);
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

const VERSION = objectOf({ serial: z.int(), addresses: z.array(z.string()) });

/** Left out whole where one of its addresses makes no sense: without that one it was never served. */
const WHOLE_VERSION = z.unknown().transform((value, context): LiveVersion => {
  const version = VERSION.safeParse(value);
  const octets = (version.data?.addresses ?? []).map(addressOctets).filter((address) => address !== null);
  if (!version.success || octets.length < version.data.addresses.length) {
    context.addIssue('expected a serial and its addresses');
    return z.NEVER;
  }
  return {
    serial: version.data.serial,
    v4: octets.filter(({ length }) => length === 4),
    v6: octets.filter(({ length }) => length === 16),
  };
});

const VERSIONS = listOf(WHOLE_VERSION);
const FILE = objectOf({
  version: z.literal(1),
  versions: VERSIONS.default([]),
  zones: mapOf(VERSIONS).default(new Map<string, readonly LiveVersion[]>()),
});

/** Null: no file of ours. */
function parse(text: string): Parts<SavedLiveHistory> | null {
  const object = parseObject(text);
  const parts = object.ok ? readParts(FILE, object.value) : null;
  if (parts === null) return null;
  const zones = new Map<WireName, readonly LiveVersion[]>();
  const dropped = [...parts.dropped];
  for (const [name, versions] of parts.value.zones) {
    const origin = nameKey(name);
    if (origin === null) dropped.push(`zones: ${JSON.stringify(name)} is not a zone's name`);
    else zones.set(origin, versions);
  }
  return { value: { versions: parts.value.versions, zones }, dropped };
}
