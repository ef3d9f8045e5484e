import { createSocket, type Socket } from 'node:dgram';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { NetworkJson } from '../../src/server/control/api/json.ts';
import { EdgewiseServer, eventually } from '../support/edgewise.ts';
import { Installation, NETWORK } from '../support/installation.ts';
import { Peer } from '../support/peers.ts';
import { freePort } from '../support/ports.ts';

/** A pool of name servers that are asked by DNS: a real `named`, and small ones whose answers are ours. */

const NAMED = '127.0.0.1';
const [REFUSING, TURNING] = ['127.96.4.1', '127.96.4.2'];
const ZONE = '$TTL 60\n@ SOA ns.a.test. host.a.test. 1 3600 600 86400 60\n@ NS ns.a.test.\nns A 127.0.0.1\n';
const [NOERROR, SERVFAIL, REFUSED] = [0, 2, 5];

/** Answers each query with the RCODE and without records. */
class SmallServer {
  rcode: number;
  private readonly socket: Socket = createSocket('udp4');

  constructor(rcode: number) {
    this.rcode = rcode;
  }

  async listen(address: string, port: number): Promise<void> {
    this.socket.on('message', (query, { address: from, port: to }) => {
      const answer = Buffer.from(query);
      answer[2] |= 0x84; // QR, AA
      answer[3] = (answer[3] & 0xf0) | this.rcode;
      this.socket.send(answer, to, from);
    });
    await new Promise<void>((resolve, reject) => {
      this.socket.once('error', reject);
      this.socket.bind(port, address, resolve);
    });
  }

  close(): void {
    this.socket.close();
  }
}

let named: Peer;
let refusing: SmallServer;
let turning: SmallServer;
let site: Installation;
let server: EdgewiseServer;

beforeEach(async () => {
  named = await Peer.start('bind', { zones: [{ origin: 'a.test', text: ZONE }] });
  refusing = new SmallServer(REFUSED);
  turning = new SmallServer(NOERROR);
  await refusing.listen(REFUSING, named.port);
  await turning.listen(TURNING, named.port);
  site = await Installation.make({
    edges: [NAMED, REFUSING, TURNING],
    zones: { 'good.test': '' },
    keys: {
      run_frequency: 3,
      dnschange_maxfreq: 1000,
      checks: { [NETWORK]: [{ kind: 'dns', port: named.port, query: 'a.test', type: 'SOA' }] },
      safety: { [NETWORK]: { fill: 'none' } },
      logpath: null,
      server: { listen: [`127.0.0.1:${await freePort()}`], startup_timeout: 60 },
      http: { listen: `127.0.0.1:${await freePort()}` },
    },
  });
  server = await EdgewiseServer.start(site.path('edgemanage.yaml'));
});
afterEach(async () => {
  await server.stop('SIGKILL');
  await named.stop();
  refusing.close();
  turning.close();
  await site.remove();
});

test('those that answer as expected are answered, and each of the others says why not', async () => {
  const answers = async (): Promise<string> => [...(await server.dig('good.test', 'A'))].sort().join(' ');
  const answered = (wanted: string): Promise<string> => eventually(answers, (seen) => seen === wanted);
  const failOf = async (edge: string): Promise<unknown> => {
    const { edges }: NetworkJson = JSON.parse((await server.get(`/api/v1/networks/${NETWORK}`)).text);
    return edges.find((one) => one.edge === edge)?.fail;
  };
  await answered(`${NAMED} ${TURNING}`);
  await expect
    .poll(() => failOf(REFUSING))
    .toMatchObject({ reason: 'rcode', detail: 'answered with REFUSED instead of NOERROR' });

  turning.rcode = SERVFAIL;
  await answered(NAMED);
  await expect.poll(() => failOf(TURNING)).toMatchObject({ reason: 'rcode' });

  turning.rcode = NOERROR;
  await answered(`${NAMED} ${TURNING}`);
  await named.stop();
  await answered(TURNING);
  await expect.poll(() => failOf(NAMED)).toMatchObject({ reason: 'refused' });
});
