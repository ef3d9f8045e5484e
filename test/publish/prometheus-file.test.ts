import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type Metric,
  metricPrefix,
  metricPrefixes,
  metricsOf,
  PROMETHEUS_FILE,
  withSection,
  writePrometheusFile,
} from '../../src/publish/prometheus-file.ts';
import { decision } from './decision-fixture.ts';

describe("names are edgemanage's where it has any", () => {
  test.each([
    ['edge1.example.net', 'edge1_example_net'],
    ['127.0.0.1', 'md5f52876'], // edgemanage 3.1.0 hashes addresses, which no metric name can begin with
    ['192.0.2.1', 'md5d0f88d'],
    ['edge-1.example.net', 'edge_1_example_net'],
    ['1st.example.net', '_1st_example_net'],
    ['2001:db8::1', 'md51d64d1'],
    ['::1', 'md5837ec5'],
  ])('%s', (edge, expected) => {
    expect(metricPrefix(edge)).toBe(expected);
    expect(metricPrefix(edge)).toMatch(/^[a-zA-Z_]\w*$/);
  });
});

describe('names that would be one metric are told apart', () => {
  test.each<readonly [string, readonly string[]]>([
    ['dot and hyphen', ['a.b', 'a-b']],
    ['three ways to spell it', ['a_b', 'a.b', 'a-b']],
    ['one edge listed twice', ['a.b', 'a.b']],
    ['nothing in common', ['a.test', '127.0.0.1']],
  ])('%s', (_, edges) => {
    const prefixes = metricPrefixes(edges);
    expect(new Set(prefixes.values()).size).toBe(new Set(edges).size);
    for (const edge of edges)
      expect(prefixes.get(edge)).toMatch(new RegExp(`^${metricPrefix(edge)}(_md5[0-9a-f]{6})?$`));
    expect(prefixes.get([...edges].sort()[0])).toBe(metricPrefix([...edges].sort()[0]));
    expect(metricPrefixes([...edges].reverse())).toEqual(prefixes);
  });

  test('no sample is repeated in the file', () => {
    const names = metricsOf(decision('n', { 'a-b.test': 0.2, 'a.b.test': 0.3, a_b_test: 10 }), ['a.b.test']).map(
      ({ name }) => name,
    );
    expect(new Set(names).size).toBe(names.length);
    expect(names).toHaveLength(15);
  });
});

test('an edge has its figures, what is unknown has none', () => {
  expect(metricsOf(decision('n', { a: 0.25, b: 10, c: null }), ['a'])).toEqual([
    { name: 'a_response_time', value: 0.25 },
    { name: 'a_average_time', value: 0.25 },
    { name: 'a_timeslice', value: -1 },
    { name: 'a_reachable_status', value: 1 },
    { name: 'a_in_rotation', value: 1 },
    { name: 'b_response_time', value: 10 },
    { name: 'b_average_time', value: 10 },
    { name: 'b_timeslice', value: -1 },
    { name: 'b_reachable_status', value: 0 },
    { name: 'b_in_rotation', value: 0 },
    { name: 'c_in_rotation', value: 0 },
  ]);
});

describe('networks share the file', () => {
  const metric = (name: string, value: number): Metric => ({ name, value });
  const values = (text: string): readonly string[] => text.split('\n').filter((line) => /^\w/.test(line));

  test('each replaces its own section only', () => {
    const one = withSection('', 'one', [metric('a_in_rotation', 1)]);
    const two = withSection(one, 'two', [metric('b_in_rotation', 0)]);
    const again = withSection(two, 'one', [metric('a_in_rotation', 0.5)]);
    expect(values(again)).toEqual(['a_in_rotation 0.5', 'b_in_rotation 0']);
  });

  test('an edge of two networks stands once', () => {
    const one = withSection('', 'one', [metric('a_in_rotation', 1)]);
    expect(values(withSection(one, 'two', [metric('a_in_rotation', 0)]))).toEqual(['a_in_rotation 0']);
  });

  test("edgemanage's own file is replaced", () => {
    const original = '# HELP a_in_rotation \n# TYPE a_in_rotation gauge\na_in_rotation 1.0\n';
    expect(values(withSection(original, 'one', [metric('b_in_rotation', 0)]))).toEqual(['b_in_rotation 0']);
  });
});

describe('the file', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'edgewise-prometheus-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test('has the figures of two networks', async () => {
    await writePrometheusFile(folder, decision('one', { 'a.test': 0.2, '127.0.0.1': 10 }), ['a.test']);
    await writePrometheusFile(folder, decision('two', { 'b.test': 0.2 }), ['b.test']);
    const text = await readFile(join(folder, PROMETHEUS_FILE), 'utf8');
    expect(text.match(/^# TYPE/gm)).toHaveLength(15);
  });

  test('cannot be written where the folder is missing', async () => {
    await writeFile(join(folder, 'file'), '');
    await expect(writePrometheusFile(join(folder, 'missing'), decision('n', {}), [])).rejects.toThrow(/ENOENT/);
    await expect(writePrometheusFile(join(folder, 'file'), decision('n', {}), [])).rejects.toThrow(/ENOTDIR/);
  });
});
