import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sparkline } from '../../../../src/server/control/page/sparkline.ts';

const rules = { goodenough: 0.7, timeout: 10, now: 1000 };

test('fetch times are a line, failures bars, and both are told in words', () => {
  const { text } = sparkline({ ...rules, samples: { times: [700, 800, 900, 1000], seconds: [0.2, 0.3, 10, 0.4] } });
  expect(text).toContain('aria-label="4 fetches in 5 min, 0.200 to 0.400 s, 1 failed"');
  expect(text.match(/<path class="f" d="([^"]*)"/)?.[1].match(/M/g)).toHaveLength(1);
  expect(text.match(/<path class="l" d="([^"]*)"/)?.[1].match(/M/g)).toHaveLength(2);
});

test('without samples there is no chart', () => {
  expect(sparkline({ ...rules, samples: { times: [], seconds: [] } }).text).not.toContain('svg');
});

test('the judge window is shaded, all of it where all samples are in it', () => {
  const { text } = sparkline({ ...rules, samples: { times: [900, 1000], seconds: [0.2, 0.3] } });
  expect(text).toContain('<rect class="w" x="2.0"');
});

test('every figure is within the picture', () => {
  const sample = fc.tuple(fc.integer({ min: 0, max: 100_000 }), fc.double({ min: 0, max: 20, noNaN: true }));
  fc.assert(
    fc.property(fc.array(sample, { minLength: 1, maxLength: 40 }), (samples) => {
      const sorted = samples.toSorted(([a], [b]) => a - b);
      const times = sorted.map(([at]) => at);
      const { text } = sparkline({ ...rules, samples: { times, seconds: sorted.map(([, seconds]) => seconds) } });
      const figures = [...text.matchAll(/ d="([^"]*)"/g)].flatMap(([, path]) => path.match(/[\d.]+/g) ?? []);
      for (const figure of figures) {
        expect(Number(figure)).toBeGreaterThanOrEqual(0);
        expect(Number(figure)).toBeLessThanOrEqual(120);
      }
      expect(text).not.toContain('NaN');
    }),
  );
});
