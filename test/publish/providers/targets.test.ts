import { expect, test } from 'vitest';
import type { Config } from '../../../src/config/types.ts';
import { type KeptTarget, prepareTargets } from '../../../src/publish/providers/targets.ts';
import { Guard } from '../../../src/system/guard.ts';
import { BASE, parse } from '../../config/config-fixture.ts';

const KEY = '{name: upd.example.net., algorithm: hmac-sha256, secret: c2VjcmV0IG9mIGEgdGVzdA==}';
const TARGET =
  '{provider: rfc2136, network: net, zone: example.net, names: www, to: "127.0.0.1", key: upd.example.net.}';

function configOf(key = KEY, target = TARGET): Config {
  const { config, faults } = parse(`${BASE}transfer: {keys: [${key}]}\npublish: [${target}]\n`);
  if (config === null) throw new Error(JSON.stringify(faults));
  return config;
}

function prepared(config: Config, before: readonly KeptTarget[] = []): readonly KeptTarget[] {
  const made = prepareTargets(config, before, {
    live: () => null,
    files: null,
    env: {},
    guard: new Guard({ report: () => undefined, now: () => 0 }),
    log: () => undefined,
    now: () => 0,
  });
  if (!made.ok) throw new Error(JSON.stringify(made.faults));
  return made.targets;
}

test.each([
  ['nothing', KEY, TARGET, true],
  ['the algorithm', KEY.replace('sha256', 'sha512'), TARGET, false],
  ['the secret', KEY.replace('c2Vj', 'c2Vk'), TARGET, false],
  ['a key of its own', KEY, TARGET.replace('www', 'www, ttl: 61'), false],
])('a reload that changes %s', (_, key, target, stays) => {
  const before = prepared(configOf());
  const after = prepared(configOf(key, target), before);
  expect(after).toHaveLength(1);
  expect(after[0] === before[0]).toBe(stays);
});
