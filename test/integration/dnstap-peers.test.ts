import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { decodeDnstap, framesOf } from '../support/dnstap.ts';
import { block } from '../support/documents.ts';
import { EdgewiseServer, eventually } from '../support/edgewise.ts';
import { type Installation, program } from '../support/installation.ts';
import { makeCertificates } from '../support/mock-edge-certificates.ts';
import { freePort } from '../support/ports.ts';
import { makeReloadSite, type ReloadSite } from './reload-site.ts';

/** `server.dnstap` with the receivers and readers that operators use: fstrm_capture, dnstap-ldns, and dnstap-read of BIND. */

let made: ReloadSite;
let site: Installation;
let server: EdgewiseServer | null = null;
const receivers: ChildProcess[] = [];

beforeEach(async () => {
  made = await makeReloadSite('127.91.7.1');
  site = made.site;
});
afterEach(async () => {
  for (const receiver of receivers.splice(0)) receiver.kill('SIGKILL');
  await server?.stop();
  server = null;
  await made.remove();
});

/** Other keys of `server`. */
async function configure(keys: Readonly<Record<string, unknown>>): Promise<void> {
  const all = parse(await site.read('edgemanage.yaml')) as Record<string, unknown>;
  await site.replace('edgemanage.yaml', stringify({ ...all, server: { ...(all['server'] as object), ...keys } }));
}

async function reload(running: EdgewiseServer, keys: Readonly<Record<string, unknown>>): Promise<void> {
  await configure(keys);
  const since = running.output.length;
  running.child.kill('SIGHUP');
  await running.prints(/"msg":"reloaded"/, since);
}

/** The lines of a block of docs/dnstap.md, for the socket and a file of this test. */
function documented(words: string, name: string): string[] {
  return block('docs/dnstap.md', words)
    .text.replaceAll('/run/dnstap/edgewise.sock', site.path('tap.sock'))
    .replaceAll('/tmp/queries.fstrm', site.path(name))
    .split('\n');
}

/** fstrm_capture on the socket, writing a file; resolves once Edgewise sends it messages. */
async function receive(running: EdgewiseServer, name: string): Promise<ChildProcess> {
  const since = running.output.length;
  const [command, ...args] = documented('sh receive-dnstap', name)[0].split(' ');
  const child = spawn(command, args, { stdio: 'ignore' });
  receivers.push(child);
  await running.prints(/dnstap: messages go to /, since);
  return child;
}

/** Ends a receiver once it has read all that Edgewise sent before it closed its end; it writes what it has then. */
async function end(receiver: ChildProcess): Promise<void> {
  await eventually(
    async () => readFileSync('/proc/net/unix', 'utf8').split(site.path('tap.sock')).length - 1,
    (sockets) => sockets === 1, // the one that listens
  );
  const exit = once(receiver, 'exit');
  receiver.kill('SIGINT');
  await exit;
}

/** The lines of dnstap-ldns, without times and sizes. */
async function read(name: string): Promise<string[]> {
  const { stdout, stderr } = await program('dnstap-ldns', ['-r', site.path(name)]);
  expect(stderr).toBe('');
  const lines = stdout.split('\n').filter((line) => line !== '');
  return lines.map((line) => line.replace(/^\S+ \S+ /, '').replace(/ \d+b /, ' '));
}

async function metric(running: EdgewiseServer, name: string): Promise<number> {
  const line = (await running.get('/metrics')).text.split('\n').find((line) => line.startsWith(`${name} `));
  return Number(line?.split(' ')[1] ?? Number.NaN);
}

/** `isHealthy`: whether there must be no reason. */
async function warnings(running: EdgewiseServer, isHealthy = true): Promise<string> {
  const { status, text } = await running.get('/healthz');
  if (isHealthy) expect(status, text).toBe(200);
  return (JSON.parse(text) as { warnings: readonly string[] }).warnings.join('\n');
}

async function dig(port: number, address: string, ...args: readonly string[]): Promise<void> {
  const common = [`@${address}`, '-p', String(port), '+tries=3', '+time=10', '+short', '+nocookie'];
  const { status, stdout } = await program('dig', [...common, ...args]);
  expect([status, stdout], args.join(' ')).toMatchObject([0, expect.any(String)]);
}

test('off, switched on by a reload, over every transport, to a receiver that goes and comes back, and off again', async () => {
  const { good } = makeCertificates('tls.test');
  await site.write('cert.pem', good.cert);
  await site.write('key.pem', good.key);
  const port = await freePort();
  const tls = await freePort();
  await configure({
    listen: [`127.0.0.1:${port}`, `[::1]:${port}`],
    tls_listen: `127.0.0.1:${tls}`,
    tls_certificate: 'cert.pem',
    tls_key: 'key.pem',
  });
  const running = await EdgewiseServer.start(site.path('edgemanage.yaml'));
  server = running;
  expect((await running.get('/metrics')).text).not.toMatch(/^edgewise_dnstap_/m);
  const dnstap = { socket: 'tap.sock', identity: 'ns1.test', version: '' };
  await reload(running, { dnstap });
  await eventually(
    () => warnings(running),
    (text) => /dnstap: .*tap\.sock: no such file; messages are dropped and counted meanwhile/.test(text),
  );
  await dig(port, '127.0.0.1', 'dropped.good.test', 'A');
  await eventually(
    () => metric(running, 'edgewise_dnstap_dropped_total{reason="disconnected"}'),
    (count) => count === 2,
  );

  const receiver = await receive(running, 'first.fstrm');
  expect(await warnings(running)).not.toContain('dnstap');
  await dig(port, '127.0.0.1', 'good.test', 'A');
  await dig(port, '::1', 'good.test', 'AAAA');
  await dig(port, '127.0.0.1', '+tcp', 'mail.good.test', 'A');
  await dig(port, '::1', '+tcp', 'nothing.good.test', 'TXT');
  await dig(tls, '127.0.0.1', '+tls', 'good.test', 'SOA');
  await dig(port, '127.0.0.1', '+tcp', 'good.test', 'AXFR');
  await dig(port, '127.0.0.1', 'www.elsewhere.test', 'A');
  await eventually(
    () => metric(running, 'edgewise_dnstap_messages_total'),
    (count) => count === 14,
  );
  await reload(running, { dnstap: false });
  await end(receiver);
  const both = (rest: string): string[] => [`AQ ${rest}`, `AR ${rest}`];
  // UDP and TCP have queues of their own. This reader has no name for TLS.
  const expected = [
    ...both('127.0.0.1 UDP "good.test." IN A'),
    ...both('::1 UDP "good.test." IN AAAA'),
    ...both('127.0.0.1 TCP "mail.good.test." IN A'),
    ...both('::1 TCP "nothing.good.test." IN TXT'),
    ...both('127.0.0.1 ? "good.test." IN SOA'),
    ...both('127.0.0.1 TCP "good.test." IN AXFR'),
    ...both('127.0.0.1 UDP "www.elsewhere.test." IN A'),
  ];
  expect((await read('first.fstrm')).sort()).toEqual(expected.sort());
  const frames = framesOf(readFileSync(site.path('first.fstrm'))).filter((frame) => typeof frame !== 'number');
  const messages = frames.map((frame) => decodeDnstap(frame));
  const protocols = messages.map(({ message }) => message['protocol']);
  expect(protocols.sort()).toEqual([1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3, 3]);
  expect(messages.map(({ message }) => message['responsePort'])).toEqual(
    messages.map(({ message }) => (message['protocol'] === 3 ? tls : port)),
  );
  for (const { identity, version, message } of messages) {
    expect([identity, version]).toEqual(['ns1.test', null]);
    expect(message['responseAddress']).toEqual(message['queryAddress']); // loopback to loopback
  }
  const zones = messages.map(({ message }) => message['zone']?.toString() ?? null);
  expect(zones.filter((zone) => zone === '\x04good\x04test\0')).toHaveLength(12);
  expect(zones.filter((zone) => zone === null)).toHaveLength(2);
  const bind = await program('sh', ['-c', documented('sh receive-dnstap', 'first.fstrm')[2]]);
  expect(bind.stdout.match(/^type: MESSAGE$/gm)).toHaveLength(14);

  const [names] = documented('sh dnstap-names', 'first.fstrm');
  const most = await program('sh', ['-c', names]);
  expect(most.stdout.split('\n')[0].trim()).toBe('4 "good.test."');

  // Gone without a word, and back.
  await reload(running, { dnstap });
  const second = await receive(running, 'second.fstrm');
  const gone = running.output.length;
  second.kill('SIGKILL');
  await running.prints(/dnstap: .*(the receiver has gone|nobody listens there)/, gone);
  const third = await receive(running, 'third.fstrm');
  await reload(running, { dnstap: { ...dnstap, queries: false, sample_rate: 1 } });
  await dig(port, '127.0.0.1', 'good.test', 'NS');
  await eventually(
    () => metric(running, 'edgewise_dnstap_messages_total'),
    (count) => count >= 15,
  );
  await reload(running, { dnstap: false });
  await dig(port, '127.0.0.1', 'good.test', 'MX');
  await end(third);
  expect(await read('third.fstrm')).toEqual(['AR 127.0.0.1 UDP "good.test." IN NS']);
  expect(running.output).not.toMatch(/contained|"level":"error"/);
});

test('a receiver that is stopped while queries pour in: no answer is lost, memory is bounded, then it goes on', async () => {
  await configure({ dnstap: { socket: 'tap.sock', max_per_second: 1_000_000 } });
  const running = await EdgewiseServer.start(site.path('edgemanage.yaml'));
  server = running;
  const receiver = await receive(running, 'slow.fstrm');
  const residentMiB = async (): Promise<number> => {
    const status = readFileSync(`/proc/${running.child.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
  };
  await site.write('queries', 'good.test A\nmail.good.test A\nnothing.good.test AAAA\n');
  const load = async (queries: number): Promise<void> => {
    const file = ['-d', site.path('queries'), '-n', String(Math.ceil(queries / 3))];
    const args = ['-s', '127.0.0.1', '-p', String(running.dnsPort), '-q', '20', '-t', '30', ...file];
    const { stdout } = await program('dnsperf', args);
    expect(stdout).toMatch(/Queries lost:\s+0 /);
  };
  await load(3000);
  receiver.kill('SIGSTOP');
  const before = await residentMiB();
  const full = 'edgewise_dnstap_dropped_total{reason="queue_full"}';
  for (let i = 0; i < 40 && (await metric(running, full)) === 0; i++) await load(6000);
  expect(await metric(running, full)).toBeGreaterThan(0);
  await load(6000);
  expect((await residentMiB()) - before).toBeLessThan(64);
  await eventually(
    () => warnings(running),
    (text) => text.includes('the receiver has read nothing for 10 s'),
  );
  const sent = await metric(running, 'edgewise_dnstap_messages_total');
  receiver.kill('SIGCONT');
  await eventually(
    () => metric(running, 'edgewise_dnstap_messages_total'),
    (count) => count > sent,
  );
  await eventually(
    () => warnings(running),
    (text) => !text.includes('dnstap'),
  );
  await reload(running, { dnstap: false });
  await end(receiver);
  expect((await read('slow.fstrm')).length).toBeGreaterThan(3000);
});

test('a file on a disk that is full costs no answer, and goes on where it stopped when there is room', async () => {
  await configure({ dnstap: { file: 'queries.fstrm', queries: false } });
  const running = await EdgewiseServer.start(site.path('edgemanage.yaml'));
  server = running;
  const limit = async (octets: string): Promise<void> => {
    const { status } = await program('prlimit', ['--pid', String(running.child.pid), `--fsize=${octets}:`]);
    expect(status).toBe(0);
  };
  const ask = (name: string): Promise<void> => dig(running.dnsPort, '127.0.0.1', name, 'A');
  await ask('first.good.test');
  await eventually(
    () => metric(running, 'edgewise_dnstap_messages_total'),
    (count) => count === 1,
  );
  await limit('300');
  await eventually(
    async () => {
      await ask('more.good.test');
      return warnings(running, false); // what else there is to write is not written, either
    },
    (text) => /dnstap: .*queries\.fstrm: .*EFBIG/.test(text),
  );
  await limit('unlimited');
  await eventually(
    async () => {
      await ask('last.good.test');
      return warnings(running, false);
    },
    (text) => !text.includes('dnstap'),
  );
  expect(await metric(running, 'edgewise_dnstap_dropped_total{reason="disconnected"}')).toBeGreaterThan(0);
  await server.stop();
  const lines = await read('queries.fstrm');
  expect(lines[0]).toBe('AR 127.0.0.1 UDP "first.good.test." IN A');
  expect(lines.at(-1)).toBe('AR 127.0.0.1 UDP "last.good.test." IN A');
  expect(framesOf(readFileSync(site.path('queries.fstrm'))).filter((frame) => typeof frame === 'number')).toEqual([
    2, 3,
  ]);
});
