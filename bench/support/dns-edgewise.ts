import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DnstapPart } from '../../src/app/dnstap-part.ts';
import type { Config } from '../../src/config/types.ts';
import { lowerName, nameFromText } from '../../src/dns/name.ts';
import { LiveSlots } from '../../src/live/slots.ts';
import { NO_TRANSFERS } from '../../src/server/transfer/handler-types.ts';
import type { DnsService } from '../../src/server/transport/threads/dns-service.ts';
import { DnsThreads } from '../../src/server/transport/threads/dns-threads.ts';
import { Guard } from '../../src/system/guard.ts';
import { compileZone } from '../../src/zones/compile/compile.ts';
import { readZone } from '../../src/zones/scan/read-zone.ts';
import { type BenchServer, startServer } from './dns-process.ts';
import { benchSettings } from './dns-settings.ts';
import { APEX_ADDRESSES, APEX_TTL, ORIGIN, zoneText } from './dns-zone.ts';

/** What of dnstap a bench varies. */
export type BenchDnstap = { readonly sampleRate: number; readonly maxPerSecond: number; readonly socket: string };

/** Edgewise's answering threads on the benches' zone, in a process of their own; the apex comes from a live slot. */
export async function startEdgewise(
  port: number,
  folder: string,
  flags: readonly string[] = [],
  tap: { readonly name: string; readonly dnstap: BenchDnstap | null } = { name: 'edgewise', dnstap: null },
): Promise<BenchServer> {
  const entry = join(folder, `edgewise-${port}.mjs`);
  writeFileSync(
    entry,
    `import '${import.meta.resolve('tsx/esm')}';\nawait import('${import.meta.url}').then((bench) => bench.main(${port}, ${JSON.stringify(tap.dnstap)}));\n`,
  );
  return startServer(tap.name, port, [process.execPath, ...flags, entry], ORIGIN);
}

/** The process itself. */
export async function main(port: number, dnstap: BenchDnstap | null = null): Promise<void> {
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
  if (dnstap !== null) await report(threads, dnstap);
  process.once('SIGTERM', () => void threads.stop().then(() => process.exit(0)));
}

/** As `serve` does: the threads queue, a thread of its own sends. */
async function report(threads: DnsThreads, { sampleRate, maxPerSecond, socket }: BenchDnstap): Promise<void> {
  const output = { kind: 'socket', path: socket } as const;
  const messages = { queries: true, responses: true, identity: 'ns1.example.net', version: 'edgewise' };
  const config = { server: benchSettings(0, { dnstap: { output, sampleRate, maxPerSecond, ...messages } }) };
  // All that it needs of the service.
  const dns: Pick<DnsService, 'threadCount' | 'configureDnstap'> = {
    threadCount: config.server.udpWorkers + 1,
    configureDnstap: (sampler) => threads.configureDnstap(sampler),
  };
  const guard = new Guard({ report: (part, text) => console.error(part, text), now: () => Date.now() / 1000 });
  const { part } = new DnstapPart({
    config: config as Config,
    dns: { dns: dns as DnsService, settled: () => Promise.resolve() },
    log: (level, text) => console.error(level, text),
    guard,
  });
  await part.start();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(Number(process.argv[2]));
