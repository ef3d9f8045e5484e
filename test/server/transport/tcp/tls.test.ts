import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTlsNow } from 'node:tls';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { readTls } from '../../../../src/config/tls-files.ts';
import type { ServerConfig } from '../../../../src/config/types.ts';
import type { ThreadTransfer } from '../../../../src/server/transfer/handler-types.ts';
import type { Endpoint } from '../../../../src/system/address.ts';
import { decodeMessage } from '../../../support/dns-message.ts';
import { encodeQuery } from '../../../support/dns-query.ts';
import { framed, TcpClient } from '../../../support/dns-server.ts';
import { eventually } from '../../../support/edgewise.ts';
import { type CertificateKinds, makeCertificates } from '../../../support/mock-edge-certificates.ts';
import { connectTls, DOT, openTls, PemFiles } from '../../../support/tls-client.ts';
import { signedQuery, testKey, transferOver } from '../../../support/transfer-client.ts';
import { type Running, SERVER, startThreads } from '../listen-fixture.ts';

const KEY = testKey('k');
const ANYBODY = { from: null, key: null, tls: false, networks: null, zones: null };
const OPEN: ThreadTransfer = { keys: [KEY], allow: [ANYBODY], rows: [] };
const ENDPOINT = { address: '127.0.0.1', port: 0 };
let certificates: CertificateKinds;
let files: PemFiles;
const started: Running[] = [];

beforeAll(() => {
  certificates = makeCertificates('ns.test');
  files = new PemFiles(certificates.good);
});
const stopAll = async (): Promise<void> => {
  await Promise.all(started.splice(0).map(({ threads }) => threads.stop()));
};
afterEach(stopAll);
afterAll(async () => {
  if (usual !== null) started.push(await usual);
  await stopAll();
  files?.remove();
});

const material = () => {
  const server = { ...SERVER, tlsListen: [ENDPOINT], tlsCertificate: files.certificate, tlsKey: files.key };
  const { tls } = readTls(server, Date.now() / 1000);
  if (tls === null) throw new Error('no certificate');
  return tls;
};
type Started = Running & { readonly plain: Endpoint; readonly tls: Endpoint };
async function startAlone(server: Partial<ServerConfig>, transfer: ThreadTransfer): Promise<Started> {
  files.write(certificates.good);
  const running = await startThreads({ tlsListen: [ENDPOINT], ...server }, { tls: material(), transfer });
  return { ...running, plain: running.threads.endpoints[0], tls: running.threads.tlsEndpoints[0] };
}
/** For one test. */
async function start(server: Partial<ServerConfig> = {}, transfer = OPEN): Promise<Started> {
  const running = await startAlone(server, transfer);
  started.push(running);
  return running;
}
/** One with the usual settings for all tests that change and count nothing. */
let usual: Promise<Started> | null = null;
function common(): Promise<Started> {
  usual ??= startAlone({}, OPEN);
  return usual;
}
/** `once` would reject on the error that may come before. */
const ended = (socket: Socket): Promise<unknown> => new Promise((resolve) => socket.once('close', resolve));
const www = (id: number) => encodeQuery({ name: 'www.front.test', id });
const axfr = encodeQuery({ name: 'front.test', type: 'AXFR' });

describe('DNS over TLS (RFC 7858)', () => {
  test.each([
    ['dot', DOT, { version: 'TLSv1.3', alpn: 'dot' }],
    ['dot among others', { ALPNProtocols: ['h2', 'dot'] }, { version: 'TLSv1.3', alpn: 'dot' }],
    ['no protocol', {}, { version: 'TLSv1.3', alpn: false }],
    ['TLS 1.2', { ...DOT, maxVersion: 'TLSv1.2' }, { version: 'TLSv1.2', alpn: 'dot' }],
  ] as const)('a client that offers %s is answered', async (_, options, expected) => {
    const { tls, threads } = await start();
    const socket = await connectTls(tls, options);
    expect({ version: socket.getProtocol(), alpn: socket.alpnProtocol }).toEqual(expected);
    const client = TcpClient.over(socket);
    client.send(www(7));
    const answer = decodeMessage((await client.next()) ?? new Uint8Array());
    expect(answer).toMatchObject({ id: 7, rcode: 'NOERROR', answer: [{ text: '192.0.2.80' }] });
    client.close();
    const { queries, events } = threads.sums();
    expect(queries).toContainEqual({ transport: 'tls', type: 1, count: 1 });
    expect(events).toMatchObject({ tls_handshakes: 1, tls_failed: 0, tcp_connections: 1 });
  });

  test.each([
    ['another protocol', { ALPNProtocols: ['h2'] }, 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL'],
    [
      'nothing newer than TLS 1.1',
      { ...DOT, minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' },
      'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
    ],
  ] as const)('a client that offers %s is refused in the handshake', async (_, options, code) => {
    const { tls, threads } = await start();
    await expect(connectTls(tls, options)).rejects.toMatchObject({ code });
    await eventually(
      () => Promise.resolve(threads.sums().events),
      ({ tls_failed }) => tls_failed === 1,
    );
    expect(threads.sums().events.tls_handshakes).toBe(0);
  });

  test('many queries at once are all answered, and a client that has sent its last gets them (RFC 7766 §6.2.1)', async () => {
    const { tls } = await common();
    const socket = await connectTls(tls);
    const client = TcpClient.over(socket);
    const ids = Array.from({ length: 500 }, (_, i) => i);
    socket.end(Buffer.concat(ids.map((id) => framed(www(id)))));
    const seen: number[] = [];
    for (let reply = await client.next(); reply !== null; reply = await client.next())
      seen.push(decodeMessage(reply).id);
    expect(seen.sort((a, b) => a - b)).toEqual(ids);
  });

  test('a session is resumed by its ticket', async () => {
    const { tls } = await common();
    const first = await connectTls(tls);
    const [session] = (await once(first, 'session')) as [Buffer];
    first.destroy();
    const second = await connectTls(tls, { ...DOT, session });
    expect([second.isSessionReused(), second.alpnProtocol]).toEqual([true, 'dot']);
    second.destroy();
  });

  test('answers are padded where the query was, to multiples of 468 octets (RFC 8467 §4.1), and only over TLS', async () => {
    const { tls, plain } = await common();
    const padded = (name: string) => encodeQuery({ name, type: 'TXT', edns: { options: [[12, new Uint8Array(60)]] } });
    const bare = encodeQuery({ name: 'big.front.test', type: 'TXT', edns: {} });
    const secure = await openTls(tls);
    const clear = await TcpClient.open(plain);
    const sizes = async (client: TcpClient): Promise<(number | undefined)[]> => {
      for (const query of [padded('www.front.test'), padded('big.front.test'), bare]) client.send(query);
      return [await client.next(), await client.next(), await client.next()].map((octets) => octets?.length);
    };
    const [small, big, unpadded] = await sizes(secure);
    const inTheClear = await sizes(clear);
    expect([small, big]).toEqual([468, 5 * 468]);
    expect(inTheClear[1]).toBe(unpadded);
    secure.close();
    clear.close();
  });
});

describe('transfers over TLS (RFC 9103)', () => {
  test.each([
    ['dot and TLS 1.3', DOT, 'NOERROR'],
    ['no protocol (§7.1)', {}, 'REFUSED'],
    ['dot, but TLS 1.2 (§7.2)', { ...DOT, maxVersion: 'TLSv1.2' }, 'REFUSED'],
  ] as const)('%s: %s', async (_, options, rcode) => {
    const { tls, threads } = await start();
    const { messages, rows } = await transferOver(await openTls(tls, options), axfr);
    expect(threads.sums().queries).toEqual([{ transport: 'tls', type: 252, count: 1 }]);
    expect(threads.sums().answers).toEqual([{ transport: 'tls', rcode: rcode === 'NOERROR' ? 0 : 5, count: 1 }]);
    expect(messages[0].rcode).toBe(rcode);
    expect(rows.length > 0).toBe(rcode === 'NOERROR');
  });

  test('a rule may demand TLS', async () => {
    const { tls, plain } = await start({}, { ...OPEN, allow: [{ ...ANYBODY, key: KEY.name, tls: true }] });
    const signed = () => signedQuery(axfr, KEY).octets;
    const refused = await transferOver(await TcpClient.open(plain), signed());
    expect([refused.messages[0].rcode, refused.rows]).toEqual(['REFUSED', []]);
    expect((await transferOver(await openTls(tls), axfr)).messages[0].rcode).toBe('REFUSED');
    expect((await transferOver(await openTls(tls), signed())).rows.length).toBeGreaterThan(5);
  });
});

describe('what does not finish a handshake', () => {
  test.each([
    ['nothing', Buffer.alloc(0)],
    ['a part of a record', Buffer.from('160301', 'hex')],
    ['a record that goes on and on', Buffer.concat([Buffer.from('1603010200010001fc0303', 'hex'), Buffer.alloc(100)])],
  ])('%s is ended after tcp_message_timeout', async (_, octets) => {
    const { tls, threads } = await start({ tcpMessageSeconds: 0.3, tcpIdleSeconds: 3600 });
    const client = await TcpClient.open(tls);
    client.socket.write(octets);
    expect(await client.next()).toBeNull();
    await eventually(
      () => Promise.resolve(threads.sums().events),
      ({ tls_failed }) => tls_failed === 1,
    );
  });

  test('trickling octets do not put the end off', async () => {
    const { tls } = await start({ tcpMessageSeconds: 0.5, tcpIdleSeconds: 3600 });
    const socket = connect(tls.port, tls.address);
    socket.on('error', () => {});
    const drip = setInterval(() => socket.write(Buffer.of(0)), 50);
    socket.write(Buffer.from('16030102000100', 'hex'));
    socket.resume();
    await ended(socket);
    clearInterval(drip);
  });

  test('plain DNS, HTTP and noise at the door get an alert or nothing, and the next client is served', async () => {
    const { tls, threads } = await start();
    const garbage = fc.oneof(
      fc.constantFrom(framed(www(1)), Buffer.from('GET / HTTP/1.0\r\n\r\n'), Buffer.alloc(1000, 0x16)),
      fc.uint8Array({ minLength: 30, maxLength: 600 }).map((octets) => Buffer.from(octets)),
      // Like the first record of a handshake, with noise inside.
      fc.uint8Array({ minLength: 40, maxLength: 400 }).map((octets) => {
        const head = Buffer.from([
          0x16,
          3,
          1,
          octets.length >> 8,
          octets.length & 255,
          1,
          0,
          0,
          octets.length - 4,
          3,
          3,
        ]);
        return Buffer.concat([head, octets]);
      }),
    );
    await fc.assert(
      fc.asyncProperty(garbage, async (octets) => {
        const socket = connect(tls.port, tls.address);
        socket.on('error', () => {});
        const seen: Buffer[] = [];
        socket.on('data', (chunk: Buffer) => seen.push(chunk));
        socket.end(octets); // nothing more comes, so nothing can be waited for
        await ended(socket);
        // An alert is all that may come: content type 21.
        expect(Buffer.concat(seen)[0] ?? 21).toBe(21);
      }),
      { numRuns: 60 },
    );
    const client = await openTls(tls);
    client.send(www(9));
    expect(decodeMessage((await client.next()) ?? new Uint8Array()).rcode).toBe('NOERROR');
    client.close();
    expect(threads.sums().queries).toEqual([{ transport: 'tls', type: 1, count: 1 }]);
  });

  test('noise inside TLS ends the connection and nothing else', async () => {
    const { tls } = await common();
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 11 }), async (octets) => {
        const client = await openTls(tls);
        client.send(octets);
        expect(await client.next()).toBeNull();
      }),
      { numRuns: 20 },
    );
  });

  test('a record that nobody could have sent ends the connection at once', async () => {
    const { tls } = await start({ tcpIdleSeconds: 3600, tcpMessageSeconds: 3600 });
    const under = connect(tls.port, tls.address);
    const over = connectTlsNow({ socket: under, rejectUnauthorized: false, ...DOT });
    over.on('error', () => {});
    await once(over, 'secureConnect');
    under.write(Buffer.from('1703030010000102030405060708090a0b0c0d0e0f', 'hex'));
    await ended(over);
  });

  test('half handshakes count as connections of their address', async () => {
    const { tls, threads } = await start({ tcpConnectionsPerClient: 2, tcpMessageSeconds: 3600 });
    const held = [await TcpClient.open(tls), await TcpClient.open(tls)];
    await eventually(
      () => Promise.resolve(threads.sums().events),
      ({ tcp_connections }) => tcp_connections === 2,
    );
    expect(await (await TcpClient.open(tls)).next()).toBeNull();
    expect(threads.sums().events.tcp_refused).toBe(1);
    held[0].close();
    await eventually(
      async () => connectTls(tls).catch(() => null),
      (socket) => socket !== null,
    );
    held[1].close();
  });

  test('and give way to others when there are too many in all', async () => {
    const { tls, plain, threads } = await start({ tcpConnections: 2, tcpMessageSeconds: 3600 });
    const held = [await TcpClient.open(tls), await TcpClient.open(tls)];
    await eventually(
      () => Promise.resolve(threads.sums().events),
      ({ tcp_connections }) => tcp_connections === 2,
    );
    const client = await TcpClient.open(plain);
    client.send(www(3));
    expect(await client.next()).not.toBeNull();
    expect(await held[0].next()).toBeNull();
    for (const each of [...held, client]) each.close();
  });

  test('a client that goes away in the middle', async () => {
    const { tls, threads } = await start();
    for (let i = 0; i < 20; i++) {
      const socket = connectTlsNow({ host: tls.address, port: tls.port, rejectUnauthorized: false, ...DOT });
      socket.on('error', () => {});
      await once(socket, 'connect');
      socket.destroy();
    }
    await eventually(
      () => Promise.resolve(threads.sums().events),
      ({ tls_failed, tls_handshakes }) => tls_failed + tls_handshakes === 20,
    );
  });
});

describe('another certificate', () => {
  test('is shown to new connections; those there are go on', async () => {
    const { tls, threads } = await start();
    const fingerprint = async (): Promise<string> => {
      const socket = await connectTls(tls);
      const { fingerprint256 } = socket.getPeerCertificate();
      socket.destroy();
      return fingerprint256;
    };
    const old = await openTls(tls);
    const before = await fingerprint();
    files.write(certificates.selfSigned);
    threads.configureTls(material());
    await threads.settled();
    expect(await fingerprint()).not.toBe(before);
    old.send(www(5));
    expect(await old.next()).not.toBeNull();
    old.close();
  });

  test('stays the one of a thread that starts again', async () => {
    const { tls, threads } = await start();
    files.write(certificates.selfSigned);
    threads.configureTls(material());
    const { fingerprint256: wanted } = await (async () => {
      await threads.settled();
      const socket = await connectTls(tls);
      return socket.getPeerCertificate();
    })();
    await threads['threads'].find(({ name }) => name === 'tcp')?.worker?.terminate();
    await threads.settled();
    const socket = await eventually(
      () => connectTls(tls).catch(() => null),
      (opened) => opened !== null,
    );
    expect(socket?.getPeerCertificate().fingerprint256).toBe(wanted);
    socket?.destroy();
  });
});
