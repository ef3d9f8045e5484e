import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lowerName, nameFromText } from '../../src/dns/name.ts';
import { LiveSlots } from '../../src/live/slots.ts';
import { NO_TRANSFERS } from '../../src/server/transfer/handler-types.ts';
import { DnsThreads } from '../../src/server/transport/threads/dns-threads.ts';
import { compileZone } from '../../src/zones/compile/compile.ts';
import { readZone } from '../../src/zones/scan/read-zone.ts';
import { type BenchServer, startServer } from './dns-process.ts';
import { benchSettings } from './dns-settings.ts';
import { APEX_ADDRESSES, APEX_TTL, ORIGIN, zoneText } from './dns-zone.ts';

/** Edgewise's answering threads on the benches' zone, in a process of their own; the apex comes from a live slot. */
export async function startEdgewise(port: number, folder: string, flags: readonly string[] = []): Promise<BenchServer> {
  const entry = join(folder, `edgewise-${port}.mjs`);
  writeFileSync(
    entry,
    `import '${import.meta.resolve('tsx/esm')}';\nawait import('${import.meta.url}').then((bench) => bench.main(${port}));\n`,
  );
  return startServer('edgewise', port, [process.execPath, ...flags, entry], ORIGIN);
}

/** The process itself. */
export async function main(port: number): Promise<void> {
  const origin = nameFromText(ORIGIN, Uint8Array.of(0));
  if (typeof origin === 'string') throw new Error(origin);
  const { store, faults } = readZone({
    origin,
    file: ORIGIN,
    text: new TextEncoder().encode(zoneText()),
    defaultTtl: null,
    initialOwner: null,
    includeRoot: null,
    include: () => {
      throw new Error('no includes');
    },
  });
  if (faults.length > 0) throw new Error(faults[0].message);
  const slots = LiveSlots.create(1);
  const v4 = APEX_ADDRESSES.map((address) => Uint8Array.from(address.split('.'), Number));
  slots.write(0, { serial: 1, v4, v6: [] });
  const image = compileZone({ origin, store, serial: null, live: { names: [origin], ttl: APEX_TTL } });
  const threads = await DnsThreads.start({
    server: benchSettings(port),
    transfer: NO_TRANSFERS,
    slots: slots.shared,
    networks: 2,
    updates: [{ kind: 'zone', zone: 0, origin: lowerName(origin), image, slot: 0, network: 1 }],
    log: (level, message) => console.error(level, message),
  });
  if (!(threads instanceof DnsThreads)) throw new Error(threads.message);
  process.once('SIGTERM', () => void threads.stop().then(() => process.exit(0)));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(Number(process.argv[2]));
