import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { GoavailPeers } from '../../../src/app/goavail/peers.ts';
import { parseGoavail } from '../../../src/config/goavail-file.ts';
import { throwingGuard } from '../../support/guard.ts';
import { freePort } from '../../support/ports.ts';

function goavail(members: string) {
  const text = `failure_threshold = 1\ninterval = 1\nport = 1\n${members}
[Cloudflare]\ndns_domain = "example.test"\nhostnames = ["cloud"]\nip_addresses = ["127.87.9.9"]\n`;
  const read = parseGoavail('goavail.toml', text, { type: 'tcp', provider: 'cloudflare' }).goavail;
  if (read === null) throw new Error('no settings');
  return read;
}

test('reloads that come one upon the other end as the last one says', async () => {
  const port = await freePort('127.0.0.1');
  const cluster = goavail(
    `[Members]\npeers = ["127.0.0.1:9"]\nlocal_addr = "127.0.0.1:${port}"\nmin_peers_agree = 1\ncrypto_key = "sixteen octets!!"\n`,
  );
  const peers = new GoavailPeers({ goavail: cluster, guard: throwingGuard(), log: () => undefined });
  try {
    await peers.start(
      () => new Map(),
      () => undefined,
    );
    await Promise.all([peers.reload(goavail('')), peers.reload(cluster)]);
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect'); // rejects where nobody listens
    socket.destroy();
    await Promise.all([peers.reload(cluster), peers.reload(goavail(''))]);
    await expect(once(connect(port, '127.0.0.1'), 'connect')).rejects.toThrow('ECONNREFUSED');
  } finally {
    await peers.stop();
  }
});
