// `npm test`: installs what is missing, builds, then runs every test with real peers; types and style are checked meanwhile.
// `npm run test:unit`, `npm run test:peers`: one half of them; the first installs no other programs.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { buildIfStale, fail, installIfStale, requireNode, root } from './prepare.mjs';

/** Program → Debian package. The tests talk to these, so none of them may be missing. */
const PEERS = {
  dig: 'bind9-dnsutils',
  named: 'bind9',
  'named-checkzone': 'bind9-utils',
  nsd: 'nsd',
  knotd: 'knot',
  kdig: 'knot-dnsutils',
  kzonecheck: 'knot-dnssecutils',
  pdns_server: 'pdns-server',
  gdnsd: 'gdnsd',
  dnsperf: 'dnsperf',
  'ldns-compare-zones': 'ldnsutils',
  promtool: 'prometheus',
  chromium: 'chromium',
  fstrm_capture: 'fstrm-bin',
  'dnstap-ldns': 'dnstap-ldns',
  'dnstap-read': 'bind9-dnsutils',
  prometheus: 'prometheus',
  sqlite3: 'sqlite3',
  openssl: 'openssl',
  curl: 'curl',
  etcd: 'etcd-server',
  etcdctl: 'etcd-client',
  faketime: 'faketime',
  man: 'man-db',
  'systemd-analyze': 'systemd',
  zsh: 'zsh',
  fish: 'fish',
  script: 'bsdutils',
};
/** Ours is known by its second line, so that one which a killed run left behind goes with the next run. */
const POLICY = '#!/bin/sh\n# Of `npm test` of Edgewise, while it installs packages.\nexit 101\n';
const EXTRA = { pdns_server: ['pdns-backend-bind', 'pdns-backend-sqlite3'] };

requireNode();
const [half, ...rest] = process.argv.slice(2);
const isHalf = half === 'unit' || half === 'peers';
process.env.PATH += `${delimiter}/usr/sbin${delimiter}/sbin`; // where Debian keeps the daemons
if (half !== 'unit') installPeers();
installIfStale();
buildIfStale();
const vitest = [join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run'];
const tests = start('tests', process.execPath, [
  ...vitest,
  ...(isHalf ? ['--project', half, ...rest] : process.argv.slice(2)),
]);
// The tests wait for servers and time-outs often enough: at the lowest priority the checks take only what they leave.
const checks = isHalf ? [] : ['typecheck', 'lint'].map(check);
const failed = (await Promise.all([tests, ...checks])).filter((name) => name !== null);
if (failed.length > 0) fail(`failed: ${failed.join(', ')}`);

/** Its output comes as a whole at its end, if it failed. */
function check(name) {
  return start(name, 'nice', ['-n', '19', 'npm', 'run', '--silent', name], ['ignore', 'pipe', 'pipe']);
}

/** Resolves at its end with its name if it failed, else with null. */
function start(name, program, args, stdio = 'inherit') {
  const child = spawn(program, args, { cwd: root, stdio });
  const output = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data) => output.push(data));
  return new Promise((resolve) => {
    child.once('error', (error) => fail(`cannot run ${program}: ${error.message}`));
    child.once('close', (status) => {
      if (status !== 0) process.stderr.write(Buffer.concat(output));
      resolve(status === 0 ? null : name);
    });
  });
}

function missing() {
  const path = process.env.PATH.split(delimiter);
  return Object.keys(PEERS).filter((program) => !path.some((folder) => existsSync(join(folder, program))));
}

function installPeers() {
  const wanted = missing();
  if (wanted.length === 0) return;
  const packages = wanted.flatMap((program) => [PEERS[program], ...(EXTRA[program] ?? [])]);
  if (!existsSync('/usr/bin/apt-get') || process.getuid?.() !== 0) {
    fail(`missing: ${wanted.join(', ')}; on Debian: apt-get install ${packages.join(' ')}`);
  }
  console.error(`edgewise: installing ${packages.join(' ')}`);
  // Packages of servers start them; on a developer's machine nothing of that must listen on port 53. A policy of the
  // machine's own stays as it is; ours goes when the packages are there, or no service could ever start again.
  const policy = '/usr/sbin/policy-rc.d';
  const isLeft = existsSync(policy) && readFileSync(policy, 'utf8') === POLICY;
  const isOurs = isLeft || !existsSync(policy);
  const withdraw = () => rmSync(policy, { force: true });
  if (isOurs) {
    writeFileSync(policy, POLICY, { mode: 0o755, flag: isLeft ? 'w' : 'wx' });
    process.on('exit', withdraw);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args) =>
    spawnSync('apt-get', ['-q', '-o', 'Acquire::Retries=3', ...args], { stdio: ['ignore', 'ignore', 'inherit'], env });
  apt('update');
  apt('install', '-y', '--no-install-recommends', ...new Set(packages));
  if (isOurs) withdraw();
  const still = missing();
  if (still.length > 0) fail(`missing: ${still.join(', ')}; apt-get could not install ${packages.join(' ')}`);
}
