import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LOG_LEVELS, withFields } from '../../src/system/log-events.ts';
import { formatRecord, LOG_FORMATS, type LogRecord } from '../../src/system/log-format.ts';
import { printable } from '../../src/system/printable.ts';
import { jsonLog } from '../support/log.ts';

const AT = Date.UTC(2026, 10, 29, 17, 5, 12, 34);
const RECORD: LogRecord = {
  level: 'warn',
  at: AT,
  pid: 7,
  text: 'mynet: held as it is',
  fields: { event: 'live_set.held', network: 'mynet', live: ['a', 'b'], wanted: 4, http: null, comment: 'new disk' },
};
const FIELDS = 'event=live_set.held network=mynet live=a,b wanted=4 comment="new disk"';

test('JSON: level, time, process, event and its fields, the sentence', () => {
  expect(formatRecord(RECORD, 'json', false)).toBe(
    '{"level":"warn","time":"2026-11-29T17:05:12.034Z","pid":7,"event":"live_set.held","network":"mynet",' +
      '"live":["a","b"],"wanted":4,"http":null,"comment":"new disk","msg":"mynet: held as it is"}\n',
  );
});

test.each([
  [0.21120742400000017, '0.211207'],
  [10, '10'],
  [1795984054.742, '1795984054.742'],
  [0.0000004, '0'],
])('a number of %d is written to the microsecond', (seconds, written) => {
  const record = { ...RECORD, fields: { event: 'zones.loaded', duration_seconds: seconds } };
  expect(formatRecord(record, 'json', false)).toContain(`"duration_seconds":${written},`);
  expect(formatRecord(record, 'text', false)).toMatch(new RegExp(`duration_seconds=${written}\n$`));
});

test('text: time of day, level, the sentence, the fields that are known', () => {
  const line = formatRecord(RECORD, 'text', false);
  expect(line).toMatch(/^\d\d:05:12 WARN {2}mynet: held as it is {2}event=/);
  expect(line).toContain(FIELDS);
  expect(formatRecord(RECORD, 'text', true)).toContain('\u001b[33mWARN \u001b[0m');
});

test.each([
  ['debug', 7],
  ['info', 6],
  ['warn', 4],
  ['error', 3],
] as const)('journald: %s has the priority %i', (level, priority) => {
  expect(formatRecord({ ...RECORD, level }, 'journald', true)).toBe(`<${priority}>mynet: held as it is  ${FIELDS}\n`);
});

test('a fault of several lines is one event: each further line is indented, and has its priority in the journal', () => {
  const record = { ...RECORD, text: 'a.zone:2:1: wrong\nwww IN A x\n       ^', fields: { event: 'zone.fault' } };
  expect(formatRecord(record, 'journald', false)).toBe(
    '<4>a.zone:2:1: wrong  event=zone.fault\n<4>    www IN A x\n<4>           ^\n',
  );
  expect(formatRecord(record, 'text', false).split('\n').slice(1)).toEqual(['    www IN A x', '           ^', '']);
});

describe('what strangers and peers cause', () => {
  test.each([
    ['an escape sequence', '\u001b[2Jx'],
    ['a line end and a forged priority', 'x\n<0>panic  event=server.stopped'],
    ['a carriage return', 'x\r17:05:12 ERROR forged'],
    ['a quote in a value', 'a" event="forged'],
  ])('%s makes no line of its own, and stays in the quotes of its field', (_, text) => {
    for (const format of ['text', 'journald'] as const) {
      const written = formatRecord({ ...RECORD, text, fields: { event: 'http.failed', comment: text } }, format, false);
      const lines = written.slice(0, -1).split('\n');
      expect(written.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
      for (const line of lines.slice(1)) expect(line).toMatch(/^(<4>)? {4}/);
      expect(lines[0]).toContain(`comment=${JSON.stringify(printable(text))}`);
    }
  });

  test.each([
    ['the one-octet escape sequence', '\u009b2Jx', '\\u009b2Jx'],
    ['a mark that reorders the line', 'a\u202egnp.b', 'a\\u202egnp.b'],
    ['an isolate and a line separator', '\u2066x\u2028y\u007f', '\\u2066x\\u2028y\\u007f'],
  ])('%s is an escape in JSON', (_, text, shown) => {
    const written = formatRecord({ ...RECORD, text, fields: { event: 'http.failed', comment: text } }, 'json', false);
    expect(written).toContain(`"comment":"${shown}"`);
    expect(JSON.parse(written)).toMatchObject({ comment: text, msg: text });
  });

  test('whatever it is', () => {
    const texts = fc.string({ unit: 'binary', maxLength: 60 });
    fc.assert(
      fc.property(
        texts,
        texts,
        fc.constantFrom(...LOG_FORMATS),
        fc.constantFrom(...LOG_LEVELS),
        (text, value, format, level) => {
          const written = formatRecord(
            { ...RECORD, level, text, fields: { event: 'http.failed', file: value } },
            format,
            false,
          );
          expect(written.endsWith('\n')).toBe(true);
          expect(written.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
          if (format === 'json')
            expect(JSON.parse(written)).toMatchObject({ event: 'http.failed', file: value, msg: text, level });
        },
      ),
    );
  });
});

test('a log with fields of its own has them in every line, after the event, and those of the line win', () => {
  const lines: string[] = [];
  const log = withFields(
    jsonLog((line) => lines.push(line), 'info'),
    { network: 'mynet' },
  );
  log('info', 'one', 'network.opened');
  log('error', 'two', { event: 'network.open_failed', network: 'other' });
  log('debug', 'left out', { event: 'edge.judged', edge: 'a' });
  expect(lines.map((line) => line.replace(/"time":"[^"]*","pid":\d+,/, ''))).toEqual([
    '{"level":"info","event":"network.opened","network":"mynet","msg":"one"}\n',
    '{"level":"error","event":"network.open_failed","network":"other","msg":"two"}\n',
  ]);
});
