/** Checks of kind `icmp` by the kernel, in a network of its own whose range of groups may be set. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { BASE, folderOf } from '../../config/config-fixture.ts';
import { EDGEWISE } from '../../support/edgewise.ts';

const SYSCTL = '/proc/sys/net/ipv4';
const ALLOW = `ip link set lo up && echo "0 0" > ${SYSCTL}/ping_group_range`;
/** No group may, as the kernel has it in every new network. */
const FORBID = 'ip link set lo up';

function inNamespace(script: string, args: readonly string[] = []) {
  return spawnSync('unshare', ['-Urn', 'sh', '-ec', script, 'sh', ...args], { encoding: 'utf8' });
}

const trial = inNamespace(ALLOW);
const hasNamespaces = trial.status === 0;
if (!hasNamespaces) {
  console.warn(`skipped, since unshare makes no network here: ${trial.stderr?.trim() ?? String(trial.error)}`);
}

const PROBE = `
const { icmpCheck } = await import(process.argv[1]);
const timeout = Number(process.argv[3]);
const test = { kind: 'icmp', name: 'icmp', timeout, count: 2, maxLoss: 0, interval: 0.01 };
const stalls = { late: () => 0, total: () => 0 };
for (const list of JSON.parse(process.argv[2])) {
  const all = await Promise.all(list.map((address) =>
    icmpCheck.probe({ edge: address, address, test }, performance.now() + timeout * 1000,
      { stalls, signal: new AbortController().signal })));
  console.log(JSON.stringify(all.map(({ fail }) => fail)));
}`;

/** What each address came to; those of one list are asked at once. */
function probe(script: string, lists: readonly (readonly string[])[], timeout = 30): unknown {
  const module = join(import.meta.dirname, '..', '..', '..', 'dist', 'health', 'checks', 'icmp.js');
  const { stdout, stderr } = inNamespace(`${script}; exec "$@"`, [
    process.execPath,
    '--input-type=module',
    '-e',
    PROBE,
    module,
    JSON.stringify(lists),
    String(timeout),
  ]);
  expect(stderr).toBe('');
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

const CONFIG = `${BASE}edge_count: 2
checks:
  net: [{kind: icmp, count: 2, interval: 0.05, timeout: 1}]
`;
const round = (script: string) => {
  const folder = folderOf({
    'e.yaml': CONFIG,
    'edges/net': '127.0.0.1\n::1\n127.255.255.255\n',
    'zones/net/a.test.zone': '',
    object: 'x',
    'health/.keep': '',
    'state/.keep': '',
  });
  const args = [process.execPath, EDGEWISE, 'run', '-v', '-n', '-A', 'net', '-c', join(folder, 'e.yaml')];
  return inNamespace(`${script}; exec "$@"`, args);
};

describe.skipIf(!hasNamespaces)('in a network of its own', () => {
  test('loopback replies, over IPv4 and IPv6, many at once', () => {
    const many = Array.from({ length: 100 }, (_, i) => `127.0.1.${i + 1}`);
    expect(probe(ALLOW, [['127.0.0.1', '::1'], many])).toEqual([[null, null], many.map(() => null)]);
  });

  test('what does not reply times out, and what is not sent is unreachable', () => {
    const script = `${ALLOW}; echo 1 > ${SYSCTL}/icmp_echo_ignore_all`;
    expect(probe(script, [['127.0.0.1', '127.255.255.255']], 0.5)).toEqual([
      [
        { reason: 'timeout', detail: '0.500 s passed without a reply to 2 echo requests', retry: false },
        { reason: 'unreachable', detail: 'EACCES while sending an echo request', retry: true },
      ],
    ]);
  });

  test('what is forbidden is unknown, for both families', () => {
    const forbidden = { reason: 'forbidden', detail: expect.stringContaining('sysctl -w'), unknown: true };
    expect(probe(FORBID, [['127.0.0.1', '::1']])).toMatchObject([[forbidden, forbidden]]);
  });

  test('a round by `edgewise run`', () => {
    const { stdout, stderr, status } = round(ALLOW);
    expect(stderr).not.toContain('forbidden');
    expect(`${stdout}${stderr}`).toMatch(/fetch from ::1: 0\.\d+ s/);
    expect(`${stdout}${stderr}`).toContain('fetch from 127.255.255.255 failed: unreachable: EACCES');
    expect(status).toBe(0);
  });

  test('a round that is forbidden says what helps, and takes no edge for one that fails', () => {
    const { stdout, stderr } = round(FORBID);
    expect(stderr).toMatch(
      /e\.yaml:19:16: warning: forbidden: checks\.net\[0\]\.kind: the system does not let group 0/,
    );
    expect(stderr).toContain('sysctl -w net.ipv4.ping_group_range="0 2147483647" lets it');
    expect(`${stdout}${stderr}`).not.toContain('failed: forbidden');
  });
});
