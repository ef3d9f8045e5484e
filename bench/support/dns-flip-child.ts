/**
 * A process with Edgewise's answering threads and very many small zones on one live slot; flips the slot when told to.
 * Started by bench/flip.ts, which it ends with.
 */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { LiveSlots } from '../../src/live/slots.ts';
import { NO_TRANSFERS } from '../../src/server/transfer/handler-types.ts';
import { DnsThreads } from '../../src/server/transport/threads/dns-threads.ts';
import { zoneUpdate } from '../../test/support/zone-images.ts';
import { benchSettings } from './dns-settings.ts';
import { smallZoneText, zoneName } from './dns-small-zones.ts';

export type FlipReport =
  | { readonly kind: 'ready' }
  /** The slot was written at this time of the system's monotonic clock, nanoseconds as text. */
  | { readonly kind: 'flipped'; readonly at: string };

export async function startFlipChild(port: number, zones: number): Promise<ChildProcess> {
  const child = fork(fileURLToPath(import.meta.url), [String(port), String(zones)], { execArgv: ['--import', 'tsx'] });
  await once(child, 'message');
  return child;
}

async function main(port: number, zones: number): Promise<void> {
  const slots = LiveSlots.create(1);
  slots.write(0, { serial: 1, v4: [Uint8Array.of(192, 0, 2, 1)], v6: [] });
  const updates = Array.from({ length: zones }, (_, i) =>
    zoneUpdate({ origin: zoneName(i), text: smallZoneText(1, []), live: [zoneName(i)], slot: 0 }, i),
  );
  const threads = await DnsThreads.start({
    server: benchSettings(port),
    transfer: NO_TRANSFERS,
    slots: slots.shared,
    networks: 2,
    updates,
    log: (level, message) => console.error(level, message),
  });
  if (!(threads instanceof DnsThreads)) throw new Error(threads.message);
  await threads.settled();
  process.on('message', (last: number) => {
    const at = process.hrtime.bigint();
    slots.write(0, { serial: last, v4: [Uint8Array.of(192, 0, 2, last & 255)], v6: [] });
    report({ kind: 'flipped', at: String(at) });
  });
  process.once('disconnect', () => void threads.stop().then(() => process.exit(0)));
  report({ kind: 'ready' });
}

function report(message: FlipReport): void {
  process.send?.(message);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(Number(process.argv[2]), Number(process.argv[3]));
