import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import type { TlsFiles } from '../../../config/tls-files.ts';

const PROTOCOL = 'dot';
const PROTOCOLS: Uint8Array = Uint8Array.of(PROTOCOL.length, ...Buffer.from(PROTOCOL)); // as on the wire, RFC 7301 §3.1

/**
 * Starts DNS over TLS (RFC 7858) on accepted sockets. TLS 1.2 and later. A client that offers protocols (ALPN) and not
 * `dot` among them is refused in the handshake; one that offers none is let in, since RFC 7858 knows no ALPN, but gets
 * no transfers. Tickets resume sessions until the certificate changes.
 */
export class TlsAcceptor {
  private context: SecureContext;

  constructor(files: TlsFiles) {
    this.context = contextOf(files);
  }

  /** For handshakes from now on. */
  configure(files: TlsFiles): void {
    this.context = contextOf(files);
  }

  /** The stream inside; it begins with the handshake, whose end is the event 'secure'. */
  wrap(socket: Socket): TLSSocket {
    const inside = new TLSSocket(socket, { isServer: true, secureContext: this.context, ALPNProtocols: PROTOCOLS });
    // There is no `tls.Server` to handle what goes wrong after the handshake, such as a forged record.
    inside.on('_tlsError', () => inside.destroy());
    return inside;
  }
}

/**
 * Whether a connection may carry transfers: RFC 9103 demands the protocol `dot` (§7.1) and TLS 1.3 (§7.2). To be called
 * when 'secure' is emitted and not later: the TLS state is gone when the connection is.
 */
export function mayCarryTransfers(socket: TLSSocket): boolean {
  return socket.alpnProtocol === PROTOCOL && socket.getProtocol() === 'TLSv1.3';
}

function contextOf({ certificate, key }: TlsFiles): SecureContext {
  return createSecureContext({
    cert: certificate,
    key,
    minVersion: 'TLSv1.2',
    // Renegotiation would let a client make the server work for nothing, as often as it likes.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  });
}
