import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import type { PeersVantage } from '../../../src/config/section-vantage.ts';
import type { PeersSettings } from '../../../src/vantage/peers/engine.ts';
import { readPeersSettings } from '../../../src/vantage/peers/settings.ts';
import { type CertificateKinds, makeCertificates } from '../../support/mock-edge-certificates.ts';
import { type EngineAtTest, engineOf, settingsOf, viewOf } from '../../support/vantage-peers.ts';

const WAIT = { timeout: 30_000, interval: 20 };
let certificates: CertificateKinds;
let ending: (() => Promise<unknown>)[] = [];

beforeAll(() => {
  certificates = makeCertificates('localhost');
});
afterEach(async () => {
  await Promise.all(ending.map((end) => end()));
  ending = [];
});

async function started(settings: PeersSettings): Promise<EngineAtTest> {
  const made = engineOf(settings);
  ending.push(() => made.engine.stop());
  await made.engine.start();
  made.engine.publishView(viewOf(settings.name, 1));
  return made;
}

async function pair(): Promise<readonly [PeersSettings, PeersSettings]> {
  const { good, ca } = certificates;
  const tls = { certificate: good.cert, key: good.key };
  const [a, b] = (await settingsOf(['a', 'b'], { tls, ca }, 'https')).map((settings) => ({
    ...settings,
    peers: settings.peers.map(({ name, url }) => ({ name, url: url.replace('127.0.0.1', 'localhost') })),
  }));
  if (a === undefined || b === undefined) throw new Error('no settings');
  return [a, b];
}

test('peers by TLS with an authority of their own', async () => {
  const [a, b] = await Promise.all((await pair()).map(started));
  await vi.waitFor(() => {
    expect(a?.engine.views('net')).toHaveLength(1);
    expect(b?.engine.views('net')).toHaveLength(1);
  }, WAIT);
  expect(a?.engine.faults()).toEqual([]);
});

test('certificates that cannot be checked are no peers; a reload with good ones is one', async () => {
  const [settingsA, settingsB] = await pair();
  const a = await started(settingsA);
  const b = await started(settingsB);
  const good = settingsB.tls;
  const { expired, otherName, selfSigned, unknownIssuer } = certificates;
  for (const [{ cert, key }, problem] of [
    [expired, 'expired'],
    [otherName, "does not match certificate's altnames"],
    [selfSigned, 'self-signed'],
    [unknownIssuer, 'unable to'],
  ] as const) {
    await b.engine.reconfigure({ ...settingsB, tls: { certificate: cert, key } });
    await vi.waitFor(() => expect(a.engine.faults().join()).toContain(problem), WAIT);
  }
  await b.engine.reconfigure({ ...settingsB, tls: null }); // in the clear
  await vi.waitFor(
    () => expect(a.engine.faults().join()).toMatch(/before secure TLS connection|wrong version|packet length/),
    WAIT,
  );
  await b.engine.reconfigure({ ...settingsB, tls: good });
  b.engine.publishView(viewOf('b', 2));
  await vi.waitFor(() => {
    expect(a.engine.faults()).toEqual([]);
    expect(a.engine.views('net')[0]?.view.turn).toBe(2);
  }, WAIT);
});

test('the files of a configuration: read, missing, not belonging together', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'peers-files-'));
  ending.push(() => rm(folder, { recursive: true, force: true }));
  const file = async (name: string, text: string): Promise<string> => {
    await writeFile(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const { good, ca, otherName } = certificates;
  const vantage: PeersVantage = {
    engine: 'peers',
    name: 'a',
    listen: { address: '127.0.0.1', port: 8061 },
    keyFile: await file('peers.key', 'sixteen octets!!\n'),
    peers: [{ name: 'b', url: 'https://localhost:8061' }],
    minPeersAgree: 1,
    tls: {
      caFile: await file('ca.pem', ca),
      certFile: await file('a.pem', good.cert),
      keyFile: await file('a.key', good.key),
    },
    timeout: 2,
  };
  const read = (change: Partial<PeersVantage>): ReturnType<typeof readPeersSettings> =>
    readPeersSettings({ ...vantage, ...change }, 3, Date.now() / 1000);
  const { settings, faults } = read({});
  expect(faults).toEqual([]);
  expect(settings).toMatchObject({
    name: 'a',
    interval: 3,
    timeout: 2,
    ca,
    tls: { certificate: good.cert, key: good.key },
  });
  expect(settings?.key.export().toString()).toBe('sixteen octets!!');
  const none = join(folder, 'none');
  for (const [change, why] of [
    [{ keyFile: none }, `${none}: no such file`],
    [{ tls: { ...vantage.tls, caFile: none } }, `${none}: cannot read vantage.tls.ca_file: no such file`],
    [{ tls: { ...vantage.tls, certFile: none } }, `${none}: cannot read vantage.tls.cert_file: no such file`],
    [{ tls: { ...vantage.tls, keyFile: await file('o.key', otherName.key) } }, 'is not the key of the certificate'],
  ] as const) {
    const refused = read(change);
    expect(refused.settings).toBeNull();
    expect(refused.faults.map(({ severity, message }) => `${severity} ${message}`)).toEqual([
      expect.stringContaining(why),
    ]);
  }
});
