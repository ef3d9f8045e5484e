import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { eventually } from '../support/edgewise.ts';
import { type CertificateKinds, makeCertificates } from '../support/mock-edge-certificates.ts';
import { freePort } from '../support/ports.ts';
import { connectTls, PemFiles } from '../support/tls-client.ts';
import { pageKey, pageTransfer } from './follow.ts';
import { Primary } from './primary.ts';
import { dig, Secondary } from './secondary.ts';
import { PRIMARY_ADDRESS, SECONDARY_ADDRESS, snippet } from './snippets.ts';

const ZONE = { name: 'example.com', keyed: true };
const CONTENT = 'mail IN A 192.0.2.25\n';
const HOST = 'ns.example.net'; // in the page
let certificates: CertificateKinds;
let files: PemFiles;
let trusted: PemFiles;
let tlsPort: number;
let primary: Primary;
const started: Secondary[] = [];

/** The page's set-up with TLS for one kind of server, with the authority in this file. */
function page(kind: 'bind' | 'nsd', authority: string): string {
  const head = kind === 'bind' ? /^zone /m : /^zone:/m;
  const plain = snippet(kind === 'bind' ? 'named.conf' : 'nsd.conf');
  const text = snippet(kind === 'bind' ? 'named.conf tls' : 'nsd.conf tls')
    .replace(/\/etc\/\w+\/edgewise-ca\.pem/, authority)
    .replace(`${PRIMARY_ADDRESS} port 853`, `127.0.0.1 port ${tlsPort}`)
    .replace(`${PRIMARY_ADDRESS}@853`, `127.0.0.1@${tlsPort}`)
    .replace(`allow-notify: ${PRIMARY_ADDRESS}`, 'allow-notify: 127.0.0.1');
  return plain.slice(0, plain.search(head)) + text;
}

async function start(kind: 'bind' | 'nsd', port: number, authority: string): Promise<Secondary> {
  const secondary = new Secondary(kind, port, primary.dnsPort, [ZONE], () => page(kind, authority));
  started.push(secondary);
  await secondary.start();
  return secondary;
}

const ports: number[] = [];
beforeAll(async () => {
  certificates = makeCertificates(HOST);
  files = new PemFiles(certificates.good);
  trusted = new PemFiles({ cert: certificates.ca, key: '' });
  tlsPort = await freePort();
  ports.push(await freePort(), await freePort());
  const { server, transfer } = parse(snippet('yaml tls').replaceAll(SECONDARY_ADDRESS, '127.0.0.1')) as {
    readonly server: Record<string, string>;
    readonly transfer: object;
  };
  expect(Object.keys(server)).toEqual(['tls_listen', 'tls_certificate', 'tls_key']);
  primary = await Primary.start(91, {
    zones: { 'example.com': CONTENT },
    listen: { tls_listen: `127.0.0.1:${tlsPort}`, tls_certificate: files.certificate, tls_key: files.key },
    transfer: {
      ...pageTransfer(0),
      ...transfer,
      notify: ports.map((port) => ({ to: `127.0.0.1:${port}`, key: 'edgewise-transfer' })),
      watch: 1,
    },
    keys: { log_level: 'DEBUG' },
  });
}, 60_000);

afterAll(async () => {
  for (const secondary of started) await secondary.remove();
  await primary?.stop();
  files?.remove();
  trusted?.remove();
});

async function fingerprint(): Promise<string> {
  const socket = await connectTls({ address: '127.0.0.1', port: tlsPort });
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}
const fingerprintOf = (pem: string): string => new X509Certificate(pem).fingerprint256;
const events = async (): Promise<string> => (await primary.server.get('/metrics')).text;
const count = async (event: string): Promise<number> =>
  Number(new RegExp(`edgewise_dns_events_total{event="${event}"} (\\d+)`).exec(await events())?.[1]);

test('over plain TCP, with the right key, nothing is given away', async () => {
  const lines = await dig(primary.dnsPort, '-y', pageKey(), '+noall', '+answer', 'example.com', 'AXFR');
  expect(lines).toEqual([]);
});

describe.each([
  ['bind', 0],
  ['nsd', 1],
] as const)('%s as a secondary over TLS', (kind, index) => {
  let secondary: Secondary;
  const answers = (addresses: readonly string[]): Promise<unknown> =>
    eventually(
      () => secondary.dig('example.com', 'A'),
      (seen) => seen.join() === [...addresses].sort().join(),
    );

  test('first transfer', async () => {
    const before = await count('tls_handshakes');
    secondary = await start(kind, ports[index], trusted.certificate);
    await eventually(
      () => secondary.dig('mail.example.com', 'A'),
      (seen) => seen.join() === '192.0.2.25',
    );
    expect(await count('tls_handshakes')).toBeGreaterThan(before);
  });

  test('a flip is answered by it, after a NOTIFY and an IXFR', async () => {
    const since = primary.server.output.length;
    await answers(await primary.flip(index));
    await primary.server.prints(/example\.com\.: IXFR/, since);
  });

  test('changes of contents follow, also after another certificate', async () => {
    files.write(certificates.good);
    primary.server.child.kill('SIGHUP');
    await primary.zone('example.com', `${CONTENT}new${index} IN A 192.0.2.99\n`);
    await eventually(
      () => secondary.dig(`new${index}.example.com`, 'A'),
      (seen) => seen.join() === '192.0.2.99',
    );
  });
});

test('BIND that trusts another authority gets nothing and knows why', async () => {
  const other = new PemFiles({ cert: certificates.unknownIssuer.cert, key: '' });
  const secondary = await start('bind', await freePort(), other.certificate);
  await eventually(
    async () => secondary.log,
    (log) => /transfer of.*TLS peer certificate verification failed/.test(log),
  );
  expect(await secondary.dig('mail.example.com', 'A')).toEqual([]);
  other.remove();
});

describe('SIGHUP', () => {
  test('with a certificate that cannot be used: said, and the old one stays', async () => {
    const since = primary.server.output.length;
    files.write({ ...certificates.good, key: certificates.selfSigned.key });
    primary.server.child.kill('SIGHUP');
    await primary.server.prints(/tls-mismatch: \S+key\.pem: is not the key of the certificate in \S+cert\.pem/, since);
    await primary.server.prints(/reloaded/, since);
    expect(await fingerprint()).toBe(fingerprintOf(certificates.good.cert));
  });

  test('with another one: shown from then on', async () => {
    const since = primary.server.output.length;
    files.write(certificates.otherName);
    primary.server.child.kill('SIGHUP');
    await primary.server.prints(/reloaded/, since);
    await eventually(fingerprint, (seen) => seen === fingerprintOf(certificates.otherName.cert));
    const { text } = await primary.server.get('/metrics');
    expect(text).toMatch(/^edgewise_tls_certificate_expiry_timestamp_seconds \d{10}$/m);
    expect(text).toMatch(/^edgewise_dns_queries_total{transport="tls",type="IXFR"} \d+$/m);
  });
});
