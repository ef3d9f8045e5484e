import { describe, expect, test } from 'vitest';
import { type MergeRule, median, mergeViews } from '../../../src/health/agreement/merge.ts';
import type { EdgeView, VantageView } from '../../../src/health/agreement/view.ts';
import { decideFacts } from '../../../src/health/choose/decide.ts';
import { explain } from '../../../src/health/explain/explain.ts';
import { explanationText } from '../../../src/health/explain/text.ts';
import { type QuorumSize, votesNeeded } from '../../../src/health/judge/quorum.ts';
import { decodeRecord, encodeRecord } from '../../../src/health/state/history-log-record.ts';
import { canary, type RoundWords } from '../../support/round-input.ts';
import { INTERVAL, received, type ViewWords, vantage } from '../../support/vantage-views.ts';

const NAMES = ['ams', 'fra', 'lon', 'nyc', 'sin'];

const rule = (members: number, size: QuorumSize = 'majority'): MergeRule => {
  return { kind: 'quorum', self: 'ams', members: NAMES.slice(0, members), interval: INTERVAL, size };
};
/** One letter a vantage, ours first: `u` up, `d` down, `-` no view, `s` a stale one, `c` of another configuration, `0` no opinion. */
function seen(pattern: string, words: Partial<RoundWords> = {}) {
  const views = [...pattern].map((letter, i) => {
    const fetch = letter === 'u' ? 0.2 : letter === '0' ? null : 10;
    const round = { edges: { A: { fetch } }, rules: { edgeCount: 2 }, ...words };
    return vantage(NAMES[i], round, { config: letter === 'c' ? 'other' : 'same' });
  });
  const [own, ...others] = views;
  const heard = others.flatMap(({ view }, i) => {
    const letter = pattern[i + 1];
    return letter === '-' ? [] : [received(view, letter === 's' ? 3 * INTERVAL + 1 : 3 * INTERVAL)];
  });
  return { ...own, heard };
}

const outcome = (pattern: string, size: QuorumSize = 'majority') => {
  const { facts, own, heard } = seen(pattern);
  const { facts: merged } = mergeViews(facts, own, heard, rule(pattern.length, size));
  return [merged.edges[0].quorum?.up, merged.views.counting];
};

describe('votes', () => {
  test.each<[string, QuorumSize, boolean | null, number]>([
    ['uu', 'majority', true, 2],
    ['ud', 'majority', true, 2],
    ['dd', 'majority', false, 2],
    ['du', 'any', false, 2],
    ['du', 'all', true, 2],
    ['uud', 'majority', true, 3],
    ['udd', 'majority', false, 3],
    ['dud', 'majority', false, 3],
    ['ddu', 'all', true, 3],
    ['ddd', 'all', false, 3],
    ['uud', 'any', false, 3],
    ['uud', 1, false, 3],
    ['uud', 3, true, 3],
    ['ud-', 'majority', null, 2],
    ['uds', 'majority', null, 2],
    ['udc', 'majority', null, 2],
    ['ud0', 'majority', null, 3],
    ['dds', 'majority', false, 2],
    ['d--', 'majority', null, 1],
    ['dss', 'majority', null, 1],
    ['dcc', 'any', false, 1],
    ['000', 'majority', null, 3],
    ['0dd', 'majority', false, 3],
    ['0d-', 'majority', null, 2],
    ['dduu', 'majority', true, 4],
    ['dddu', 'majority', false, 4],
    ['duuu', 'majority', true, 4],
    ['uuudd', 'majority', true, 5],
    ['ddd--', 'majority', false, 3],
    ['uuddd', 'majority', false, 5],
    ['uuddd', 4, true, 5],
  ])('%s, quorum %s: %s', (pattern, size, up, counting) => {
    expect(outcome(pattern, size)).toEqual([up, counting]);
  });

  test.each<[QuorumSize, number, number, number]>([
    ['majority', 1, 1, 1],
    ['majority', 2, 2, 1],
    ['majority', 3, 2, 2],
    ['majority', 4, 3, 2],
    ['any', 3, 1, 3],
    ['all', 3, 3, 1],
    [9, 3, 3, 1],
    [0, 3, 1, 3],
  ])('%s of %i: %i call it down, %i up', (size, members, down, up) => {
    expect(votesNeeded(size, members)).toEqual({ down, up });
  });
});

describe('who does not count', () => {
  const notes = (change: (view: VantageView) => VantageView, age = 1) => {
    const { facts, own } = seen('uu');
    const other = change(seen('uu').heard[0].view);
    return mergeViews(facts, own, [received(other, age)], rule(2)).facts.views;
  };
  test.each<[string, (view: VantageView) => VantageView, number, string]>([
    ['stale', (view) => view, 181, 'its last view is 181 s old'],
    ['with an age that is none', (view) => view, Number.NaN, 'its last view is NaN s old'],
    ['configured otherwise', (view) => ({ ...view, config: 'x' }), 1, 'its configuration is another one'],
    ['of another network', (view) => ({ ...view, network: 'x' }), 1, 'its view is of another network'],
  ])('one that is %s', (_, change, age, why) => {
    expect(notes(change, age)).toEqual({ counting: 1, needed: 2, excluded: [{ vantage: 'fra', why }] });
  });
  test('a stranger has no vote, and neither has one in our name', () => {
    const views = notes((view) => ({ ...view, vantage: 'mallory' }));
    expect(views.counting).toBe(1);
    expect(views.excluded).toContainEqual({ vantage: 'mallory', why: 'it is no member' });
    expect(notes((view) => ({ ...view, vantage: 'ams' })).counting).toBe(1);
  });
});

describe('what is decided', () => {
  const live = (pattern: string, last: string, words: Partial<RoundWords> = {}) => {
    const agreed = new Map([...last].map((edge) => [edge, true]));
    const { facts, own, heard } = seen(pattern, { last, memory: { agreed }, ...words });
    const merged = mergeViews(facts, own, heard, rule(pattern.length)).facts;
    return { merged, decision: decideFacts(merged) };
  };
  const names = ({ live: members }: { readonly live: readonly { readonly edge: string }[] }) =>
    members.map(({ edge }) => edge).join('');
  const two = (a: number, b: number) => ({ edges: { A: { fetch: a }, B: { fetch: b } }, rules: { edgeCount: 1 } });

  test('without a majority nothing changes, whatever the lists and an operator say', () => {
    const { decision } = live('d--', 'A', {
      edges: { B: {} },
      operatorChange: true,
      memory: { answered: new Map([['A', { v4: '192.0.2.1', v6: null }]]) },
    });
    expect([decision.outcome.kind, names(decision), decision.memory.lastLive]).toEqual(['unchanged', 'A', ['A']]);
    expect(decision.notes[0]).toBe('no decision: 1 vantage counts, 2 must; what was answered stays');
    expect(names(live('d--', '').decision)).toBe('');
  });

  test('an edge on which nobody agrees stays what it is, and a faster one does not displace it', () => {
    const own = vantage('ams', { ...two(0.9, 0.1), last: 'A' });
    const other = vantage('fra', two(10, 0.1));
    const merge = (memory: Partial<RoundWords['memory']>) => {
      const facts = { ...own.facts, memory: { ...own.facts.memory, ...memory } };
      return decideFacts(mergeViews(facts, own.own, [received(other.view)], rule(3)).facts);
    };
    expect(names(merge({}))).toBe('A');
    expect(merge({}).reasons.get('A')?.why).toMatch(/^kept: undecided \(2 must see it down, 2 up\)/);
    // It was held to be down before: then it goes on being that.
    expect(names(merge({ agreed: new Map([['A', false]]) }))).toBe('B');
    expect(
      names(
        decideFacts({
          ...mergeViews(
            { ...own.facts, memory: { ...own.facts.memory, lastLive: ['B'] } },
            own.own,
            [received(other.view)],
            rule(3),
          ).facts,
        }),
      ),
    ).toBe('B');
  });

  test('a false alarm of one is shown as suspect and changes nothing; a death that two see changes the set', () => {
    const alarm = live('duu', 'A');
    expect(names(alarm.decision)).toBe('A');
    expect(alarm.decision.notes).toContain('suspect: A, down for 1 of 3: ams (timeout)');
    expect(alarm.decision.verdicts[0].why).toMatch(
      /; up for 2 of 3: fra, lon; suspect: down for 1 of 3: ams \(timeout\)$/,
    );
    const death = live('udd', 'A');
    expect(death.decision.verdicts[0]).toMatchObject({
      judgement: 'fail',
      why: 'down for 2 of 3: fra (timeout), lon (timeout)',
    });
  });

  test('an operator decides by modes, which are no votes', () => {
    const modes = { edges: { A: { mode: 'unavailable' as const }, B: {} } };
    expect(names(live('uuu', 'A', modes).decision)).toBe('B');
    expect(live('uuu', 'A', modes).merged.edges[0].quorum?.up).toBe(true);
    const blind = { edges: { A: { mode: 'blindforce' as const, fetch: 10 }, B: {} }, rules: { edgeCount: 1 } };
    expect(names(live('uuu', '', blind).decision)).toBe('A');
  });

  test('our own line in doubt is no vote of ours and keeps nothing from happening', () => {
    const references = [{ name: 'gateway', passes: false, detail: 'timeout' }];
    const { merged, decision } = live('ddd', 'A', { edges: { A: { fetch: 10 }, B: {} }, references });
    expect(merged.edges[0].quorum?.says[0]).toMatchObject({ vantage: 'ams', up: null });
    expect(decision.notes[0]).toMatch(/^our own line is in doubt .*: what fails here is no vote$/);
    const { facts, own } = seen('d', { edges: { A: { fetch: 10 } }, references, last: 'A' });
    const others = ['fra', 'lon'].map((name) => received(vantage(name, { edges: { A: { fetch: 10 } } }).view));
    expect(mergeViews(facts, own, others, rule(3)).facts.edges[0].quorum?.up).toBe(false);
  });

  test('the speed that ranks is the one in the middle; what stands for all is ours, or the one in the middle', () => {
    const one = (name: string, fetch: number) => vantage(name, { edges: { A: { fetch } } });
    const own = one('ams', 0.9);
    const others = [received(one('fra', 0.1).view), received(one('lon', 0.3).view)];
    const edge = mergeViews(own.facts, own.own, others, rule(3)).facts.edges[0];
    expect([edge.figures.last, edge.sample?.seconds, edge.quorum?.from]).toEqual([0.3, 0.9, null]);
    const down = one('ams', 10);
    const theirs = mergeViews(down.facts, down.own, others, rule(3)).facts.edges[0];
    expect([theirs.figures.last, theirs.sample?.seconds, theirs.quorum?.from]).toEqual([0.2, 0.1, 'fra']);
    expect(theirs.sample?.at).toBe(others[0].at);
  });

  test("another's sample is as old as its way to us, and counts once", () => {
    const down = vantage('ams', { edges: { A: { fetch: 10 } } });
    const up = (words: ViewWords) => ['fra', 'lon'].map((name) => vantage(name, { edges: { A: {} } }, words).view);
    const first = mergeViews(
      down.facts,
      down.own,
      up({ turn: 1 }).map((view) => received(view, 50)),
      rule(3),
    );
    const same = mergeViews(
      down.facts,
      down.own,
      up({ turn: 2 }).map((view) => received(view, 1)),
      rule(3),
      first.receipts,
    );
    expect(same.facts.edges[0].sample?.at).toBe(first.facts.edges[0].sample?.at);
    const next = up({ turn: 3, samples: 2 }).map((view) => received(view, 1));
    const newer = mergeViews(down.facts, down.own, next, rule(3), same.receipts);
    expect(newer.facts.edges[0].sample?.at).toBe(next[0].at);
  });

  test('an edge that one does not know, or has not asked yet, has one vote less', () => {
    const own = vantage('ams', { edges: { A: {}, B: { fetch: 10 } } });
    const fra = vantage('fra', { edges: { A: {} } });
    const lon = vantage('lon', { edges: { A: { fetch: null }, B: { fetch: 10 }, C: {} } });
    const { edges } = mergeViews(own.facts, own.own, [received(fra.view), received(lon.view)], rule(3)).facts;
    expect(edges.map(({ name, quorum }) => [name, quorum?.up])).toEqual([
      ['A', true],
      ['B', false],
    ]);
    expect(edges[1].quorum?.says[1]).toEqual({ vantage: 'fra', up: null, detail: 'does not know it' });
    expect(edges[0].quorum?.says[2]).toEqual({ vantage: 'lon', up: null, detail: 'not asked yet' });
  });

  test('one family: a single vantage takes it neither out nor in', () => {
    const both = (name: string) => vantage(name, { edges: { A: { v4: '192.0.2.1', v6: '2001:db8::1' } } });
    const works = (ups: readonly boolean[], answered: string | null) => {
      const memory = { lastLive: ['A'], answered: new Map([['A', { v4: '192.0.2.1', v6: answered }]]) };
      const [own, ...others] = ups.map((v6, i) => {
        const { facts, own: made } = both(NAMES[i]);
        const edges = made.view.edges.map((view): EdgeView => ({ ...view, works: { v4: true, v6 } }));
        return {
          facts: { ...facts, memory: { ...facts.memory, ...memory } },
          own: { ...made, view: { ...made.view, edges } },
        };
      });
      const heard = others.map((other) => received(other.own.view));
      return mergeViews(own.facts, own.own, heard, rule(3)).facts.edges[0].quorum?.works;
    };
    expect(works([false, true, true], '2001:db8::1')).toEqual({ v4: true, v6: true });
    expect(works([true, false, false], '2001:db8::1')).toEqual({ v4: true, v6: false });
    expect(works([true, false], '2001:db8::1')).toEqual({ v4: true, v6: true });
    expect(works([true, false], null)).toEqual({ v4: true, v6: false });
  });

  test('an edge is answered where enough see it', () => {
    const at = (name: string, v4: string) => {
      const { facts, own } = vantage(name, { edges: { A: { v4 } } });
      const edges = facts.edges.map((edge) => {
        const primary = edge.sample?.primary ?? null;
        return edge.sample === null || primary === null
          ? edge
          : { ...edge, sample: { ...edge.sample, primary: { ...primary, address: v4 } } };
      });
      const views = own.view.edges.map(
        (view, i): EdgeView => ({ ...view, facts: { ...view.facts, sample: edges[i].sample } }),
      );
      return { facts: { ...facts, edges }, own: { ...own, view: { ...own.view, edges: views } } };
    };
    const moved = (addresses: readonly string[]) => {
      const [own, ...others] = addresses.map((address, i) => at(NAMES[i], address));
      const memory = {
        ...own.facts.memory,
        lastLive: ['A'],
        answered: new Map([['A', { v4: '192.0.2.1', v6: null }]]),
      };
      const heard = others.map((other) => received(other.own.view));
      return mergeViews({ ...own.facts, memory }, own.own, heard, rule(3)).facts.edges[0].v4;
    };
    expect(moved(['192.0.2.9', '192.0.2.1', '192.0.2.1'])).toBe('192.0.2.1');
    expect(moved(['192.0.2.1', '192.0.2.9', '192.0.2.9'])).toBe('192.0.2.9');
    expect(moved(['192.0.2.7', '192.0.2.8', '192.0.2.1'])).toBe('192.0.2.1');
    expect(moved(['192.0.2.7', '192.0.2.8', '192.0.2.9'])).toBe('192.0.2.7');
  });

  test('canaries are judged like edges, and the killer counts those that enough see fail', () => {
    const words = (fetch: number) => ({
      edges: { A: {} },
      canaries: [canary('z.example', 'C', { fetch })],
      rules: { canaryKiller: 1 },
    });
    const of = (ups: readonly number[]) => {
      const [own, ...others] = ups.map((fetch, i) => vantage(NAMES[i], words(fetch)));
      return decideFacts(
        mergeViews(
          own.facts,
          own.own,
          others.map(({ view }) => received(view)),
          rule(3),
        ).facts,
      );
    };
    expect(of([10, 0.2, 0.2]).canaries[0].active).toMatchObject({ address: 'C' });
    expect(of([0.2, 10, 10]).canaries[0].active).toBeNull();
  });

  test('results in a row are counted by our own samples only', () => {
    const rules = { judge: { kind: 'rise_fall' as const, rise: 2, fall: 3 } };
    const own = vantage('ams', { edges: { A: { fetch: 10 } }, rules });
    const others = ['fra', 'lon'].map((name) => received(vantage(name, { edges: { A: {} }, rules }).view));
    const { facts } = mergeViews(own.facts, own.own, others, rule(3));
    expect(decideFacts(facts).memory.judged).toEqual(own.own.judged);
    expect([facts.edges[0].quorum?.up, own.own.judged.get('A')?.up]).toEqual([true, false]);
  });

  test('the history log has what is needed to decide and explain it again', () => {
    const { merged, decision } = live('duu', 'A');
    const record = decodeRecord(encodeRecord(merged, decision));
    expect(record?.facts.views).toEqual(merged.views);
    expect(record?.facts.edges.map(({ quorum }) => quorum)).toEqual(merged.edges.map(({ quorum }) => quorum));
    const again = record === null ? null : decideFacts(record.facts);
    expect([again?.live, again?.notes, again?.memory.agreed]).toEqual([
      decision.live,
      decision.notes,
      decision.memory.agreed,
    ]);
    const found = record === null ? null : explain([record], { only: null, interval: INTERVAL });
    const text = found === null ? '' : explanationText(found);
    expect(text).toContain('! suspect: A, down for 1 of 3: ams (timeout)\n');
  });
});

describe('peers', () => {
  const peers = (members: number, agreeing: number): MergeRule => {
    return { kind: 'peers', self: 'ams', members: NAMES.slice(0, members), interval: INTERVAL, agreeing };
  };
  // Each letter as above; `was`: what was believed.
  test.each<[string, string, number, boolean | null, boolean | null]>([
    ['G6: the peer does not see it', 'du', 1, true, true],
    ['G6: it does', 'dd', 1, true, false],
    ['G6: up again here only', 'ud', 1, false, false],
    ['G6: and there', 'uu', 1, false, true],
    ['G7: two of three', 'ddu', 1, true, false],
    ['G8: one peer is not two', 'dduuu', 2, true, true],
    ['G8: two are', 'dduud', 2, true, false],
    ['G10: the peers are dead', 'd-s', 1, true, true],
    ['a peer that is configured otherwise', 'dc', 1, true, true],
    ['nobody needs to be asked', 'd-', 0, true, false],
    ['our own line is silent', '0dd', 1, true, true],
    ['at the start it is taken to work where we see that', 'u-', 1, null, true],
    ['at the start nothing is believed that others would have to see', 'd-', 1, null, null],
  ])('%s (%s)', (_, pattern, agreeing, was, up) => {
    const memory = was === null ? {} : { agreed: new Map([['A', was]]) };
    const { facts, own, heard } = seen(pattern, { memory, last: 'A' });
    const merged = mergeViews(facts, own, heard, peers(pattern.length, agreeing)).facts;
    expect(merged.edges[0].quorum?.up).toBe(up);
    expect(merged.views.needed).toBe(1);
    // G9: what was taken out is put back by the same rule, however long ago it was.
    if (up !== null) expect(decideFacts(merged).memory.agreed?.get('A')).toBe(up);
  });
});

test('the middle of figures', () => {
  expect([median([]), median([3]), median([3, 1]), median([5, 1, 3])]).toEqual([null, 3, 2, 3]);
});
