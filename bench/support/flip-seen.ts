import { createSocket } from 'node:dgram';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeMessage } from '../../test/support/dns-message.ts';
import { encodeQuery } from '../../test/support/dns-query.ts';

const STEP_MS = 4;
/** Questions a step: 5,000 a second, which every server answers with a part of a core. */
const STEP_QUERIES = 20;
const LATE_MS = 60_000;

/**
 * Asks the server at `port` again and again until each zone's A records are `wanted`. Resolves with the time of the
 * first answer that was, for each zone, in milliseconds of `performance.now()`; zones that were not in a minute are absent.
 */
export async function seenTimes(
  port: number,
  zones: readonly string[],
  wanted: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const goal = [...wanted].sort().join();
  const queries = zones.map((name, id) => encodeQuery({ name, type: 'A', id }));
  const seen = new Map<string, number>();
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 22 });
  let open = new Set(queries.keys());
  socket.on('message', (reply) => {
    const id = reply.readUInt16BE(0);
    if (!open.has(id)) return;
    const found = decodeMessage(new Uint8Array(reply)).answer.map(({ text }) => text);
    if (found.sort().join() !== goal) return;
    open.delete(id);
    seen.set(zones[id], performance.now());
  });
  const end = performance.now() + LATE_MS;
  try {
    while (open.size > 0 && performance.now() < end) {
      let step = 0;
      // In turn through all that are open; those answered meanwhile are left out.
      for (const id of [...open]) {
        if (!open.has(id)) continue;
        socket.send(queries[id], port, '127.0.0.1');
        if (++step % STEP_QUERIES === 0) await sleep(STEP_MS);
      }
      if (open.size % STEP_QUERIES !== 0) await sleep(STEP_MS);
    }
  } finally {
    socket.close();
    open = new Set();
  }
  return seen;
}
