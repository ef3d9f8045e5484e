import { spawn } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decideFacts } from '../../src/health/choose/decide.ts';
import { appendRound, historyLogPath } from '../../src/health/state/history-log.ts';
import { EDGEWISE, edgewise } from '../support/edgewise.ts';
import { ended, Installation, NETWORK } from '../support/installation.ts';
import { recordStory } from '../support/recorded-story.ts';

/** The progress of long work, on a pseudo-terminal that script(1) of util-linux makes, and where nobody looks. */

const EDGE = '127.78.41.1';
const ZONES = 2000;
const ROUNDS = 600;
/** Enough to take longer than a line waits before it is first shown, on any machine. */
const HOSTS = Array.from({ length: 120 }, (_, i) => `h${i} IN A 127.0.0.1\n`).join('');
const DRAWN = /\r[\d,]+ of [\d,]+ /;

let site: Installation;

beforeAll(async () => {
  const zones = Object.fromEntries(Array.from({ length: ZONES }, (_, i) => [`z${i}.test`, HOSTS]));
  site = await Installation.make({ edges: [EDGE], zones, keys: { http: { listen: '127.0.0.1:1' }, state_dir: '.' } });
  await remember();
});
afterAll(() => site?.remove());

/** The network was live, and some rounds of it are recorded. */
async function remember(): Promise<void> {
  const live = [{ edge: EDGE, v4: EDGE, v6: null }];
  const state = { last_live: [EDGE], rotation_list: [], edgewise: { version: 1, serial: 1_700_000_000, live } };
  await site.write(`${NETWORK}.state`, JSON.stringify(state));
  const fetches = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`127.78.42.${i}`, 0.1 + i / 100]));
  const path = historyLogPath(site.folder, NETWORK);
  for (const { facts } of recordStory(Array.from({ length: ROUNDS }, () => ({ fetches })))) {
    await appendRound(path, facts, decideFacts(facts));
  }
}

/** What the command writes to a terminal, both streams, and its exit status. */
function onTerminal(args: readonly string[], env: { readonly [name: string]: string } = {}): ReturnType<typeof ended> {
  const { CI: _, ...ours } = process.env;
  const command = `exec ${process.execPath} ${EDGEWISE} ${args.join(' ')} -c ${site.path('edgemanage.yaml')}`;
  return ended(
    spawn('script', ['-q', '-e', '-f', '-c', command, '/dev/null'], {
      env: { ...ours, TERM: 'xterm', SHELL: '/bin/sh', ...env },
    }),
  );
}

test('check shows how many zones are read, and takes the line away', async () => {
  const { stdout, status } = await onTerminal(['check']);
  expect(stdout).toMatch(/\r[\d,]+ of 2,000 zones read, \d+ %/);
  expect(stdout).toContain('\r\u001b[K1 network, 1 edge, 2000 zones read');
  expect(stdout.slice(stdout.lastIndexOf('\u001b[K'))).not.toMatch(DRAWN);
  expect(status).toBe(0);
});

test.each<[string, { readonly [name: string]: string }]>([
  ['in CI', { CI: 'true' }],
  ['on a dumb terminal', { TERM: 'dumb' }],
])('%s nothing is drawn', async (_, env) => {
  const { stdout } = await onTerminal(['check'], env);
  expect(stdout).toContain('2000 zones read');
  expect(stdout).not.toContain('\u001b');
});

test('in a pipe nothing is drawn', async () => {
  const { stdout, stderr } = await edgewise(['check', '-c', site.path('edgemanage.yaml')]);
  expect({ stdout, stderr }).toEqual({ stdout: '1 network, 1 edge, 2000 zones read\n', stderr: '' });
});

test('export shows zones that are read and written, not with --quiet', async () => {
  expect((await onTerminal(['export', '-n', '-q'])).stdout).not.toMatch(DRAWN);
  const { stdout } = await onTerminal(['export', '-n']);
  expect(stdout).toMatch(/\r[\d,]+ of 2,000 zones read, \d+ %/);
  expect(stdout).toContain('\r\u001b[Kz0.test: new');
});

test('replay shows rounds', async () => {
  const { stdout } = await onTerminal(['replay', '-A', NETWORK, '--set', 'goodenough=0.5']);
  expect(stdout.match(/\r[\d,]+ of 600 rounds decided again, \d+ %/g)?.length).toBeGreaterThan(0);
  expect(stdout.slice(stdout.lastIndexOf('\u001b[K'))).not.toMatch(DRAWN);
});
