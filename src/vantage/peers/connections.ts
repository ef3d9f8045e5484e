/** Which connections of a listener stay when there are too many. */
import type { Socket } from 'node:net';

/** Open at once: peers keep one each. */
const CONNECTIONS_MAX = 256;

type Connection = { readonly socket: Socket; isTrusted: boolean };

/**
 * The open connections of a listener, oldest first. Where there is one too many, the oldest goes that never brought a
 * message with our key: strangers can neither keep a peer out nor end its connection.
 */
export class Connections {
  private readonly open = new Map<string, Connection>();

  get size(): number {
    return this.open.size;
  }

  /** `onClosed`: wraps what is called when it is closed. */
  add(socket: Socket, onClosed: (closed: () => void) => () => void): void {
    const key = keyOf(socket);
    if (key === null) {
      socket.destroy(); // closed already
      return;
    }
    const connection = { socket, isTrusted: false };
    this.open.set(key, connection);
    socket.once(
      'close',
      onClosed(() => {
        if (this.open.get(key) === connection) this.open.delete(key);
      }),
    );
    if (this.open.size <= CONNECTIONS_MAX) return;
    const all = [...this.open.values()];
    (all.find(({ isTrusted }) => !isTrusted) ?? all[0])?.socket.destroy();
  }

  /** `socket`: of a request; by TLS it is another object than the one that was added. */
  trust(socket: Socket): void {
    const connection = this.open.get(keyOf(socket) ?? '');
    if (connection !== undefined) connection.isTrusted = true;
  }

  closeAll(): void {
    for (const { socket } of this.open.values()) socket.destroy();
  }
}

/** With our own address: where we listen on several, one port of a client may have a connection to each. */
function keyOf({ remoteAddress, remotePort, localAddress }: Socket): string | null {
  return remoteAddress === undefined ? null : `${remoteAddress} ${remotePort ?? 0} ${localAddress ?? ''}`;
}
