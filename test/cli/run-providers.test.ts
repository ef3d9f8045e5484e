import { expect, test } from 'vitest';
import { closeSinks } from '../../src/cli/run-providers.ts';
import type { Config } from '../../src/config/types.ts';
import { ProviderError } from '../../src/publish/providers/provider.ts';
import { ProviderTarget } from '../../src/publish/providers/target.ts';
import { Sinks } from '../../src/publish/sinks.ts';
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
    left: { read: async () => null, write: () => undefined },
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
