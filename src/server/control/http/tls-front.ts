/** TLS before HTTP: handshakes that are bounded in time and number, and who the client's certificate says it is. */
import type { Socket } from 'node:net';
import { createServer, type PeerCertificate, type Server, type TLSSocket } from 'node:tls';
import type { Guard } from '../../../system/guard.ts';
import { oneLine } from '../../../system/printable.ts';
import type { Refusals } from './refusals.ts';

/** PEM. `clients`: the authorities that vouch for administrators; null: no certificate is asked for. */
export type HttpTls = { readonly certificate: string; readonly key: string; readonly clients: string | null };

/** For a handshake, from the connection to the first octet that may be HTTP. */
const HANDSHAKE_MS = 5_000;
/** A handshake costs the main thread about a millisecond: so many at once, and one more after each pause. */
const BURST = 20;
const PAUSE_MS = 20;
/** What a TLS connection begins with: a record of a handshake. */
const HANDSHAKE = 0x16;
const AUTHOR_MAX = 64;

export type SecuredSocket = {
  readonly socket: TLSSocket;
  /** Subject of the client's certificate, while those who vouched for it still do; null: there is none. */
  readonly certificate: () => string | null;
};

export class TlsFront {
  private readonly guard: Guard;
  private readonly refusals: Refusals;
  private tls: HttpTls;
  /** Listens nowhere: it gets connections that are ready for a handshake. */
  private server: Server;
  /** Connections in a handshake, by the client's address and port. */
  private readonly pending = new Map<string, (socket: TLSSocket) => void>();
  private free = BURST;
  private readonly waiting: (() => void)[] = [];
  private timer: NodeJS.Timeout | undefined;

  /** Throws OpenSSL's error for what is no certificate or key. */
  constructor(tls: HttpTls, refusals: Refusals, guard: Guard) {
    this.tls = tls;
    this.refusals = refusals;
    this.guard = guard;
    this.server = this.serverOf(tls);
  }

  /** For connections from now on. Throws as the constructor does, and then changes nothing. */
  configure(tls: HttpTls): void {
    this.server = this.serverOf(tls);
    this.tls = tls;
  }

  /** Resolves when the handshake is done. Null: it is no TLS, or no more; the connection is closed, or will be. */
  async secure(raw: Socket): Promise<SecuredSocket | null> {
    // Such a client may send nothing, or a few octets for ever.
    const timer = setTimeout(
      this.guard.protect('http', () => {
        this.refusals.add('malformed');
        raw.destroy();
      }),
      HANDSHAKE_MS,
    );
    try {
      const first = await this.firstOctet(raw);
      if (first === null) return null;
      if (first !== HANDSHAKE) {
        this.refusals.add('malformed');
        raw.resume();
        raw.end(PLAIN);
        raw.destroySoon();
        return null;
      }
      await this.turn();
      return raw.destroyed ? null : await this.handshake(raw);
    } finally {
      clearTimeout(timer);
    }
  }

  private handshake(raw: Socket): Promise<SecuredSocket | null> {
    const { tls, pending } = this;
    const key = keyOf(raw);
    return new Promise((resolve) => {
      raw.once(
        'close',
        this.guard.protect('http', () => {
          pending.delete(key);
          resolve(null);
        }),
      );
      pending.set(key, (socket) => {
        pending.delete(key);
        const author = socket.authorized ? subjectOf(socket.getPeerCertificate()) : null;
        resolve({ socket, certificate: () => (this.tls.clients === tls.clients ? author : null) });
      });
      this.server.emit('connection', raw);
    });
  }

  private serverOf({ certificate, key, clients }: HttpTls): Server {
    const server = createServer({
      cert: certificate,
      key,
      minVersion: 'TLSv1.2',
      ALPNProtocols: ['http/1.1'],
      requestCert: clients !== null,
      // Readers need none.
      rejectUnauthorized: false,
      ...(clients === null ? {} : { ca: clients }),
    });
    server.on(
      'secureConnection',
      this.guard.protect('http', (socket: TLSSocket) => {
        const isUnknown = clients !== null && !socket.authorized && socket.getPeerX509Certificate() !== undefined;
        if (isUnknown) this.refusals.add('certificate');
        const done = this.pending.get(keyOf(socket));
        if (done === undefined) socket.destroy();
        else done(socket);
      }),
    );
    server.on(
      'tlsClientError',
      this.guard.protect('http', (_error: Error, socket: TLSSocket) => {
        this.refusals.add('malformed');
        socket.destroy();
      }),
    );
    return server;
  }

  /** Leaves it where it is. Null: the connection ended before. */
  private firstOctet(raw: Socket): Promise<number | null> {
    return new Promise((resolve) => {
      const onReadable = this.guard.protect('http', () => {
        const octet: Uint8Array | null = raw.read(1);
        if (octet === null) return;
        raw.removeListener('readable', onReadable);
        raw.unshift(octet);
        resolve(octet[0]);
      });
      raw.on('readable', onReadable);
      const gone = this.guard.protect('http', () => resolve(null));
      raw.once('end', gone).once('close', gone).once('error', gone);
    });
  }

  private turn(): Promise<void> {
    this.timer ??= setInterval(
      this.guard.protect('http', () => this.next()),
      PAUSE_MS,
    );
    if (this.free > 0) {
      this.free -= 1;
      return Promise.resolve();
    }
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  private next(): void {
    const next = this.waiting.shift();
    if (next !== undefined) {
      next();
      return;
    }
    this.free += 1;
    if (this.free < BURST) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }
}

const PLAIN_TEXT = 'This port speaks TLS: ask by https.\n';
const PLAIN = [
  'HTTP/1.1 400 Bad Request',
  'content-type: text/plain; charset=utf-8',
  `content-length: ${PLAIN_TEXT.length}`,
  'connection: close',
  '',
  PLAIN_TEXT,
].join('\r\n');

function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

/** CN, else the first name for which the certificate was made. */
function subjectOf({ subject, subjectaltname = '' }: PeerCertificate): string | null {
  const [name = ''] = [subject.CN ?? []].flat();
  const [, other = ''] = /^(?:\w+:)?([^,]*)/.exec(subjectaltname) ?? [];
  const text = oneLine((name === '' ? other : name).replace(/[[\]]+/g, ' '));
  return text === '' ? null : text.slice(0, AUTHOR_MAX);
}
