import { mkdir, rename, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { EdgewiseServer, edgewise, eventually } from '../support/edgewise.ts';
import { Installation, NETWORK } from '../support/installation.ts';
import { freePort } from '../support/ports.ts';

/** What an operator gets wrong: one clear message each, with its place, and a status that scripts can see. */

const EDGE = '127.79.0.1';
/** Of no list. */
const OTHER = '127.79.0.9';

let site: Installation;
let dnsPort: number;
let httpPort: number;

beforeEach(async () => {
  dnsPort = await freePort();
  httpPort = await freePort();
  site = await Installation.make({
    edges: [EDGE],
    port: 1, // nobody listens: no edge ever passes
    zones: { 'good.test': 'mail IN A 192.0.2.25\n' },
    keys: {
      run_frequency: 1,
      logpath: null,
      server: { listen: [`127.0.0.1:${dnsPort}`], startup_timeout: 20 },
      http: { listen: `127.0.0.1:${httpPort}` },
    },
  });
});

afterEach(() => site.remove());

async function editConfig(from: string | RegExp, to: string): Promise<void> {
  const text = await site.read('edgemanage.yaml');
  const edited = text.replace(from, to);
  expect(edited).not.toBe(text);
  await site.replace('edgemanage.yaml', edited);
}

describe('at start', () => {
  test.each([
    { name: 'a YAML error', from: 'workers: 40', to: 'workers: [40', message: /edgemanage\.yaml:\d+:\d+: error/ },
    {
      name: 'an unknown key',
      from: 'workers: 40',
      to: 'workerz: 40',
      message: /edgemanage\.yaml:\d+:1: error.*workerz/,
    },
    {
      name: 'a wrong type',
      from: 'goodenough: 3',
      to: 'goodenough: fast',
      message: /edgemanage\.yaml:\d+:\d+: error.*goodenough/,
    },
    {
      name: 'goodenough at the timeout',
      from: 'goodenough: 3',
      to: 'goodenough: 10',
      message: /edgemanage\.yaml:\d+:\d+: error.*goodenough/,
    },
  ])('$name', async ({ from, to, message }) => {
    await editConfig(from, to);
    const { status, stdout, stderr } = await edgewise(['serve', '-c', site.path('edgemanage.yaml')]);
    expect(status).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(message);
  });

  test('all problems in one go', async () => {
    await editConfig('workers: 40', 'workerz: 40');
    await editConfig('goodenough: 3', 'goodenough: fast');
    const { stderr } = await edgewise(['serve', '-c', site.path('edgemanage.yaml')]);
    expect(stderr).toContain('workerz');
    expect(stderr).toContain('goodenough');
  });

  test('no configuration file', async () => {
    const { status, stderr } = await edgewise(['serve', '-c', site.path('nothing.yaml')]);
    expect(status).toBe(1);
    expect(stderr).toContain('nothing.yaml');
  });

  test('a certificate for TLS that is not there; check says it, too', async () => {
    const keys = 'tls_listen: "127.0.0.1:0"\n  tls_certificate: cert.pem\n  tls_key: key.pem\n  startup_timeout:';
    await editConfig('startup_timeout:', keys);
    for (const command of ['serve', 'check']) {
      const { status, stderr } = await edgewise([command, '-c', site.path('edgemanage.yaml')]);
      expect(status).toBe(1);
      for (const file of ['cert.pem', 'key.pem']) {
        expect(stderr).toContain(`error: tls-unreadable: ${site.path(file)}: cannot read server.tls_`);
      }
    }
  });

  test('a missing edge list', async () => {
    await rm(site.path('edges', NETWORK));
    const { status, stderr } = await edgewise(['serve', '-c', site.path('edgemanage.yaml'), '-A', NETWORK]);
    expect(status).toBe(1);
    expect(stderr).toContain(site.path('edges', NETWORK));
  });

  test.each([
    { what: 'DNS', port: () => dnsPort },
    { what: 'HTTP', port: () => httpPort },
  ])('a $what address in use', async ({ port }) => {
    const holder = await listen(port());
    try {
      const { status, stdout, stderr } = await edgewise(['serve', '-c', site.path('edgemanage.yaml')]);
      expect(status).toBe(1);
      expect(stdout).toBe('');
      expect(stderr).toContain(`127.0.0.1:${port()}`);
      expect(stderr).toMatch(/EADDRINUSE|in use/);
    } finally {
      await new Promise((resolve) => holder.close(resolve));
    }
  });

  test('a second server on the same networks', async () => {
    const server = await EdgewiseServer.start(site.path('edgemanage.yaml'));
    try {
      await site.write(
        'second.yaml',
        (await site.read('edgemanage.yaml'))
          .replace(String(dnsPort), String(await freePort()))
          .replace(String(httpPort), String(await freePort())),
      );
      const { status, stderr } = await edgewise(['serve', '-c', site.path('second.yaml')]);
      expect(status).toBe(1);
      expect(stderr).toContain(`network ${NETWORK} is managed by another process`);
    } finally {
      await server.stop();
    }
  });
});

describe('zones and networks that cannot be answered for', () => {
  test('a zone that does not load answers SERVFAIL and the others are served', async () => {
    await site.write(`zones/${NETWORK}/bad.test.zone`, 'www IN A not-an-address\n');
    const server = await EdgewiseServer.start(site.path('edgemanage.yaml'));
    try {
      expect(server.output).toMatch(/bad\.test\.zone:1:\d+: error/);
      expect(await server.digText('www.bad.test', 'A')).toContain('status: SERVFAIL');
      expect(await server.dig('mail.good.test', 'A')).toEqual(['192.0.2.25']);
      const { status, text } = await server.get('/healthz');
      expect(status).toBe(503);
      expect(text).toContain('bad.test');
    } finally {
      expect(await server.stop()).toBe(0);
    }
  });

  test('a network that never had a live edge answers SERVFAIL for live names only', async () => {
    const server = await EdgewiseServer.start(site.path('edgemanage.yaml'));
    try {
      expect(await server.digText('good.test', 'A')).toContain('status: SERVFAIL');
      expect(await server.digText('good.test', 'SOA')).toContain('status: NOERROR');
      expect(await server.dig('mail.good.test', 'A')).toEqual(['192.0.2.25']);
      const { status, text } = await server.get('/healthz');
      expect(status).toBe(503);
      expect(text).toContain(`network ${NETWORK}: no live edge`);
    } finally {
      await server.stop();
    }
  });

  test.each([
    { what: 'no address', named: [], live: [{ edge: EDGE }, { edge: OTHER, v4: null, v6: null }], answer: null },
    { what: 'addresses that are none', named: [], live: [{ edge: EDGE, v4: '127.79.0', v6: 7 }], answer: null },
    { what: 'no address, in a set that is named', named: [EDGE, OTHER], live: [{ edge: EDGE }], answer: null },
    { what: 'no address beside one', named: [], live: [{ edge: OTHER }, { edge: EDGE, v4: EDGE }], answer: EDGE },
  ])('saved live members with $what are none, all through the first round', async ({ named, live, answer }) => {
    const silent = createServer((socket) => socket.on('error', () => undefined));
    await new Promise<void>((resolve) => silent.listen(0, EDGE, resolve));
    const { port } = silent.address() as { readonly port: number };
    const keys = parse(await site.read('edgemanage.yaml'));
    // The first round ends after the test.
    Object.assign(keys, { run_frequency: 600, timeout: 500, settle: 60, testing: true });
    Object.assign(keys.testobject, { port });
    Object.assign(keys.server, { startup_timeout: 0 });
    await site.replace('edgemanage.yaml', stringify(keys));
    const saved = { last_live: named, edgewise: { serial: 1_700_000_000, live } };
    await site.write(`${NETWORK}.state`, `${JSON.stringify(saved)}\n`);
    const server = await EdgewiseServer.start(site.path('edgemanage.yaml'));
    try {
      if (answer === null) expect(server.output).toContain('no edge was ever live: its live names answer SERVFAIL');
      const text = await server.digText('good.test', 'A');
      const addresses = await server.dig('good.test', 'A');
      // An edge that was live by its name is kept by the first decision, which may be made two seconds after the start.
      if (named.length === 0 || !server.output.includes('live set changed')) {
        expect(text).toContain(answer === null ? 'status: SERVFAIL' : 'status: NOERROR');
        expect(addresses).toEqual(answer === null ? [] : [answer]);
      }
      expect(await server.dig('mail.good.test', 'A')).toEqual(['192.0.2.25']);
    } finally {
      await server.stop('SIGKILL');
      silent.close();
    }
  });

  test('a list that is missing at a reload changes nothing; a network goes when its zones go too', async () => {
    await site.write('edges/second', '127.79.0.2\n');
    await site.write('zones/second/second.test.zone', 'mail IN A 192.0.2.26\n');
    const server = await EdgewiseServer.start(site.path('edgemanage.yaml'));
    try {
      for (const network of [NETWORK, 'second']) {
        await server.prints(new RegExp(`"network":"${network}","msg":"no edge is fit to be live; none ever was"`));
      }
      await rm(site.path('edges/second'));
      server.child.kill('SIGHUP');
      await server.prints(/edges\/second: no such edge list.*loses both/);
      await server.prints(/nothing was changed/);
      expect(await server.dig('mail.second.test', 'A')).toEqual(['192.0.2.26']);

      await server.prints(/"reloaded"/);
      expect(await server.get('/healthz')).toMatchObject({
        status: 503,
        text: expect.stringContaining('network second: its lists do not load'),
      });

      await rm(site.path('zones/second'), { recursive: true });
      const since = server.output.length;
      server.child.kill('SIGHUP');
      await server.prints(/network second is no longer served/, since);
      await server.prints(/"reloaded"/, since);
      expect(await server.digText('mail.second.test', 'A')).toContain('status: REFUSED');
      // It leaves no series: its row in the statistics is free for another network.
      const { text } = await server.get('/metrics');
      expect(text).toContain(`network="${NETWORK}"`);
      expect(text).not.toContain('network="second"');
    } finally {
      expect(await server.stop()).toBe(0);
    }
  });

  test('a static zone with other contents under one serial is red while anybody may transfer it, after a restart too', async () => {
    const zone = (serial: number, address: string): string =>
      `@ 60 IN SOA ns. h. ${serial} 1 1 1 1\n@ 60 IN NS ns.static.test.\nns 60 IN A ${address}\n`;
    const write = async (serial: number, address: string): Promise<void> => {
      await site.write('aside', zone(serial, address));
      await rename(site.path('aside'), site.path('static.zone')); // whole, so nobody waits for the rest
    };
    await write(7, '192.0.2.1');
    await editConfig(
      'workers: 40',
      `workers: 40\nstatic_zones: [{name: static.test, file: ${site.path('static.zone')}}]`,
    );
    const reason = 'zones: static.test changed without a higher serial';
    const start = (): Promise<EdgewiseServer> => EdgewiseServer.start(site.path('edgemanage.yaml'));
    const healthz = async (on: EdgewiseServer): Promise<string> => (await on.get('/healthz')).text;
    let server = await start();
    try {
      await write(7, '192.0.2.2');
      await eventually(
        () => server.dig('ns.static.test', 'A'),
        (addresses) => addresses.includes('192.0.2.2'),
      );
      expect(await healthz(server)).not.toContain(reason); // nobody may have a copy
      const since = server.output.length;
      await editConfig('workers: 40', 'workers: 40\ntransfer: {allow: [{from: 127.0.0.1}]}');
      server.child.kill('SIGHUP');
      await server.prints(/"reloaded"/, since);
      expect(await healthz(server)).toContain(reason);
      await server.stop();
      server = await start();
      expect(await healthz(server)).toContain(reason);
      await write(8, '192.0.2.2');
      await eventually(
        () => healthz(server),
        (text) => !text.includes(reason),
      );
    } finally {
      await server.stop();
    }
  });

  test('a log that cannot be written goes to standard error, which is red, until a reload can open it', async () => {
    await site.write('logs', 'a file where a folder should be');
    await editConfig('logpath: null', `logpath: ${site.path('logs', 'log')}`);
    const server = await EdgewiseServer.start(site.path('edgemanage.yaml'));
    const fault = 'the log goes to standard error, since logpath cannot be written: ';
    try {
      expect(server.output).toContain(fault);
      expect(await server.dig('mail.good.test', 'A')).toEqual(['192.0.2.25']);
      const { status, text } = await server.get('/healthz');
      expect(status).toBe(503);
      expect(text).toContain(fault);
      // Still so after a reload.
      server.child.kill('SIGHUP');
      await server.prints(/the log still goes to standard error, since logpath cannot be written/);
      await server.prints(/"reloaded"/);

      await rename(site.path('logs'), site.path('aside'));
      await mkdir(site.path('logs'));
      const since = server.output.length;
      server.child.kill('SIGHUP');
      await eventually(
        () => site.read('logs/log').catch(() => ''),
        (log) => log.includes('"reloaded"'),
      );
      expect((await server.get('/healthz')).text).not.toContain('logpath');
      expect(server.output.slice(since)).not.toContain('"reloaded"');
    } finally {
      expect(await server.stop()).toBe(0);
    }
  });

  test('zones without an edge list are red from a start on, and a warning at a reload', async () => {
    const server = await EdgewiseServer.start(site.path('edgemanage.yaml'));
    try {
      await site.write('zones/third/third.test.zone', 'mail IN A 192.0.2.27\n');
      server.child.kill('SIGHUP');
      await server.prints(/warning: missing-list: .*edges\/third: .*they are not served/);
      await server.prints(/"reloaded"/);
    } finally {
      await server.stop();
    }
    const missing = `error: missing-list: ${site.path('edges/third')}: no such edge list`;
    const { status, stderr } = await edgewise(['check', '-c', site.path('edgemanage.yaml')]);
    expect(status).toBe(1);
    expect(stderr).toContain(missing);
    const again = await EdgewiseServer.start(site.path('edgemanage.yaml'));
    try {
      expect(again.output).toContain(missing);
      const health = await again.get('/healthz');
      expect(health.status).toBe(503);
      expect(health.text).toContain('network third: its lists do not load');
      expect(await again.dig('mail.good.test', 'A')).toEqual(['192.0.2.25']);
    } finally {
      expect(await again.stop()).toBe(0);
    }
    const named = await edgewise(['check', '-c', site.path('edgemanage.yaml'), '-A', NETWORK]);
    expect(named.status).toBe(0);
  });

  test('no edge list at all', async () => {
    await rm(site.path('edges', NETWORK));
    await rm(site.path('zones', NETWORK), { recursive: true });
    const { status, stderr } = await edgewise(['serve', '-c', site.path('edgemanage.yaml')]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^error: no-networks: .*edges: no edge list there .*\n$/);
  });

  test('a dry run writes nothing, not even a log, and answers nothing', async () => {
    await editConfig('logpath: null', `logpath: ${site.path('log')}`);
    const server = await EdgewiseServer.start(site.path('edgemanage.yaml'), ['-n']);
    try {
      expect(server.output).toMatch(/^edgewise ready dns=- /m);
      await server.prints(/no edge can be live/);
      expect(await site.list('.')).toEqual(['canaries', 'edgemanage.yaml', 'edges', 'object', 'zones']);
    } finally {
      expect(await server.stop()).toBe(0);
    }
  });
});

test('networks that would share a state file or a live list are refused; one of them alone is not', async () => {
  await site.write('edges/other', '127.79.0.2\n');
  await editConfig('{dnet}.state', 'one.state');
  await editConfig('{dnet}.live', 'one.live');
  const both = await edgewise(['serve', '-c', site.path('edgemanage.yaml')]);
  expect(both.status).toBe(1);
  expect(both.stderr).toMatch(/statefile: .*mynet and other.*\{dnet\}/);
  expect(both.stderr).toMatch(/live_list: .*mynet and other.*\{dnet\}/);
  const one = await edgewise(['check', '-c', site.path('edgemanage.yaml'), '-A', NETWORK]);
  expect(one).toMatchObject({ status: 0, stderr: '' });
});

test('edgewise check reports everything and its status tells', async () => {
  const good = await edgewise(['check', '-c', site.path('edgemanage.yaml')]);
  expect(good).toMatchObject({ status: 0, stdout: '1 network, 1 edge, 1 zone read\n' });
  await site.write(`zones/${NETWORK}/bad.test.zone`, 'www IN A not-an-address\nftp IN MX mail\n');
  const bad = await edgewise(['check', '-c', site.path('edgemanage.yaml')]);
  expect(bad.status).toBe(1);
  expect(bad.stderr).toMatch(/bad\.test\.zone:1:\d+: error/);
  expect(bad.stderr).toMatch(/bad\.test\.zone:2:\d+: error/);
});

function listen(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}
