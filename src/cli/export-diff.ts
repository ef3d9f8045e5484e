/** What two texts of one zone file differ in, record by record; comments and the order of records are no difference. */
export type ZoneDifference = {
  /** Null: there was no file, or no SOA in it. */
  readonly oldSerial: number | null;
  readonly newSerial: number | null;
  /** Record lines; of the SOA's all but the serial. */
  readonly removed: readonly string[];
  readonly added: readonly string[];
};

export function zoneDifference(before: string | null, after: string): ZoneDifference {
  const [old, fresh] = [before ?? '', after].map(recordLines);
  return {
    oldSerial: old.serial,
    newSerial: fresh.serial,
    removed: [...old.lines].filter((line) => !fresh.lines.has(line)),
    added: [...fresh.lines].filter((line) => !old.lines.has(line)),
  };
}

/** Lines as the exporter writes them: one record each, the SOA's fields in one line; there the serial is left out. */
function recordLines(text: string): { readonly serial: number | null; readonly lines: ReadonlySet<string> } {
  const lines = new Set<string>();
  let serial: number | null = null;
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith(';') || line.startsWith('$')) continue;
    // Between words; what is in quotes is data.
    const record = line.replace(/"(?:\\.|[^"\\])*"|\s+/g, (part) => (part.startsWith('"') ? part : ' '));
    const soa = /^(\S+ (?:\d+ )?(?:IN )?SOA \S+ \S+) (\d+) (.*)$/.exec(record);
    if (soa !== null) serial = Number(soa[2]);
    lines.add(soa === null ? record : `${soa[1]} … ${soa[3]}`);
  }
  return { serial, lines };
}

/** `most`: record lines shown of one zone. */
export function differenceText(
  name: string,
  { oldSerial, newSerial, removed, added }: ZoneDifference,
  most: number,
): string {
  const serials = oldSerial === null ? `new, serial ${newSerial}` : `serial ${oldSerial} → ${newSerial}`;
  const records = [...removed.map((line) => `  - ${line}`), ...added.map((line) => `  + ${line}`)];
  const rest = records.length > most ? [`  … and ${records.length - most} more`] : [];
  return `${[`${name}: ${serials}`, ...records.slice(0, most), ...rest].join('\n')}\n`;
}
