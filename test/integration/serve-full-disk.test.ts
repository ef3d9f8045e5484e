import { appendFile, mkdir, rm } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { EdgewiseServer, eventually } from '../support/edgewise.ts';
import { Installation, NETWORK, OBJECT, program } from '../support/installation.ts';
import { MockFleet } from '../support/mock-fleet.ts';
import { freePort } from '../support/ports.ts';

/**
 * The disk under health data, state, zone files and log is full: the server goes on answering with what it decides, says
 * in /healthz what it could not save, and saves it when there is room again.
 */

const EDGES = ['127.82.0.1', '127.82.0.2', '127.82.0.3'];
const ZONE = 'full.test';
let site: Installation;
let server: EdgewiseServer | null = null;
let fleet: MockFleet;

beforeAll(async () => {
  fleet = await MockFleet.start(EDGES, OBJECT);
});
afterAll(() => fleet?.close());

async function install(): Promise<void> {
  await fleet.behave(EDGES, { kind: 'ok' });
  site = await Installation.make({
    edges: EDGES,
    port: fleet.port,
    zones: { [ZONE]: 'mail IN A 192.0.2.25\n' },
    keys: { edge_count: 2, run_frequency: 1, dnschange_maxfreq: 1000, ...(await places()) },
  });
  await mkdir(site.path('disk'));
  const config = await site.read('edgemanage.yaml');
  await site.write('edgemanage.yaml', config.replaceAll('DISK', site.path('disk')));
}

async function places(): Promise<Readonly<Record<string, unknown>>> {
  return {
    healthdata_store: 'DISK/health',
    statefile: 'DISK/{dnet}.state',
    state_dir: 'DISK/state',
    named_dir: 'DISK/named',
    live_list: 'DISK/{dnet}.live',
    logpath: 'DISK/edgewise.log',
    server: { listen: [`127.0.0.1:${await freePort()}`] },
    http: { listen: `127.0.0.1:${await freePort()}` },
  };
}

afterEach(async () => {
  await server?.stop('SIGKILL');
  server = null;
  await program('umount', [site.path('disk')]);
  await site.remove();
});

type Disk = {
  readonly name: string;
  /** False: cannot be had here. */
  readonly prepare: () => Promise<boolean>;
  /** Takes what room there is; called again and again, since what is removed makes room. */
  readonly fill: (pid: number) => Promise<void>;
  readonly free: (pid: number) => Promise<void>;
};

const ballast = (): string => site.path('disk', 'ballast');

const ROOM = [() => true, () => false] as const;

const DISKS: readonly Disk[] = [
  {
    name: 'files that may not grow',
    prepare: async () => true,
    fill: async (pid) => void (await program('prlimit', ['--pid', String(pid), '--fsize=0:'])),
    free: async (pid) => void (await program('prlimit', ['--pid', String(pid), '--fsize=unlimited:'])),
  },
  {
    name: 'a full file system',
    prepare: async () => {
      const mount = ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', site.path('disk')];
      return (await program('mount', mount).catch(() => null))?.status === 0;
    },
    fill: async () => {
      let room = true;
      while (room) room = await appendFile(ballast(), Buffer.alloc(4096)).then(...ROOM);
    },
    free: () => rm(ballast()),
  },
];

describe.each(DISKS)('$name', ({ prepare, fill, free }) => {
  test('costs no answer, shows in /healthz, and everything is written when there is room', async ({ skip }) => {
    await install();
    if (!(await prepare())) skip('needs root and mount');
    server = await EdgewiseServer.start(site.path('edgemanage.yaml'));
    const running = server;
    const pid = running.child.pid ?? 0;
    const serial = async (): Promise<number> => Number((await running.dig(ZONE, 'SOA'))[0].split(' ')[2]);
    await expect.poll(() => running.dig(ZONE, 'A')).toHaveLength(2);
    const [dead, ...others] = await running.dig(ZONE, 'A');
    const wanted = EDGES.filter((edge) => edge !== dead);
    expect(wanted).toContain(others[0]);
    await eventually(
      () => running.get('/healthz'),
      ({ status }) => status === 200,
    );
    const before = await serial();

    await fill(pid);
    await fleet.behave(dead, { kind: 'refuse' });
    await eventually(
      () => running.dig(ZONE, 'A'),
      (seen) => seen.join() === wanted.join(),
    );
    expect(await serial()).toBeGreaterThan(before);
    const { text } = await eventually(
      async () => {
        await fill(pid);
        return running.get('/healthz');
      },
      ({ status, text }) =>
        status === 503 && text.includes('served but not saved') && text.includes('lines of the log'),
    );
    expect(text).toMatch(/lines of the log are held back or lost, since they cannot be written: .*(EFBIG|ENOSPC)/);
    expect(text).toMatch(/network mynet: served but not saved: .*(EFBIG|ENOSPC)/);
    expect(await running.dig(`mail.${ZONE}`, 'A')).toEqual(['192.0.2.25']);

    await free(pid);
    await eventually(
      () => running.get('/healthz'),
      ({ status }) => status === 200,
    );
    const state = JSON.parse(await site.read(`disk/${NETWORK}.state`)) as { readonly last_live: readonly string[] };
    expect(state.last_live).toEqual(wanted);
    expect((await site.read(`disk/${NETWORK}.live`)).trim().split('\n')).toEqual(wanted);
    const zone = await site.read(`disk/named/${ZONE}.zone`);
    for (const edge of EDGES) expect(zone.includes(`${edge}\n`)).toBe(edge !== dead);
    await eventually(
      () => site.read('disk/edgewise.log'),
      (log) => /cannot be written \((EFBIG|ENOSPC)\)/.test(log),
    );

    expect(await running.stop()).toBe(0);
    await fleet.behave(EDGES, { kind: 'silent' }); // no round can end before we have looked
    server = await EdgewiseServer.start(site.path('edgemanage.yaml'));
    expect(await server.dig(ZONE, 'A')).toEqual(wanted);
  });
});
