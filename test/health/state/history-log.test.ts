import { appendFile, link, mkdtemp, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Fetch } from '../../../src/health/checks/sample.ts';
import { decideFacts, factsOf } from '../../../src/health/choose/decide.ts';
import type { RoundFacts } from '../../../src/health/choose/round.ts';
import { appendRound, historyLogPath, lastRounds, readLines } from '../../../src/health/state/history-log.ts';
import { decodeRecord, encodeRecord, recordTime } from '../../../src/health/state/history-log-record.ts';
import { canary, NOW, round, sample } from '../../support/round-input.ts';

function factsAt(now: number): RoundFacts {
  return factsOf(round({ edges: { A: {}, B: { fetch: 10 } }, now }));
}

/** A round in which every field differs from its default. */
function fullFacts(): RoundFacts {
  const figures = {
    seconds: 10,
    fail: { reason: 'tls', detail: 'certificate has expired' },
    phases: { resolve: 0.25, connect: 0.5, tls: 0.125, firstByte: null, total: 10 },
    attempts: 3,
    hops: 2,
  } as const;
  const passed = { ...figures, seconds: 0.1, fail: null, attempts: 1, hops: 0 };
  const fetch: Fetch = {
    address: '2001:db8::1',
    ...figures,
    check: 'web',
    checks: [
      { name: 'http', kind: 'http', ...passed },
      { name: 'web', kind: 'http', ...figures },
    ],
  };
  const input = round({
    edges: {
      A: {},
      B: { mode: 'force', modeUntil: NOW + 60.5, comment: '[joe] "disk"', verificationFailed: true, v6: '2001:db8::1' },
      C: { fetch: null },
    },
    canaries: [canary('example.com', '192.0.2.9')],
    memory: {
      lastLive: ['A'],
      rotations: [NOW - 60.25],
      activeCanaries: [{ zone: 'example.com', address: '192.0.2.9', victim: null }],
      canaryRotations: new Map([['example.com', [NOW - 1]]]),
      answered: new Map([['A', { v4: '192.0.2.1', v6: null }]]),
      unanswered: 'v6',
      judged: new Map([['A', { up: true, count: 1, at: NOW - 61 }]]),
      unsteady: new Map([['A', { falls: 2, fails: 0, passingSince: NOW - 50, at: NOW - 1 }]]),
      misses: new Map([['A 192.0.2.1', { count: 2, at: NOW - 61 }]]),
    },
    operatorChange: true,
    scope: 'event',
    rules: { canaryKiller: 6, judge: { kind: 'rise_fall', rise: 2, fall: 3 } },
  });
  const facts = factsOf(input);
  const [a, ...others] = facts.edges;
  return {
    ...facts,
    edges: [{ ...a, v6: fetch.address, sample: { ...sample('A', 0.2), others: [fetch], stalledMs: 21 } }, ...others],
  };
}

describe('a record', () => {
  test('of before checks could be chosen is one of the check http', () => {
    const facts = fullFacts();
    const line = encodeRecord(facts, decideFacts(facts));
    const old = JSON.parse(line);
    const [edge] = old.edges;
    expect(edge.sample.others[0]).toMatchObject({ check: 'web', checks: [{ name: 'http' }, { name: 'web' }] });
    delete edge.sample.others[0].check;
    delete edge.sample.others[0].checks;
    const [other] = decodeRecord(JSON.stringify(old))?.facts.edges[0].sample?.others ?? [];
    expect(other).toMatchObject({ check: 'http', checks: [{ name: 'http', kind: 'http', seconds: 10, hops: 2 }] });
    // The usual single check takes no room.
    expect(edge.sample.fetch).not.toHaveProperty('check');
    expect(edge.sample.fetch).not.toHaveProperty('checks');
  });

  test('comes back as it went, with a summary of the decision', () => {
    const facts = fullFacts();
    const decision = decideFacts(facts);
    const record = decodeRecord(encodeRecord(facts, decision));
    expect(record?.facts).toEqual(facts);
    expect(record?.decided).toEqual({
      kind: 'changed',
      held: false,
      replaced: 0,
      live: ['A', 'B', 'C'],
      canaries: new Map([['example.com', '192.0.2.9']]),
    });
  });

  test('of a full turn does not name its scope, and one without is a turn', () => {
    const facts = factsAt(NOW);
    const turn = encodeRecord(facts, decideFacts(facts));
    expect(JSON.parse(turn)).not.toHaveProperty('scope');
    expect(decodeRecord(turn)?.facts.scope).toBe('turn');
    const event = encodeRecord({ ...facts, scope: 'event' }, decideFacts({ ...facts, scope: 'event' }));
    expect(JSON.parse(event)).toMatchObject({ scope: 'event' });
    expect(decodeRecord(event.replace('"event"', '"never"'))).toBeNull();
  });

  test('keeps what trouble there was with the checks, for explain', () => {
    const facts = { ...fullFacts(), troubles: ['the turn takes longer than run_frequency'] };
    const decision = decideFacts(facts);
    expect(decision.notes.at(-1)).toBe('the turn takes longer than run_frequency');
    const record = decodeRecord(encodeRecord(facts, decision));
    expect(record === null ? null : decideFacts(record.facts).notes).toEqual(decision.notes);
    const without = encodeRecord(fullFacts(), decision);
    expect(JSON.parse(without)).not.toHaveProperty('troubles');
  });

  test('decides as the round did', () => {
    const facts = fullFacts();
    const decision = decideFacts(facts);
    const record = decodeRecord(encodeRecord(facts, decision));
    expect(record === null ? null : decideFacts(record.facts)).toEqual(decision);
  });

  test('is one line that begins with its time', () => {
    const line = encodeRecord(factsAt(NOW + 0.25), decideFacts(factsAt(NOW + 0.25)));
    expect(line.indexOf('\n')).toBe(line.length - 1);
    expect(recordTime(line.slice(0, 40))).toBe(NOW + 0.25);
  });

  test('cuts long details short', () => {
    const facts = factsAt(NOW);
    const long = { ...sample('A', 10), fail: { reason: 'protocol' as const, detail: 'x'.repeat(5000) } };
    const edges = [{ ...facts.edges[0], sample: long }];
    const record = decodeRecord(encodeRecord({ ...facts, edges }, decideFacts(facts)));
    expect(record?.facts.edges[0].sample?.fail?.detail).toBe('x'.repeat(300));
  });

  test('a line that is none gives null', () => {
    const line = encodeRecord(fullFacts(), decideFacts(fullFacts()));
    for (let end = 0; end < line.length - 1; end++) expect(decodeRecord(line.slice(0, end))).toBeNull();
    fc.assert(
      fc.property(fc.json(), fc.string(), (json, text) => {
        expect(decodeRecord(json)).toBeNull();
        expect(decodeRecord(text)).toBeNull();
      }),
    );
  });

  test('a spoilt line never throws', () => {
    const line = encodeRecord(fullFacts(), decideFacts(fullFacts()));
    fc.assert(
      fc.property(fc.nat(line.length - 1), fc.constantFrom(...'0"{}[],:ntx-'), (at, character) => {
        const record = decodeRecord(line.slice(0, at) + character + line.slice(at + 1));
        if (record !== null) expect(() => decideFacts(record.facts)).not.toThrow();
      }),
    );
  });
});

describe('the log', () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'edgewise-history-log-'));
    path = historyLogPath(folder, 'net');
  });
  afterEach(() => rm(folder, { recursive: true }));

  const append = (now: number, maxBytes?: number) =>
    appendRound(path, factsAt(now), decideFacts(factsAt(now)), maxBytes);
  const times = async (since = -Infinity, until = Infinity) =>
    (await readLines(path, { since, until })).map(({ at }) => at);

  test('is not there at first', async () => {
    expect(await readLines(path)).toEqual([]);
    expect(await lastRounds(path, NOW, 5)).toEqual([]);
  });

  test('gives rounds of a span, both ends included', async () => {
    for (let i = 0; i < 5; i++) await append(NOW + i);
    expect(await times()).toEqual([0, 1, 2, 3, 4].map((i) => NOW + i));
    expect(await times(NOW + 1, NOW + 3)).toEqual([1, 2, 3].map((i) => NOW + i));
    expect((await lastRounds(path, NOW + 3.5, 2)).map(({ facts }) => facts.now)).toEqual([NOW + 2, NOW + 3]);
    expect(await lastRounds(path, NOW - 1, 2)).toEqual([]);
  });

  test('is closed after a torn line, which is left out', async () => {
    await append(NOW);
    await append(NOW + 1);
    const { size } = await stat(path);
    await truncate(path, size - 20);
    expect((await lastRounds(path, Infinity, 9)).map(({ facts }) => facts.now)).toEqual([NOW]);
    await append(NOW + 2);
    expect((await lastRounds(path, Infinity, 9)).map(({ facts }) => facts.now)).toEqual([NOW, NOW + 2]);
  });

  test('passes over rubbish', async () => {
    await append(NOW);
    await appendFile(path, 'rubbish\n\n{"at":1,"v":9}\n{"at":\n\u0000\u0000\u0000');
    await append(NOW + 2);
    expect((await lastRounds(path, Infinity, 9)).map(({ facts }) => facts.now)).toEqual([NOW, NOW + 2]);
  });

  test('puts a full file aside and drops the one before', async () => {
    await append(NOW);
    const { size } = await stat(path);
    for (let i = 1; i < 7; i++) await append(NOW + i, 2 * size + 10);
    expect(await times()).toEqual([4, 5, 6].map((i) => NOW + i));
    const [old, current] = await Promise.all([stat(`${path}.1`), stat(path)]);
    expect(Math.max(old.size, current.size)).toBeLessThanOrEqual(2 * size + 10);
  });

  test('a record over the limit is kept all the same', async () => {
    await append(NOW, 10);
    await append(NOW + 1, 10);
    expect(await times()).toEqual([NOW, NOW + 1]);
  });

  test('a folder that is not there is the system’s error', async () => {
    path = historyLogPath(join(folder, 'none'), 'net');
    await expect(append(NOW)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('one file under both names is read once', async () => {
    await append(NOW);
    await link(path, `${path}.1`); // as a reader may find it that opens one before a rotation and one after
    expect(await times()).toEqual([NOW]);
  });
});
