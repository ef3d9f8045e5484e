import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls, type SecureContext } from 'node:tls';

/** Where to connect, and as whom. */
export type Dial = {
  /** The edge's own address; never looked up. */
  readonly address: string;
  readonly port: number;
  /** SNI and certificate name; null: plain TCP. */
  readonly tls: null | { readonly name: string; readonly verify: boolean; readonly context: SecureContext };
};

/** Milliseconds of `performance.now()`; 0: not reached yet. */
export type DialMarks = { connected: number; secured: number; firstByte: number };

/**
 * Opens a socket to the edge and notes when each step was done. `ready` is called once, when the socket may be written to;
 * `arrived` whenever octets have come and nobody has read them yet, with the number of all so far. Errors arrive through
 * the socket's `error` event, before and after.
 */
export function dial(
  to: Dial,
  marks: DialMarks,
  ready: (socket: Socket) => void,
  arrived: (octets: number) => void,
): Socket {
  const where = {
    host: to.address,
    port: to.port,
    family: isIP(to.address),
    autoSelectFamily: false,
    // A plain request is one segment that nothing holds back; inside TLS it would wait for the handshake's last to be acknowledged.
    noDelay: to.tls !== null,
  };
  const socket = to.tls === null ? connectTcp(where) : connectTls({ ...where, ...tlsOptions(to.tls) });
  socket.once('connect', () => {
    marks.connected = performance.now();
    if (to.tls === null) ready(socket);
  });
  socket.once('secureConnect', () => {
    marks.secured = performance.now();
    ready(socket);
  });
  // Never taken off again: that would cost more than it saves.
  socket.on('readable', () => {
    // The end of a connection is readable, too.
    if (socket.readableLength === 0) return;
    if (marks.firstByte === 0) marks.firstByte = performance.now();
    arrived(socket.bytesRead);
  });
  return socket;
}

function tlsOptions({ name, verify, context }: NonNullable<Dial['tls']>): object {
  return {
    secureContext: context,
    // RFC 6066 section 3: an address is no server name.
    servername: isIP(name) === 0 ? name : '',
    rejectUnauthorized: verify,
    // The default would compare with the address when there is no SNI.
    checkServerIdentity: (_host: string, certificate: Parameters<typeof checkServerIdentity>[1]) =>
      checkServerIdentity(name, certificate),
    ALPNProtocols: ['http/1.1'],
  };
}
