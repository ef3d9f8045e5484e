import { describe, expect, test } from 'vitest';
import { readYaml } from '../../src/config/yaml-source.ts';

describe('plain text that YAML 1.1 takes for something else', () => {
  test.each<[string, unknown]>([
    ['.', '.'],
    ['-.', '-.'],
    ['e5', 'e5'],
    ['E10', 'E10'],
    ['y', 'y'],
    ['.nan', Number.NaN],
    ['.NaN', Number.NaN],
    ['.5', 0.5],
    ['5.', 5],
    ['1e3', 1000],
    ['yes', true],
  ])('the value %s', (text, value) => {
    expect(readYaml('x.yaml', `a: ${text}\nb: [${text}]\n`).value).toEqual({ a: value, b: [value] });
  });

  test.each(['.', 'e5', '1e3', '010', '0x1f', '1_0', '7', 'y'])('the key %s', (name) => {
    const source = readYaml('x.yaml', `first: 1\nnets: {a: 1, ${name}: here}\n`);
    expect(source.value).toEqual({ first: 1, nets: { a: 1, [name]: 'here' } });
    expect(source.spanOf(['nets', name], 'value')).toMatchObject({ line: 2, col: 14 + name.length + 2 });
  });
});
