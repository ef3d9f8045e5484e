import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { storeOf } from '../support/zone-images.ts';
import { PROTOCOL_ZONE, protocolServer } from './protocol-server.ts';

const anybody = { from: null, key: null, tls: false, networks: null, zones: null };
const served = protocolServer([], {}, { keys: [], allow: [anybody], rows: [] });

test('dig reads the transfer of a zone', async () => {
  const { address, port } = served.server.endpoint;
  const args = [`@${address}`, '-p', String(port), 'example.test', 'AXFR', '+onesoa', '+noall', '+answer'];
  const { stdout } = await promisify(execFile)('dig', args);
  expect(stdout.trim().split('\n')).toHaveLength(storeOf('example.test', PROTOCOL_ZONE.text).size - 1);
});
