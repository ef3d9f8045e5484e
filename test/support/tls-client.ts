import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import type { Endpoint } from '../../src/system/address.ts';
import { TcpClient } from './dns-server.ts';
import type { Certificate } from './mock-edge-certificates.ts';

/** What a client of transfers sends in its handshake. */
export const DOT: ConnectionOptions = { ALPNProtocols: ['dot'] };

/** A connection whose handshake is done; rejects when the server ends it. No certificate is looked at unless told. */
export async function connectTls({ address, port }: Endpoint, options: ConnectionOptions = DOT): Promise<TLSSocket> {
  const socket = connect({ host: address, port, rejectUnauthorized: false, ...options });
  socket.setNoDelay(true);
  await once(socket, 'secureConnect');
  socket.on('error', () => {}); // a server that closes while we write; 'close' follows
  return socket;
}

export async function openTls(endpoint: Endpoint, options: ConnectionOptions = DOT): Promise<TcpClient> {
  return TcpClient.over(await connectTls(endpoint, options));
}

/** Certificate and key in files of their own, as the configuration names them. */
export class PemFiles {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'edgewise-pem-'));
  readonly certificate: string = join(this.folder, 'cert.pem');
  readonly key: string = join(this.folder, 'key.pem');

  constructor({ cert, key }: Certificate) {
    this.write({ cert, key });
  }

  write({ cert, key }: Certificate): void {
    writeFileSync(this.certificate, cert);
    writeFileSync(this.key, key);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
