import { expect, test } from 'vitest';
import { DescriptorShare } from '../../../../src/server/transport/tcp/descriptor-share.ts';
import { descriptorLimit } from '../../../../src/system/descriptors.ts';
import { SERVER } from '../listen-fixture.ts';

test.each([
  { limit: 64, open: 50, http: 0, connections: 1, about: 'hardly any' },
  { limit: 64, open: 38, http: 8, connections: 2, about: 'sixteen are left whatever comes' },
  { limit: 128, open: 48, http: 0, connections: 40, about: 'half is left to everything else' },
  { limit: 128, open: 38, http: 16, connections: 37, about: 'half of what HTTP leaves' },
  { limit: 1024, open: 50, http: 0, connections: 718, about: 'the usual soft limit' },
  { limit: 1024, open: 50, http: 128, connections: 590, about: 'the usual soft limit, with HTTP' },
  { limit: 65_536, open: 50, http: 200, connections: 65_030, about: 'plenty' },
  { limit: 10, open: 20, http: 4, connections: 1, about: 'a limit lowered below what is open' },
])('of $limit descriptors with $open open and $http for HTTP: $connections ($about)', (row) => {
  const { limit, open, http, connections } = row;
  expect(new DescriptorShare(limit, open, http, () => {}).connections).toBe(connections);
});

test('settings over it are cut and said once, those within it are left alone', () => {
  const said: string[] = [];
  const share = new DescriptorShare(128, 32, 16, (message) => said.push(message));
  const over = { ...SERVER, tcpConnections: 41 };
  const within = { ...SERVER, tcpConnections: 40 };
  expect(share.limited(over).tcpConnections).toBe(40);
  expect(share.limited(within)).toBe(within);
  for (const server of [within, over, over]) share.warn(server);
  expect(said).toEqual([
    'the limit of open files (128) is too low for server.tcp_connections 41: no more than 40 TCP connections are ' +
      'served at once; raise the limit (LimitNOFILE of systemd, ulimit -n) to 345',
  ]);
});

test('the limit of this process is a number of descriptors', () => {
  expect(descriptorLimit()).toBeGreaterThan(10);
});
