import { connect } from 'node:net';
import { HEADER_LENGTH } from '../../dns/message.ts';
import type { Endpoint } from '../../system/address.ts';
import type { Guard } from '../../system/guard.ts';

/**
 * Sends one message over a TCP connection of its own and resolves with the first one that comes back. Rejects with a
 * phrase for operators when the connection fails, ends before that, brings something shorter than a message, or is not
 * done within `timeoutMs`, however many octets drip in. Holds one message at most.
 */
export function askOverTcp(
  { address, port }: Endpoint,
  message: Uint8Array,
  timeoutMs: number,
  guard: Guard,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port });
    const frame = new FrameReader();
    const end = (outcome: Uint8Array | Error): void => {
      clearTimeout(timer);
      socket.destroy();
      if (outcome instanceof Error) reject(outcome);
      else resolve(outcome);
    };
    const guarded = <Args extends readonly unknown[]>(work: (...args: Args) => void) =>
      guard.protect('serial over TCP', work);
    const timer = setTimeout(
      guarded(() => end(new Error('no answer over TCP'))),
      timeoutMs,
    );
    socket.on(
      'error',
      guarded((error: Error) => end(new Error(`TCP: ${error.message}`))),
    );
    socket.on(
      'close',
      guarded(() => end(new Error('the TCP connection ended without an answer'))),
    );
    socket.on(
      'data',
      guarded((chunk: Buffer) => {
        const whole = frame.add(chunk);
        if (whole === 'short') end(new Error('answered with a message that cannot be read over TCP'));
        else if (whole !== null) end(whole);
      }),
    );
    const framed = Buffer.alloc(2 + message.length);
    framed.writeUInt16BE(message.length);
    framed.set(message, 2);
    socket.write(framed);
  });
}

/** Puts the first message of a stream together (RFC 1035 §4.2.2), copying each octet once. */
class FrameReader {
  private readonly head = new Uint8Array(2);
  private body: Uint8Array | null = null;
  private received = 0;

  /** The message when it is whole; null: not yet; 'short': its length says that it is none. */
  add(chunk: Uint8Array): Uint8Array | 'short' | null {
    let at = 0;
    for (; this.received < 2 && at < chunk.length; at++) this.head[this.received++] = chunk[at];
    if (this.received < 2) return null;
    const length = (this.head[0] << 8) | this.head[1];
    if (length < HEADER_LENGTH) return 'short';
    this.body ??= new Uint8Array(length);
    const filled = this.received - 2;
    const part = chunk.subarray(at, at + length - filled);
    this.body.set(part, filled);
    this.received += part.length;
    return this.received === 2 + length ? this.body : null;
  }
}
