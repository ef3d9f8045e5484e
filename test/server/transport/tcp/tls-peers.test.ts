import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readTls } from '../../../../src/config/tls-files.ts';
import type { Endpoint } from '../../../../src/system/address.ts';
import { type CertificateKinds, makeCertificates } from '../../../support/mock-edge-certificates.ts';
import { PemFiles } from '../../../support/tls-client.ts';
import { type Running, SERVER, startThreads } from '../listen-fixture.ts';

const run = promisify(execFile);
const ANYBODY = { from: null, key: null, tls: false, networks: null, zones: null };
const ENDPOINT = { address: '127.0.0.1', port: 0 };
let certificates: CertificateKinds;
let files: PemFiles;
let running: Running;
let tls: Endpoint;

beforeAll(async () => {
  certificates = makeCertificates('ns.test');
  files = new PemFiles(certificates.good);
  const server = { ...SERVER, tlsListen: [ENDPOINT], tlsCertificate: files.certificate, tlsKey: files.key };
  const { tls: material } = readTls(server, Date.now() / 1000);
  if (material === null) throw new Error('no certificate');
  const transfer = { keys: [], allow: [ANYBODY], rows: [] };
  running = await startThreads({ tlsListen: [ENDPOINT] }, { tls: material, transfer });
  [tls] = running.threads.tlsEndpoints;
});
afterAll(async () => {
  await running?.threads.stop();
  files?.remove();
});

test.each([
  ['dig', ['+tls', '+short'], '192.0.2.80\n'],
  ['kdig', ['+tls', '+short'], '192.0.2.80\n'],
  ['kdig', ['+tls', '+padding', '+short'], '192.0.2.80\n'],
] as const)('%s %j', async (program, flags, expected) => {
  const { stdout } = await run(program, ['@127.0.0.1', '-p', String(tls.port), ...flags, 'www.front.test', 'A']);
  expect(stdout).toBe(expected);
});

test.each([
  [['-alpn', 'dot'], /^ALPN protocol: dot$/m],
  [['-alpn', 'h2'], /no application protocol.*alert number 120/],
  [[], /^No ALPN negotiated$/m],
  [['-tls1_2', '-alpn', 'dot'], /^New, TLSv1\.2, /m],
  [['-tls1_1', '-cipher', 'ALL:@SECLEVEL=0'], /alert protocol version.*alert number 70/],
] as const)('openssl s_client %j', async (flags, expected) => {
  const asked = run('openssl', ['s_client', '-connect', `127.0.0.1:${tls.port}`, ...flags]);
  asked.child.stdin?.end();
  const { stdout, stderr } = await asked.catch(
    (failed: { readonly stdout: string; readonly stderr: string }) => failed,
  );
  expect(stdout + stderr).toMatch(expected);
});

test.each([
  ['dig', ['+tls', '+noall', '+answer', '+onesoa']],
  ['kdig', ['+tls', '+noall', '+answer']],
  ['kdig', ['+tls-ca=CA', '+tls-hostname=ns.test', '+noall', '+answer']],
] as const)('%s %j', async (program, flags) => {
  const ca = new PemFiles({ cert: certificates.ca, key: '' });
  const given = flags.map((flag) => flag.replace('CA', ca.certificate));
  const { stdout } = await run(program, ['@127.0.0.1', '-p', String(tls.port), ...given, 'front.test', 'AXFR']);
  ca.remove();
  expect(stdout).toMatch(/^www\.front\.test\.\s+300\s+IN\s+A\s+192\.0\.2\.80$/m);
});
