// A vantage in a process of its own, that can be stopped: `propose <set>` on its input, JSON lines on its output.
import { createInterface } from 'node:readline';

const { endpoints, dist, name, members, lease } = JSON.parse(process.argv[2]);
const { makeEtcdEngine } = await import(`${dist}/vantage/etcd/engine.js`);
const { Guard } = await import(`${dist}/system/guard.js`);
const codec = await import(`${dist}/health/state/vantage-view.js`);

const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
const events = {
  onView: () => {},
  onDecided: () => {},
  onContents: () => {},
  onRole: () => say(engine.agreement.role()),
};
const engine = makeEtcdEngine({
  settings: {
    vantage: { name, members, lease, prefix: 'edgewise/test' },
    client: { endpoints, timeoutMs: 4000, user: null, tls: { ca: null, cert: null, key: null } },
  },
  codec,
  version: '9.9',
  events,
  intervalMs: 500,
  guard: new Guard({ report: (part, text) => say({ part, text }), now: () => Date.now() / 1000 }),
  log: () => {},
  now: () => Date.now() / 1000,
  makeContents: () => ({
    look: async () => ({ ok: true, isChanged: false, apply: () => {} }),
    faults: () => [],
    stop: async () => {},
    compares: () => [],
    serials: { highest: () => 0 },
  }),
});
await engine.start();
for await (const line of createInterface(process.stdin)) {
  const { value } = codec.decodeDecidedSet(line);
  say(await engine.agreement.propose(value));
}
