import { once } from 'node:events';
import { connect } from 'node:net';
import { encodeQuery } from '../../test/support/dns-query.ts';

export type AxfrRun = { readonly seconds: number; readonly octets: number; readonly records: number };

/**
 * One AXFR over a connection of its own, read as fast as it comes: messages are counted by their headers and not looked
 * into. Ends with the message after which `records` have come.
 */
export async function axfr(port: number, zone: string, records: number): Promise<AxfrRun> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const query = encodeQuery({ name: zone, type: 'AXFR' });
  const start = performance.now();
  let octets = 0;
  let seen = 0;
  /** Octets left of the message begun, and what has come of the head of the next one: length prefix and header. */
  let left = 0;
  let head: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    octets += chunk.length;
    let at = 0;
    while (at < chunk.length) {
      if (left > 0) {
        const take = Math.min(left, chunk.length - at);
        left -= take;
        at += take;
        continue;
      }
      const take = Math.min(14 - head.length, chunk.length - at);
      head = Buffer.concat([head, chunk.subarray(at, at + take)]);
      at += take;
      if (head.length < 14) return;
      left = head.readUInt16BE(0) - 12;
      seen += head.readUInt16BE(8);
      head = Buffer.alloc(0);
    }
    if (seen >= records && left === 0) socket.destroy();
  });
  socket.write(Buffer.concat([Buffer.of(query.length >> 8, query.length & 255), query]));
  await once(socket, 'close');
  return { seconds: (performance.now() - start) / 1000, octets, records: seen };
}
