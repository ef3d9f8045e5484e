import { edgewise } from '../support/edgewise.ts';
import { NETWORK, program } from '../support/installation.ts';
import type { LinkState } from '../support/link-proxy.ts';
import { PREFIX, type Vantage, type Vantages, ZONE } from './vantages.ts';

/**
 * What fails, and what is seen of it besides what the checker judges of every run. Each begins and ends with everything
 * well; `quick`: in every run of the tests, the others in the long ones.
 */
export type Scenario = {
  readonly name: string;
  readonly quick: boolean;
  readonly run: (all: Vantages) => Promise<void>;
};

/** Turns in which nothing must come of something. */
const QUIET_TURNS = 4;
/** Connections to an edge that is dead: each fetch is tried so often (`retry`). */
const PROBES = 3 * QUIET_TURNS;
const CUTS: readonly LinkState[] = ['drop', 'half-open', 'no-requests', 'no-answers'];

/** An edge dies and all of these answer without it. */
async function flips(all: Vantages, nodes?: readonly Vantage[]): Promise<void> {
  all.flip();
  await all.agreed(all.live, nodes);
}

/** An edge dies, all that run see it again and again, and nothing changes. Returns what was answered, to be so still. */
async function flipsNothing(all: Vantages, nodes: readonly Vantage[]): Promise<void> {
  const before = all.live;
  const victim = all.flip();
  await all.probed(victim, PROBES, nodes);
  await all.agreed(before, nodes);
}

async function etcdLeader(all: Vantages, how: 'kill' | 'pause'): Promise<void> {
  const leader = await all.etcd.leader();
  all.mark('broken', `etcd's leader: ${how}`);
  if (how === 'kill') await all.etcd.kill(leader);
  else all.etcd.pause(leader);
  await flips(all);
  if (how === 'kill') await all.etcd.restart(leader);
  else all.etcd.resume(leader);
  await all.etcd.healthy();
  all.mark('healed', 'etcd');
}

async function etcdMajority(all: Vantages, how: 'kill' | 'pause'): Promise<void> {
  const lost = [0, 1];
  all.mark('broken', `two members of etcd: ${how}`);
  all.mark('frozen', `two members of etcd: ${how}`);
  for (const member of lost) {
    if (how === 'kill') await all.etcd.kill(member);
    else all.etcd.pause(member);
  }
  await flipsNothing(all, all.all);
  await all.health(false);
  all.mark('thawed', 'etcd');
  for (const member of lost) {
    // Both at once: none is healthy alone.
    if (how === 'pause') all.etcd.resume(member);
  }
  if (how === 'kill') await Promise.all(lost.map((member) => all.etcd.restart(member)));
  await all.etcd.healthy();
  all.mark('healed', 'etcd');
  await all.agreed(all.live);
}

async function decider(all: Vantages, how: 'kill' | 'pause'): Promise<void> {
  const former = await all.decider();
  all.mark('broken', `the decider: ${how}`);
  if (how === 'kill') await former.kill();
  else former.pause();
  await all.deciderIsNot(former);
  await flips(all, all.others(former));
  if (how === 'kill') await former.begin();
  else former.resume();
  await all.agreed(all.live);
  all.mark('healed', 'the decider');
}

async function vantageMajority(all: Vantages, how: 'kill' | 'pause'): Promise<void> {
  const [left, ...lost] = all.all;
  all.mark('broken', `two vantages: ${how}`);
  all.mark('frozen', `two vantages: ${how}`);
  for (const vantage of lost) {
    if (how === 'kill') await vantage.kill();
    else vantage.pause();
  }
  await flipsNothing(all, [left]);
  await all.health(false, [left]);
  all.mark('thawed', 'vantages');
  for (const vantage of lost) {
    if (how === 'kill') await vantage.begin();
    else vantage.resume();
  }
  await all.agreed(all.live);
  all.mark('healed', 'vantages');
}

async function command(...args: readonly string[]): Promise<void> {
  const { status, stderr } = await edgewise(args);
  if (status !== 0) throw new Error(`edgewise ${args.join(' ')}: ${stderr}`);
}

/** One vantage is cut off from etcd. */
async function cut(all: Vantages, who: 'decider' | 'follower', state: LinkState): Promise<void> {
  const deciding = await all.decider();
  const one = who === 'decider' ? deciding : all.others(deciding)[0];
  all.mark('broken', `${one.name}: ${state}`);
  const before = all.live;
  await one.link(state);
  if (who === 'decider') await all.deciderIsNot(one);
  const victim = all.flip();
  await all.agreed(all.live, all.others(one));
  await all.probed(victim, PROBES, [one]);
  await all.agreed(before, [one]);
  await all.health(false, [one]);
  await one.link('pass');
  await all.agreed(all.live);
  all.mark('healed', one.name);
}

/** Takes a live edge out, and brings it back, on one vantage and on another. */
async function modes(all: Vantages, between: (edge: string) => Promise<void>): Promise<void> {
  const [first, second] = all.others(await all.decider());
  await all.ready();
  const edge = await all.withdraw(first);
  await all.agreed(all.live);
  await all.hasMode(edge, 'unavailable');
  await between(edge);
  await all.hasMode(edge, 'unavailable');
  await all.setMode(second, edge, 'available');
  await all.hasMode(edge, 'available');
}

/** The canary fails for these, and is out of the answers of all, and in them again later. */
async function canary(all: Vantages, between: () => Promise<void>): Promise<void> {
  const { canary: address } = all;
  if (address === null) throw new Error('no canary');
  await all.canaryIs(true);
  all.die(address);
  await between();
  await all.canaryIs(false);
  all.revive(address);
  await all.canaryIs(true);
}

/** With modes and canaries (`VantagesOptions.canary`). */
export const FULL_SCENARIOS: readonly Scenario[] = [
  {
    name: 'a mode is set on one vantage and taken back on another',
    quick: false,
    run: (all) => modes(all, async () => undefined),
  },
  {
    name: 'a mode is set, and etcd loses everything',
    quick: false,
    run: (all) =>
      modes(all, async () => {
        all.mark('broken', 'etcd is wiped');
        await all.caughtUp();
        await all.etcd.wipe();
        await all.turns(3);
        await all.agreed(all.live);
        all.mark('healed', 'etcd');
        await all.turns(3);
      }),
  },
  {
    name: 'a mode is set, and etcd is restored from a backup from before',
    quick: false,
    run: async (all) => {
      const snapshot = await all.etcd.snapshot();
      await modes(all, async () => {
        await all.caughtUp();
        all.mark('broken', 'etcd is restored');
        await all.restore(snapshot);
        await all.turns(3);
        await all.agreed(all.live);
        all.mark('healed', 'etcd');
        await all.turns(3);
      });
    },
  },
  {
    name: 'a mode is set while etcd is away',
    quick: false,
    run: async (all) => {
      const lost = [0, 1];
      const [one] = all.others(await all.decider());
      const before = all.live;
      all.mark('broken', 'two members of etcd');
      all.mark('frozen', 'two members of etcd');
      for (const member of lost) all.etcd.pause(member);
      await all.health(false);
      const edge = await all.withdraw(one);
      await all.agreed(before);
      all.mark('thawed', 'etcd');
      for (const member of lost) all.etcd.resume(member);
      await all.etcd.healthy();
      await all.hasMode(edge, 'unavailable');
      await all.agreed(all.live);
      all.mark('healed', 'etcd');
      await all.setMode(one, edge, 'available');
      await all.hasMode(edge, 'available');
    },
  },
  {
    name: 'a mode is set on a vantage that is cut off, and one on another vantage is killed at',
    quick: false,
    run: async (all) => {
      const [cutOff, killed] = all.others(await all.decider());
      all.mark('broken', `${cutOff.name} is cut off`);
      await cutOff.link('drop');
      await all.health(false, [cutOff]);
      const edge = await all.withdraw(cutOff);
      await cutOff.link('pass');
      await all.hasMode(edge, 'unavailable');
      await killed.kill();
      await all.setMode(cutOff, edge, 'available');
      await all.hasMode(edge, 'available', all.others(killed));
      await killed.begin();
      await all.hasMode(edge, 'available');
      await all.agreed(all.live);
      all.mark('healed', killed.name);
    },
  },
  {
    name: 'garbage in etcd',
    quick: false,
    run: async (all) => {
      const [{ name }] = all.others(await all.decider());
      const [edge] = all.live;
      const garbage = [
        ...[`views/${name}/${NETWORK}`, `views/stranger/${NETWORK}`, 'views/%', `sets/${NETWORK}`, 'sets/other'],
        ...[`modes/${edge}`, 'modes/stranger', `ready/${name}/7`, 'ready/x', 'zones/%zz', `zones/${ZONE}`, 'nonsense'],
      ];
      const before = all.live;
      all.mark('broken', 'garbage');
      for (const key of garbage) {
        for (const value of ['', '{', '[]', '{"v":1}', '{"v":1,"gzip":"AAAA"}', '\0'.repeat(3000)])
          await all.etcd.put(`${PREFIX}/${key}`, value);
      }
      await all.turns(QUIET_TURNS);
      await all.agreed(before);
      await flips(all);
      for (const key of garbage) {
        if (!key.startsWith('sets/') || key === 'sets/other') await all.etcd.etcdctl('del', `${PREFIX}/${key}`);
      }
      await all.ready();
      await flips(all);
      await all.health(true);
      all.mark('healed', 'garbage');
    },
  },
  {
    name: 'a canary fails and comes back',
    quick: false,
    run: (all) => canary(all, async () => undefined),
  },
  {
    name: 'a canary fails for one vantage only',
    quick: false,
    run: async (all) => {
      const [liar] = all.others(await all.decider());
      if (all.canary === null) throw new Error('no canary');
      await all.canaryIs(true);
      all.mark('frozen', 'a false alarm');
      all.die(all.canary, [liar]);
      await all.probed(all.canary, PROBES, [liar]);
      await all.canaryIs(true);
      all.mark('thawed', 'a false alarm');
      all.revive(all.canary);
    },
  },
  ...(['kill', 'pause'] as const).map(
    (how): Scenario => ({
      name: `a canary fails, and the decider with it: ${how}`,
      quick: false,
      run: async (all) => {
        const former = await all.decider();
        all.mark('broken', `the decider: ${how}`);
        await canary(all, async () => {
          if (how === 'kill') await former.kill();
          else former.pause();
          await all.deciderIsNot(former);
          await all.canaryIs(false, all.others(former));
          if (how === 'kill') await former.begin();
          else former.resume();
        });
        all.mark('healed', 'the decider');
      },
    }),
  ),
];

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'one vantage sees an edge dead that is not',
    quick: true,
    run: async (all) => {
      const [liar] = all.others(await all.decider());
      const [victim] = all.live;
      all.mark('frozen', 'a false alarm');
      all.die(victim, [liar]);
      await all.probed(victim, PROBES, [liar]);
      await all.probed(victim, 1, all.all);
      await all.agreed(all.live);
      all.mark('thawed', 'a false alarm');
      all.revive(victim);
      await all.turns(2);
    },
  },
  ...(['kill', 'pause'] as const).flatMap((how): readonly Scenario[] => [
    { name: `etcd's leader: ${how}`, quick: true, run: (all) => etcdLeader(all, how) },
    { name: `two of three members of etcd: ${how}`, quick: how === 'kill', run: (all) => etcdMajority(all, how) },
    { name: `the decider: ${how}`, quick: true, run: (all) => decider(all, how) },
    { name: `two of three vantages: ${how}`, quick: how === 'pause', run: (all) => vantageMajority(all, how) },
  ]),
  ...CUTS.flatMap((state): readonly Scenario[] => [
    {
      name: `the decider cut off from etcd: ${state}`,
      quick: state === 'half-open',
      run: (all) => cut(all, 'decider', state),
    },
    {
      name: `another vantage cut off from etcd: ${state}`,
      quick: state === 'no-answers',
      run: (all) => cut(all, 'follower', state),
    },
  ]),
  {
    name: 'an operator lets one vantage decide alone while etcd is away',
    quick: false,
    run: async (all) => {
      const [one, ...others] = all.all;
      const config = ['-c', one.site.path('edgemanage.yaml')];
      const lost = [0, 1];
      all.mark('broken', 'two members of etcd');
      all.mark('frozen', 'two members of etcd');
      for (const member of lost) all.etcd.pause(member);
      const before = all.live;
      await flipsNothing(all, all.all);
      all.mark('override', one.name);
      await command('cluster', 'override', ...config, '--reason', 'chaos');
      await all.agreed(all.live, [one]);
      await all.agreed(before, others);
      await command('cluster', 'override', ...config, '--end');
      all.mark('override over', one.name);
      all.mark('thawed', 'etcd');
      for (const member of lost) all.etcd.resume(member);
      await all.etcd.healthy();
      await all.agreed(all.live);
      all.mark('healed', 'etcd');
      await all.ready();
      await flips(all);
    },
  },
  {
    name: 'all links are slow',
    quick: false,
    run: async (all) => {
      all.mark('broken', 'slow');
      for (const { links } of all.all) for (const link of links) link.delay(200);
      await flips(all);
      for (const { links } of all.all) for (const link of links) link.delay(0);
      all.mark('healed', 'slow');
    },
  },
  {
    name: 'compaction behind the back of a watch',
    quick: true,
    run: async (all) => {
      const [late] = all.others(await all.decider());
      all.mark('broken', `${late.name} hears nothing`);
      await late.link('no-answers');
      await flips(all, all.others(late));
      await all.compact();
      await late.link('pass');
      await all.agreed(all.live);
      await all.compact();
      all.mark('healed', late.name);
      await all.ready();
      await flips(all);
    },
  },
  {
    name: 'etcd loses everything',
    quick: true,
    run: async (all) => {
      all.mark('broken', 'etcd is wiped');
      await all.caughtUp();
      await all.etcd.wipe();
      await flips(all);
      all.mark('healed', 'etcd');
      await all.ready();
      await flips(all);
    },
  },
  {
    name: 'etcd is restored from an older backup',
    quick: true,
    run: async (all) => {
      const snapshot = await all.etcd.snapshot();
      for (let i = 0; i < 2; i++) {
        await flips(all);
        await all.ready();
      }
      await all.caughtUp();
      all.mark('broken', 'etcd is restored');
      await all.restore(snapshot);
      await all.agreed(all.live);
      await flips(all);
      all.mark('healed', 'etcd');
    },
  },
  ...['+1h', '-1h'].map(
    (skew): Scenario => ({
      name: `one vantage's clock is off: ${skew}`,
      quick: skew === '+1h',
      run: async (all) => {
        const skewed = await all.decider();
        all.mark('broken', `${skewed.name} begins again`);
        await skewed.kill();
        await skewed.begin(skew);
        await all.agreed(all.live);
        all.mark('healed', skewed.name);
        await flips(all);
        await all.ready();
        // It decides, if the one that does now is stopped and it comes first.
        const deciding = await all.decider();
        all.mark('broken', `${deciding.name} is paused`);
        deciding.pause();
        await all.deciderIsNot(deciding);
        await flips(all, all.others(deciding));
        deciding.resume();
        await skewed.kill();
        await skewed.begin();
        await all.agreed(all.live);
        all.mark('healed', skewed.name);
      },
    }),
  ),
  ...(['decider', 'follower'] as const).map(
    (who): Scenario => ({
      name: `no room on the disk of ${who === 'decider' ? 'the decider' : 'another vantage'}`,
      quick: who === 'decider',
      run: async (all) => {
        const deciding = await all.decider();
        const full = who === 'decider' ? deciding : all.others(deciding)[0];
        const files = (limit: string): Promise<unknown> =>
          program('prlimit', ['--pid', String(full.server?.child.pid), `--fsize=${limit}:`]);
        await files('0');
        await flips(all);
        await files('unlimited');
        await all.ready();
        await flips(all);
      },
    }),
  ),
  {
    name: 'a zone gets another content everywhere, one vantage after the other',
    quick: true,
    run: async (all) => {
      const before = await all.agreed(all.live);
      const text = `mail IN A 192.0.2.${26 + Math.floor(Math.random() * 200)}\n`;
      for (const vantage of all.all) await all.content(vantage, text);
      await all.serialIsNot(before);
      await all.ready();
      await flips(all);
    },
  },
];
