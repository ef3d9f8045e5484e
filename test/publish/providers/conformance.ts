/** What every kind of provider must do, told by a stranger who looks at the provider's servers past the provider. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type AddressType,
  type Correction,
  type HeldSet,
  type Provider,
  ProviderError,
  type ProviderProblem,
  type SetKey,
} from '../../../src/publish/providers/provider.ts';

export type SeenSet = { readonly ttl: number | null; readonly addresses: readonly string[] };

/** Ways in which a provider fails; `credentials`: it no longer takes ours. */
export const BREAKDOWNS = ['refuse', 'hang', 'garbage', 'credentials'] as const;
export type Breakdown = (typeof BREAKDOWNS)[number];

/**
 * A provider and its servers, with a zone `example.test` that has SOA, NS, a TXT and an MX, a CNAME `alias`, and none of
 * the suite's sets. `seen`, `set` and `others` do not go through the provider.
 */
export type Harness<Own = unknown> = {
  readonly provider: Provider<Own>;
  /** Another that has the same servers, but a zone that they do not have. */
  readonly stranger: Provider<Own>;
  readonly zone: string;
  readonly seen: (key: SetKey) => Promise<SeenSet | null>;
  /** Somebody else sets it; without addresses, removes it. */
  readonly set: (key: SetKey, ttl: number, addresses: readonly string[]) => Promise<void>;
  /** Everything of the zone but SOA and the suite's sets, a line each, sorted. */
  readonly others: () => Promise<readonly string[]>;
  /** Resolves with what mends it. */
  readonly breakDown: (how: Breakdown) => Promise<() => Promise<void>>;
  /** The least TTL that it takes, seconds. */
  readonly minTtl: number;
  /** Whether `apply` finds out that a set changed after it was read (`conflict`). */
  readonly tellsConflicts: boolean;
  /** What must never be in a message. */
  readonly secrets: readonly string[];
  readonly stop: () => Promise<void>;
};

const PROBLEMS: { readonly [how in Breakdown]: readonly ProviderProblem[] } = {
  refuse: ['unreachable'],
  hang: ['timeout'],
  garbage: ['malformed'],
  credentials: ['credentials'],
};

/** Long enough for a busy machine; only what hangs waits for its own, short one. */
const NORMAL_MS = 60_000;
const HANG_MS = 400;

const LATE = new ProviderError('timeout', 'no answer in time');

export function conformance<Own>(kind: string, makeHarness: () => Promise<Harness<Own>>): void {
  describe(`${kind}: as every provider`, () => {
    let harness: Harness<Own>;
    let others: readonly string[];
    let ttl: number;
    const key = (label: string, type: AddressType = 'A'): SetKey => ({
      name: label === '@' ? harness.zone : `${label}.${harness.zone}`,
      type,
    });
    const keys = (...labels: readonly string[]): readonly SetKey[] =>
      labels.flatMap((label) => [key(label, 'A'), key(label, 'AAAA')]);
    const all = (): readonly SetKey[] => keys('www', 'cloud', 'a.b', '@', '*', '*.wild', 'below.wild');
    const late = (ms = NORMAL_MS): AbortSignal => signalAfter(ms);
    const read = (...of: readonly SetKey[]): Promise<readonly HeldSet<Own>[]> => harness.provider.read(of, late());
    const readOne = async (of: SetKey): Promise<HeldSet<Own> | null> => (await read(of))[0] ?? null;
    /** A correction from what is there now. */
    const correction = async (
      of: SetKey,
      addresses: readonly string[],
      seconds: number = ttl,
    ): Promise<Correction<Own>> => ({
      ...of,
      was: await readOne(of),
      to: addresses.length === 0 ? null : { ...of, ttl: seconds, addresses: [...addresses].sort() },
      text: 'a step of the suite',
    });
    const apply = async (...steps: readonly Correction<Own>[]): Promise<void> => {
      const [refusal] = await harness.provider.apply(steps, late());
      if (refusal !== undefined) throw new ProviderError('name', refusal.why);
    };
    const change = async (of: SetKey, addresses: readonly string[], seconds: number = ttl): Promise<void> =>
      apply(await correction(of, addresses, seconds));

    beforeAll(async () => {
      harness = await makeHarness();
      ttl = harness.minTtl;
      others = await harness.others();
    });
    beforeEach(async () => {
      for (const of of all()) if ((await harness.seen(of)) !== null) await harness.set(of, ttl, []);
    });
    afterEach(async () => {
      expect(await harness.others()).toEqual(others);
    });
    afterAll(() => harness?.stop());

    test('an empty place is read as one', async () => {
      expect(others.length).toBeGreaterThanOrEqual(3);
      expect(await read(...all())).toEqual([]);
      await apply();
    });

    test('several names and both families are created at once, and read back as they were written', async () => {
      const wanted = [
        await correction(key('www'), ['192.0.2.1', '192.0.2.20']),
        await correction(key('www', 'AAAA'), ['2001:db8::1']),
        await correction(key('cloud'), ['192.0.2.3']),
        await correction(key('a.b', 'AAAA'), ['2001:db8::2', '2001:db8::3']),
        await correction(key('@'), ['192.0.2.4']),
        await correction(key('@', 'AAAA'), ['2001:db8::4']),
      ];
      await apply(...wanted);
      for (const { name, type, to } of wanted) {
        expect(await harness.seen({ name, type }), `${name} ${type}`).toEqual({ ttl, addresses: to?.addresses });
      }
      const held = await read(...all());
      expect(held.map(({ own: _, ...set }) => set)).toEqual(
        expect.arrayContaining(
          wanted.map(({ name, type, to }) => ({
            name,
            type,
            ttl,
            addresses: to?.addresses,
            extra: harness.provider.extra,
          })),
        ),
      );
      expect(held).toHaveLength(wanted.length);
    });

    test('one address is replaced, the others stay', async () => {
      await change(key('www'), ['192.0.2.1', '192.0.2.2', '192.0.2.3']);
      await change(key('www'), ['192.0.2.1', '192.0.2.3', '192.0.2.9']);
      expect(await harness.seen(key('www'))).toEqual({ ttl, addresses: ['192.0.2.1', '192.0.2.3', '192.0.2.9'] });
    });

    test('the TTL alone changes', async () => {
      await change(key('www'), ['192.0.2.1', '192.0.2.2']);
      await change(key('www'), ['192.0.2.1', '192.0.2.2'], ttl + 60);
      expect(await harness.seen(key('www'))).toEqual({ ttl: ttl + 60, addresses: ['192.0.2.1', '192.0.2.2'] });
      expect((await readOne(key('www')))?.ttl).toBe(ttl + 60);
    });

    test('a family goes, the other stays', async () => {
      await apply(
        await correction(key('www'), ['192.0.2.1']),
        await correction(key('www', 'AAAA'), ['2001:db8::1', '2001:db8::2']),
      );
      await change(key('www', 'AAAA'), []);
      expect(await harness.seen(key('www', 'AAAA'))).toBeNull();
      expect(await harness.seen(key('www'))).toEqual({ ttl, addresses: ['192.0.2.1'] });
      expect((await read(...all())).map(({ name, type }) => ({ name, type }))).toEqual([key('www')]);
    });

    test('sixty addresses come, change, and go', async () => {
      const many = (from: number): readonly string[] =>
        Array.from({ length: 60 }, (_, i) => `192.0.2.${from + i}`).sort();
      const many6 = Array.from({ length: 60 }, (_, i) => `2001:db8::1:${(i + 1).toString(16)}`).sort();
      await apply(await correction(key('www'), many(1)), await correction(key('www', 'AAAA'), many6));
      expect((await harness.seen(key('www')))?.addresses).toEqual(many(1));
      expect((await harness.seen(key('www', 'AAAA')))?.addresses).toEqual(many6);
      await change(key('www'), many(31));
      expect((await harness.seen(key('www')))?.addresses).toEqual(many(31));
      await change(key('www'), ['192.0.2.1']);
      expect((await readOne(key('www')))?.addresses).toEqual(['192.0.2.1']);
    });

    test('what is right already may be written again', async () => {
      await change(key('www'), ['192.0.2.1', '192.0.2.2']);
      await change(key('www'), ['192.0.2.1', '192.0.2.2']);
      expect(await harness.seen(key('www'))).toEqual({ ttl, addresses: ['192.0.2.1', '192.0.2.2'] });
    });

    test.each<[string, readonly string[], readonly string[]]>([
      ['changed', ['192.0.2.1'], ['192.0.2.66']],
      ['given one more address', ['192.0.2.1'], ['192.0.2.1', '192.0.2.66']],
      ['relieved of an address', ['192.0.2.1', '192.0.2.2'], ['192.0.2.2']],
      ['removed', ['192.0.2.1'], []],
      ['made', [], ['192.0.2.66']],
    ])('a set that somebody else has %s after it was read', async (_, before, meanwhile) => {
      const [www, cloud] = [key('www'), key('cloud')];
      if (before.length > 0) await change(www, before);
      const steps = [await correction(cloud, ['192.0.2.30']), await correction(www, ['192.0.2.31'])];
      await harness.set(www, ttl, meanwhile);
      if (harness.tellsConflicts) {
        expect((await problemOf(apply(...steps))).problem).toBe('conflict');
        expect((await harness.seen(www))?.addresses ?? []).toEqual(meanwhile);
      } else await apply(...steps).catch(() => undefined);
      // Whatever became of it, the next round sees what is there, and sets it right.
      expect((await readOne(www))?.addresses ?? []).toEqual((await harness.seen(www))?.addresses ?? []);
      await change(www, ['192.0.2.31']);
      expect((await harness.seen(www))?.addresses).toEqual(['192.0.2.31']);
    });

    test('a wildcard is a name of its own, and makes no other', async () => {
      await change(key('*'), ['192.0.2.40']);
      await change(key('*.wild', 'AAAA'), ['2001:db8::40']);
      const held = await read(...all());
      expect(held.map(({ name, type }) => ({ name, type }))).toEqual(
        expect.arrayContaining([key('*'), key('*.wild', 'AAAA')]),
      );
      expect(held).toHaveLength(2);
      await change(key('www'), ['192.0.2.40']);
      await change(key('below.wild', 'AAAA'), ['2001:db8::40']);
      expect(await harness.seen(key('www'))).toEqual({ ttl, addresses: ['192.0.2.40'] });
      expect(await read(...all())).toHaveLength(4);
      await change(key('*'), ['192.0.2.41']);
      expect((await harness.seen(key('*')))?.addresses).toEqual(['192.0.2.41']);
      expect((await readOne(key('www')))?.addresses).toEqual(['192.0.2.40']);
    });

    test('what somebody else spells otherwise is the same name and the same address', async () => {
      const { name } = key('www', 'AAAA');
      await harness.set({ name: name.toUpperCase(), type: 'AAAA' }, ttl, ['2001:DB8:0:0:0:0:0:0A']);
      expect((await read(...keys('www'))).map(({ own: _, ...set }) => set)).toMatchObject([
        { name, type: 'AAAA', ttl, addresses: ['2001:db8::a'] },
      ]);
      await change(key('www', 'AAAA'), ['2001:db8::b']);
      expect(await harness.seen(key('www', 'AAAA'))).toEqual({ ttl, addresses: ['2001:db8::b'] });
    });

    test('a name that is an alias, or outside the zone, can have no set', async () => {
      // Found by reading, or by writing, where the other names can be set right all the same.
      const written = async (): Promise<void> => {
        await read(key('www'), key('alias'));
        await apply({ ...key('alias'), was: null, to: { ...key('alias'), ttl, addresses: ['192.0.2.1'] }, text: '' });
      };
      const fault = await problemOf(written());
      expect(fault.problem).toBe('name');
      expect(fault.message).toContain('alias');
      const outside: SetKey = { name: 'www.elsewhere.test', type: 'A' };
      expect((await problemOf(read(outside))).problem).toBe('name');
      const to = { ...outside, ttl, addresses: ['192.0.2.1'] };
      expect((await problemOf(apply({ ...outside, was: null, to, text: '' }))).problem).toBe('name');
    });

    test('a zone that is not there', async () => {
      const { stranger } = harness;
      const wanted: SetKey = { name: 'www.unknown.test', type: 'A' };
      const fault = await problemOf(stranger.read([wanted], late()));
      expect(fault.problem).toBe('zone');
      expect(fault.message).toContain('unknown.test');
      await stranger.close();
    });

    test.each(BREAKDOWNS)('%s: is told as what it is, and over when it is over', async (how) => {
      await change(key('www'), ['192.0.2.1']);
      const step = await correction(key('www'), ['192.0.2.2']);
      const mend = await harness.breakDown(how);
      try {
        const signal = (): AbortSignal => late(how === 'hang' ? HANG_MS : NORMAL_MS);
        for (const attempt of [
          () => harness.provider.read(all(), signal()),
          () => harness.provider.apply([step], signal()),
        ]) {
          const fault = await problemOf(attempt());
          expect(PROBLEMS[how], `${fault.problem}: ${fault.message}`).toContain(fault.problem);
          for (const secret of harness.secrets) expect(`${fault.message} ${fault.stack}`).not.toContain(secret);
          expect(fault.message.length).toBeLessThan(600);
        }
      } finally {
        await mend();
      }
      await change(key('www'), ['192.0.2.3']);
      expect(await harness.seen(key('www'))).toEqual({ ttl, addresses: ['192.0.2.3'] });
    });

    test('what is given up ends with its reason', async () => {
      const reason = new Error('given up');
      await expect(harness.provider.read(all(), AbortSignal.abort(reason))).rejects.toBe(reason);
      const mend = await harness.breakDown('hang');
      try {
        const abort = new AbortController();
        const pending = harness.provider.read(all(), abort.signal);
        abort.abort(reason);
        await expect(pending).rejects.toBe(reason);
      } finally {
        await mend();
      }
    });
  });
}

/** What a promise rejects with, which must be a ProviderError. */
export async function problemOf(pending: Promise<unknown>): Promise<ProviderError> {
  const outcome = await pending.then(
    () => new Error('it succeeded'),
    (error: unknown) => error,
  );
  if (outcome instanceof ProviderError) return outcome;
  throw outcome;
}

/** As a target makes them: aborts with a ProviderError. */
function signalAfter(ms: number): AbortSignal {
  const abort = new AbortController();
  setTimeout(() => abort.abort(LATE), ms).unref();
  return abort.signal;
}
