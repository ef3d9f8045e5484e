import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { readNetworkFiles } from '../../src/config/network-files.ts';
import { Installation, NETWORK } from '../support/installation.ts';

test.each<[string, readonly string[], number, boolean]>([
  ['IPv4 only and IPv6 only, one wanted', ['127.0.0.1', '::1'], 1, true],
  ['two wanted', ['127.0.0.1', '::1'], 2, false],
  ['one family', ['127.0.0.1', '127.0.0.2'], 1, false],
  ['a name, which may have both', ['127.0.0.1', '::1', 'a.test'], 1, false],
  ['nothing', [], 1, false],
])('families that one edge cannot answer: %s', async (_, edges, edgeCount, isSaid) => {
  const site = await Installation.make({ edges, keys: { edge_count: edgeCount } });
  try {
    const { config } = loadConfig(site.path('edgemanage.yaml'));
    expect(config).not.toBeNull();
    if (config === null) return;
    const { files, faults } = readNetworkFiles(config, NETWORK);
    expect(files?.edges).toEqual(edges);
    expect(faults.filter(({ code }) => code === 'families').map(({ severity }) => severity)).toEqual(
      isSaid ? ['warning'] : [],
    );
  } finally {
    await site.remove();
  }
});
