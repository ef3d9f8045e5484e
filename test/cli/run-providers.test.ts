import { expect, test } from 'vitest';
import { closeSinks, runProviders } from '../../src/cli/run-providers.ts';
import type { Config } from '../../src/config/types.ts';
import type { LiveUpdate } from '../../src/health/pools/round-types.ts';
import { NEW_STATE } from '../../src/health/state/network-state.ts';
import { ProviderError } from '../../src/publish/providers/provider.ts';
import { ProviderTarget } from '../../src/publish/providers/target.ts';
import { Sinks } from '../../src/publish/sinks.ts';
import { Guard } from '../../src/system/guard.ts';
import { BASE, parse } from '../config/config-fixture.ts';
import { MemoryProvider } from '../support/memory-provider.ts';

function targetOf(provider: MemoryProvider): ProviderTarget {
  return new ProviderTarget({
    spec: {
      name: 'a',
      network: 'net',
      names: ['www.example.org'],
      types: ['A'],
      ttl: 60,
      owner: true,
      timeoutMs: 60_000,
      dryRun: false,
    },
    provider,
    live: () => ({ v4: ['192.0.2.1'], v6: [], unanswered: null }),
    left: { read: async () => ({ left: null, lastRight: null }), write: () => undefined },
    log: () => undefined,
    now: () => 0,
  });
}

/** A run that is over when `over` has nothing more to do; its provider does `first`. */
async function run(first: () => void | Promise<void>, over: string, ms: number): Promise<readonly string[]> {
  const provider = new MemoryProvider();
  const target = targetOf(provider);
  const ends: string[] = [];
  const sinks = new Sinks(
    [
      { name: 'publish a', phase: 'follow', apply: () => target.reconcile() },
      {
        name: 'hooks',
        phase: 'follow',
        apply: async () => {
          ends.push('hooks');
          return [];
        },
      },
    ],
    { log: () => undefined },
  );
  provider.beforeRead.push(first);
  sinks.follow({ network: 'net', config: {} as Config, update: null, zones: [], filesWritten: false });
  await sinks.idleOf(over);
  const stop = async (): Promise<void> => {
    ends.push('stop');
    await target.close();
  };
  await closeSinks(sinks, { stop, close: async () => void ends.push('close') }, ms);
  return [...ends, ...provider.sets.keys()];
}

test('the end of a run waits for no pause that a provider asks for', async () => {
  const limit = (): never => {
    throw new ProviderError('limit', 'asked too often', 3_600_000);
  };
  expect(await run(limit, 'publish a', 1)).toEqual(['hooks', 'stop', 'close']);
});

test('nor for a provider that hangs', async () => {
  expect(await run(() => new Promise(() => undefined), 'hooks', 1)).toEqual(['hooks', 'stop', 'close']);
});

test('what failed is tried once more', async () => {
  const trouble = (): never => {
    throw new ProviderError('trouble', 'out of order');
  };
  expect(await run(trouble, 'publish a', 60_000)).toEqual(['hooks', 'stop', 'close', 'www.example.org A']);
});

test('a row of runs looks at a provider now and then, and else where the live set changes', async () => {
  const { config } = parse(
    `${BASE}publish: [{provider: rfc2136, network: net, zone: example.net, names: www, to: "127.0.0.1", unsigned: true}]\n`,
  );
  if (config === null) throw new Error('no configuration');
  const guard = new Guard({ report: () => undefined, now: () => 0 });
  const nothing = (): void => undefined;
  const providers = runProviders(config, 'net', true, () => NEW_STATE, nothing, guard);
  const change = (liveChanged: boolean): Parameters<(typeof providers.sinks)[number]['apply']>[0] => {
    const update = { liveChanged } as LiveUpdate; // of which no more is looked at
    return { network: 'net', config, update, zones: [], filesWritten: false };
  };
  const [sink] = providers.sinks;
  expect(sink?.wants?.(change(false))).toBe(true);
  expect(await sink?.apply(change(false))).toEqual([]);
  expect(sink?.wants?.(change(false))).toBe(false);
  expect(sink?.wants?.(change(true))).toBe(true);
  await providers.close();
});
