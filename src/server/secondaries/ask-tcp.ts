import { connect } from 'node:net';
import type { Endpoint } from '../../system/address.ts';

/**
 * Sends one message over a TCP connection of its own and resolves with the first one that comes back. Rejects with what
 * a person should know when the connection fails, ends before that, or brings nothing within `timeoutMs`.
 */
export function askOverTcp({ address, port }: Endpoint, message: Uint8Array, timeoutMs: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const socket = connect({ host: address, port });
    const end = (outcome: Buffer | Error): void => {
      clearTimeout(timer);
      socket.destroy();
      if (outcome instanceof Error) reject(outcome);
      else resolve(outcome);
    };
    const timer = setTimeout(() => end(new Error('no answer over TCP')), timeoutMs);
    socket.on('error', (error) => end(new Error(`TCP: ${error.message}`)));
    socket.on('close', () => end(new Error('the TCP connection ended without an answer')));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      const whole = received.length < 2 ? Number.POSITIVE_INFINITY : 2 + received.readUInt16BE(0);
      if (received.length >= whole) end(received.subarray(2, whole));
    });
    const framed = Buffer.alloc(2 + message.length);
    framed.writeUInt16BE(message.length);
    framed.set(message, 2);
    socket.write(framed);
  });
}
