import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { afterAll, expect, test } from 'vitest';
import { makeTrust } from '../../../src/health/checks/trust.ts';
import { makeCertificates } from '../../support/mock-edge-certificates.ts';

const HOST = 'demo.test';
const { ca, good } = makeCertificates(HOST);
const folder = mkdtempSync(join(tmpdir(), 'edgewise-trust-'));
afterAll(() => rmSync(folder, { recursive: true }));

function store(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

/** Whether the certificate of the private authority is believed. */
async function believes(stores: readonly string[], own: string | null): Promise<boolean> {
  const server = createServer(good).on('tlsClientError', () => {});
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const bound = server.address();
  const port = bound !== null && typeof bound === 'object' ? bound.port : 0;
  const context = makeTrust(stores)(own);
  const socket: TLSSocket = connect({ host: '127.0.0.1', port, servername: HOST, secureContext: context });
  const outcome = await once(socket, 'secureConnect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  server.close();
  return outcome;
}

test.each<[string, () => readonly string[], string | null, boolean]>([
  ['the usual ones do not have it', () => [], null, false],
  ['the file that verify names has it', () => [], ca, true],
  ["the system's store has it", () => [store('system', ca)], null, true],
  ["another system's store is passed over", () => [join(folder, 'no'), store('system', ca)], null, true],
  [
    'a damaged store as well',
    () => [store('bad', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'), store('system', ca)],
    null,
    true,
  ],
  ['a folder as well', () => [folder, store('system', ca)], null, true],
])('a private authority: %s', async (_name, stores, own, expected) => {
  expect(await believes(stores(), own)).toBe(expected);
});

test('a context is made once for each', () => {
  const trust = makeTrust([]);
  expect(trust(ca)).toBe(trust(ca));
  expect(trust(null)).toBe(trust(null));
  expect(trust(null)).not.toBe(trust(ca));
});
