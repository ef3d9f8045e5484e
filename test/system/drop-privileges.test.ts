import { spawn } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ended } from '../support/installation.ts';
import { makeCertificates } from '../support/mock-edge-certificates.ts';
import { PemFiles } from '../support/tls-client.ts';

const isRoot = process.getuid?.() === 0;
let folder: string;

// A copy that everybody may read: a checkout in root's home is closed to the users that these tests become.
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgewise-privileges-'));
  chmodSync(folder, 0o755);
  for (const part of ['dist', 'package.json', ...PACKAGES.map((name) => join('node_modules', name))]) {
    cpSync(part, join(folder, part), { recursive: true });
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a script in a process of its own, since there is no way back from dropped privileges. */
async function run(script: string, user: { readonly uid?: number; readonly gid?: number } = {}): Promise<unknown> {
  const file = join(folder, 'script.mjs');
  writeFileSync(file, script.replaceAll('DIST', pathToFileURL(join(folder, 'dist')).href));
  const { stdout, stderr, status } = await ended(spawn(process.execPath, [file], { ...user, timeout: 100_000 }));
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

/** What the threads load. */
const PACKAGES = ['koffi', '@koromix'];

const PREFACE = `
import { readdirSync, readFileSync } from 'node:fs';
import { dropPrivileges } from 'DIST/system/drop-privileges.js';
import { DnsThreads } from 'DIST/server/transport/threads/dns-threads.js';
const server = { listen: [], udpWorkers: 2, ednsSize: 1232, tcpIdleSeconds: 10, tcpMessageSeconds: 10,
  tcpConnections: 10, tcpConnectionsPerClient: 10, nsid: null, version: null, id: null, minimal: false,
  rateLimit: null, cookieSecrets: null };
const listenOn = (port) => DnsThreads.start({ server: { ...server, listen: [{ address: '127.0.0.1', port }] }, transfer: { keys: [], allow: [], rows: [] },
  slots: new SharedArrayBuffer(4096), networks: 1, updates: [], log: () => {} });
const print = (value) => console.log(JSON.stringify(value));
`;

describe('dropPrivileges', () => {
  test('no such user', async () => {
    expect(await run(`${PREFACE} print(dropPrivileges('no-such-user-here'));`)).toMatchObject({
      code: 'user-unknown',
      message: 'cannot become server.user "no-such-user-here": no such user',
    });
  });

  test('a user that one is already', async () => {
    const { username } = userInfo();
    expect(await run(`${PREFACE} print(dropPrivileges(${JSON.stringify(username)}));`)).toBeNull();
  });

  test('without being root', async () => {
    const nobody = isRoot ? { uid: 65_534, gid: 65_534 } : {};
    expect(await run(`${PREFACE} print(dropPrivileges('root'));`, nobody)).toMatchObject({ code: 'user-not-root' });
  });

  // The rest is about root giving up its rights, which only root can show.
  test.runIf(isRoot)('every thread becomes the user, and none can go back', async () => {
    const script = `${PREFACE}
      const threads = await listenOn(0);
      const fault = dropPrivileges('nobody');
      const status = readdirSync('/proc/self/task').map((task) => readFileSync('/proc/self/task/' + task + '/status', 'utf8'));
      const line = (name) => [...new Set(status.map((text) => new RegExp(name + ':(.*)').exec(text)[1].trim()))];
      let back = 'no';
      try { process.setuid(0); back = 'yes'; } catch {}
      await threads.stop();
      print({ fault, uid: line('Uid'), gid: line('Gid'), effective: line('CapEff'), back, threads: status.length > 4 });`;
    expect(await run(script)).toEqual({
      fault: null,
      uid: ['65534\t65534\t65534\t65534'],
      gid: ['65534\t65534\t65534\t65534'],
      effective: ['0000000000000000'],
      back: 'no',
      threads: true,
    });
  });

  test.runIf(isRoot)('a key that only root may read serves on, also by a thread that starts anew', async () => {
    const files = new PemFiles(makeCertificates('ns.test').good);
    chmodSync(files.folder, 0o755);
    chmodSync(files.key, 0o600);
    const script = `${PREFACE}
      import { connect } from 'node:tls';
      import { readTls } from 'DIST/config/tls-files.js';
      const listen = [{ address: '127.0.0.1', port: 0 }];
      const secured = { ...server, listen, tlsListen: listen,
        tlsCertificate: '${files.certificate}', tlsKey: '${files.key}' };
      const { tls } = readTls(secured, Date.now() / 1000);
      const threads = await DnsThreads.start({ server: secured, tls, transfer: { keys: [], allow: [], rows: [] },
        slots: new SharedArrayBuffer(4096), networks: 1, updates: [], log: () => {} });
      dropPrivileges('nobody');
      await Promise.all(threads.threads.map(({ worker }) => worker.terminate()));
      await threads.settled();
      const { port } = threads.tlsEndpoints[0];
      const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ALPNProtocols: ['dot'] });
      await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
      const shown = socket.alpnProtocol;
      socket.destroy();
      await threads.stop();
      print({ shown, again: readTls(secured, Date.now() / 1000).faults.map(({ message }) => message) });`;
    expect(await run(script)).toEqual({
      shown: 'dot',
      again: [`${files.key}: cannot read server.tls_key: permission denied`],
    });
    files.remove();
  });

  test.runIf(isRoot)('a low port taken as root serves on without it, also by a thread that starts anew', async () => {
    const lowest = Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'));
    const script = `${PREFACE}
      import { createSocket } from 'node:dgram';
      let threads;
      for (let port = 600; port < 1000 && !(threads instanceof DnsThreads); port++) threads = await listenOn(port);
      dropPrivileges('nobody');
      await Promise.all(threads.threads.map(({ worker }) => worker.terminate()));
      await threads.settled();
      const socket = createSocket('udp4');
      socket.send(Buffer.from('000700000001000000000000' + '0161' + '00' + '00010001', 'hex'), threads.endpoints[0].port, '127.0.0.1');
      const [answer] = await new Promise((resolve) => socket.once('message', (...all) => resolve(all)));
      socket.close();
      const denied = await listenOn(599);
      if (denied instanceof DnsThreads) await denied.stop();
      await threads.stop();
      print({ rcode: answer[3] & 15, port: threads.endpoints[0].port, denied: denied.message ?? 'listens' });`;
    expect(await run(script)).toMatchObject({
      rcode: 5,
      denied:
        lowest > 599
          ? 'cannot listen on TCP 127.0.0.1:599: ports below 1024 need root or the capability CAP_NET_BIND_SERVICE (EACCES)'
          : 'listens',
    });
  });
});
