import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EdgewiseServer, edgewise } from '../support/edgewise.ts';
import { Installation, OBJECT } from '../support/installation.ts';
import { MockFleet } from '../support/mock-fleet.ts';
import { Peer, type PeerKind } from '../support/peers.ts';
import { freePort } from '../support/ports.ts';

const run = promisify(execFile);
const ZONE = 'signed.test';
const KINDS: readonly PeerKind[] = ['bind', 'nsd', 'knot'];
const AWAIT_MS = 60_000;

/** Names with several types of differing TTLs, so that their signatures differ too. */
function unsigned(serial: number, ttl: number): string {
  return `$TTL 3600
@ 300 SOA ns1 host ${serial} 7200 900 1209600 120
@ 86400 NS ns1
@ 60 MX 10 mail
@ 900 TXT "v=spf1 -all"
ns1 7200 A 192.0.2.1
ns1 60 AAAA 2001:db8::1
mail ${ttl} A 192.0.2.25
mail 86400 TXT "mail"
mail 300 SVCB 1 mail
*.w 77 TXT "Wildcard"
`;
}

/** A zone signed by BIND's and by ldns's tool; the second has a ZONEMD. */
class Signer {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'edgewise-signed-'));
  private key = '';

  async makeKey(): Promise<void> {
    const args = ['-K', this.folder, '-a', 'ECDSAP256SHA256', '-f', 'KSK', ZONE];
    this.key = (await run('dnssec-keygen', args, { cwd: this.folder })).stdout.trim();
  }

  async sign(how: 'bind' | 'ldns', text: string): Promise<string> {
    const [plain, out] = [join(this.folder, 'plain'), join(this.folder, 'out')];
    const key = join(this.folder, this.key);
    writeFileSync(plain, `$ORIGIN ${ZONE}.\n${text}`);
    if (how === 'bind') {
      await run('dnssec-signzone', ['-S', '-z', '-K', this.folder, '-o', ZONE, '-f', out, plain], { cwd: this.folder });
    } else {
      await run('ldns-signzone', ['-z', 'simple:sha384', '-o', ZONE, '-f', out, plain, key], { cwd: this.folder });
    }
    return readFileSync(out, 'latin1');
  }

  /** The verdict of both tools on a zone's text. */
  async verify(name: string, text: string, zonemd: boolean): Promise<void> {
    const file = join(this.folder, name);
    writeFileSync(file, text);
    await run('dnssec-verify', ['-z', '-o', ZONE, file]);
    await run('ldns-verify-zone', [...(zonemd ? ['-Z'] : []), file]);
  }
}

async function transferred(port: number): Promise<string> {
  const { stdout } = await run('dig', ['@127.0.0.1', '-p', String(port), '+noall', '+answer', '+onesoa', ZONE, 'AXFR']);
  return stdout;
}

/** Owner, TTL, type and covered type of each record; order and the writers' manners do not count. */
function heads(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.toLowerCase().split(/\s+/))
    .filter((words) => words.length > 4)
    .map(([owner, ttl, , type, covered]) => `${owner} ${ttl} ${type} ${type === 'rrsig' ? covered : ''}`)
    .sort();
}

describe.each(['bind', 'ldns'] as const)('a zone signed by %s', (how) => {
  const signer = new Signer();
  let fleet: MockFleet;
  let site: Installation;
  let server: EdgewiseServer;
  const peers = new Map<PeerKind, Peer>();

  beforeAll(async () => {
    await signer.makeKey();
    fleet = await MockFleet.start(['127.71.0.1'], OBJECT);
    const dnsPort = await freePort();
    const ports = await Promise.all(KINDS.map(() => freePort()));
    site = await Installation.make({
      edges: ['127.71.0.1'],
      port: fleet.port,
      zones: {},
      keys: {
        run_frequency: 3600,
        named_dir: null,
        logpath: null,
        static_zones: [{ name: ZONE, file: `static/${ZONE}.zone` }],
        server: { listen: [`127.0.0.1:${dnsPort}`] },
        http: { listen: `127.0.0.1:${await freePort()}` },
        transfer: { allow: [{ from: '127.0.0.1' }], notify: ports.map((port) => ({ to: `127.0.0.1:${port}` })) },
      },
    });
    await site.write(`static/${ZONE}.zone`, await signer.sign(how, unsigned(1, 600)));
    server = await EdgewiseServer.start(site.path('edgemanage.yaml'));
    for (const [i, kind] of KINDS.entries()) {
      const primary = { address: '127.0.0.1', port: dnsPort };
      const extra = kind === 'nsd' ? '  provide-xfr: 127.0.0.0/8 NOKEY' : '';
      peers.set(kind, await Peer.start(kind, { zones: [{ origin: ZONE, primary, extra }], port: ports[i] }));
    }
  }, 2 * AWAIT_MS);

  afterAll(async () => {
    await Promise.all([...peers.values()].map((peer) => peer.stop()));
    await server.stop();
    await fleet.close();
    await site.remove();
    rmSync(signer.folder, { recursive: true, force: true });
  });

  const serialOf = async (port: number): Promise<string> => {
    const { stdout } = await run('dig', ['@127.0.0.1', '-p', String(port), '+short', ZONE, 'SOA']).catch(() => ({
      stdout: '',
    }));
    return stdout.split(' ')[2] ?? '';
  };

  const all = (): readonly (readonly [string, number])[] => [
    ['edgewise', server.dnsPort],
    ...[...peers].map(([kind, peer]) => [kind, peer.port] as const),
  ];

  const check = async (serial: number, file: string): Promise<void> => {
    const expected = heads(await dumped(file));
    for (const [name, port] of all()) {
      await expect.poll(() => serialOf(port), { timeout: AWAIT_MS, interval: 200 }).toBe(String(serial));
      const text = await transferred(port);
      expect([name, heads(text)]).toEqual([name, expected]);
      await signer.verify(name, text, how === 'ldns');
    }
  };

  /** The zone as `named-compilezone` reads its file. */
  const dumped = async (file: string): Promise<string> => {
    const out = join(signer.folder, 'compiled');
    await run('named-compilezone', ['-i', 'none', '-s', 'full', '-o', out, ZONE, file]);
    return readFileSync(out, 'latin1');
  };

  test(
    'holds beside every secondary, after AXFR and after IXFR',
    async () => {
      const file = site.path(`static/${ZONE}.zone`);
      await check(1, file);
      await site.write(`static/${ZONE}.zone`, await signer.sign(how, unsigned(2, 61)));
      await check(2, file);
    },
    4 * AWAIT_MS,
  );

  test('holds as checkzone prints it', async () => {
    const { status, stdout } = await edgewise(['checkzone', '-D', ZONE, site.path(`static/${ZONE}.zone`)]);
    expect(status).toBe(0);
    await signer.verify('canonical', stdout, how === 'ldns');
  });

  test('is said to be answered without its signatures', async () => {
    expect(server.output).toContain('signed-zone');
  });
});
