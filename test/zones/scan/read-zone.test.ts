import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { formatFault } from '../../../src/system/fault.ts';
import { RecordStore } from '../../../src/zones/records/record-store.ts';
import { printStored } from '../../../src/zones/write/print-record.ts';
import { readText, recordLines, wireName } from '../../support/read-zone.ts';
import { GENERATE_FILES } from '../fixtures/reader/generate-files.ts';
import { HEAD, HEAD_LINES, HEAD_RECORDS, MASTER_FILES, type MasterFile } from '../fixtures/reader/master-files.ts';

const includeRoot = fileURLToPath(new URL('../fixtures/reader', import.meta.url));

function check({ text, whole, records, faults }: MasterFile): void {
  const result = readText(whole === true ? text : HEAD + text, { includeRoot });
  expect(recordLines(result).slice(whole === true ? 0 : HEAD_RECORDS)).toEqual(records);
  const found = result.faults.map(({ at, severity, code }) => {
    const outer = at?.file === 'test.zone';
    const file = outer ? '' : `${at?.file.split('/').at(-1)}:`;
    const line = (at?.line ?? 0) - (outer && whole !== true ? HEAD_LINES : 0);
    return `${file}${line}:${at?.col} ${severity === 'warning' ? 'warning ' : ''}${code}`;
  });
  expect(found).toEqual(faults);
}

test('UTF-8 in a zone file is octets, as in BIND', () => {
  const { store, faults } = readText(Buffer.from('$TTL 1\nb\u00fccher TXT "\u0151"\n'));
  expect(faults).toEqual([]);
  expect(printStored(store, 0)).toBe('b\\195\\188cher.example.\t1\tIN\tTXT\t"\\197\\145"');
});

describe('master files', () => {
  test.each(MASTER_FILES)('$name', check);
});

describe('$GENERATE', () => {
  test.each(GENERATE_FILES)('$name', check);

  test('a range that would make too many records is a fault', () => {
    const { store, faults } = readText(`${HEAD}$GENERATE 0-1048576 a$ A 192.0.2.1\n`);
    expect(store.size).toBe(HEAD_RECORDS);
    expect(faults.map(({ code }) => code)).toEqual(['too-many-generated']);
  });

  const generated = { limits: { records: 100, generated: 10, octets: 1000 } };

  test.each([
    [
      'three lines together',
      '$GENERATE 1-5 a$ A 192.0.2.$\n$GENERATE 1-5 b$ A 192.0.2.$\n$GENERATE 1-1 c$ A 192.0.2.$\n',
      [3],
    ],
    ['steps count what they make', '$GENERATE 1-100/10 a$ A 192.0.2.1\n', []],
    ['a line that is refused counts nothing', '$GENERATE 1-11 a$ A 192.0.2.1\n$GENERATE 1-10 b$ A 192.0.2.1\n', [1]],
    ['lines after it are read', '$GENERATE 1-11 a$ A 192.0.2.1\nx y\n', [1, 2]],
    ['the largest numbers', '$GENERATE 0-2147483647 a$ A 192.0.2.1\n', [1]],
  ])('a zone has a limit of them: %s', (_name, text, lines) => {
    const { faults } = readText(`$TTL 1\n${text}`, generated);
    expect(faults.map(({ at }) => (at?.line ?? 0) - 1)).toEqual(lines);
    if (lines.length > 0) expect(faults[0]).toMatchObject({ code: 'too-many-generated', at: { col: 11 } });
  });

  test('counts in what is included too', () => {
    const include = (): { ok: true; text: Buffer } => ({
      ok: true,
      text: Buffer.from('$GENERATE 1-5 b$ A 192.0.2.$\n'),
    });
    const text = '$TTL 1\n$GENERATE 1-4 a$ A 192.0.2.$\n$INCLUDE b\n$INCLUDE c\n';
    const { faults } = readText(text, { ...generated, includeRoot: '/zones', include });
    expect(faults.map(({ code, at }) => [code, at?.file, at?.line])).toEqual([['too-many-generated', '/zones/c', 1]]);
  });

  test('a fault says which number it is about', () => {
    const { faults } = readText(`${HEAD}$GENERATE 254-257 a$ A 192.0.2.$\n`);
    expect(faults.map(({ message }) => message)).toEqual([
      'with $ = 256: "192.0.2.256" is not an IPv4 address such as 192.0.2.1',
    ]);
  });
});

describe('what the caller gives', () => {
  test('default TTL and initial owner', () => {
    const result = readText(' A 192.0.2.1\nb 60 A 192.0.2.2\nc A 192.0.2.3\n', {
      defaultTtl: 300,
      initialOwner: wireName('example.'),
    });
    expect(result.faults).toEqual([]);
    expect(recordLines(result)).toEqual([
      'example. 300 A 192.0.2.1',
      'b.example. 60 A 192.0.2.2',
      'c.example. 60 A 192.0.2.3', // RFC 1035 §5.1: the last stated one, as a file included by BIND would have it
    ]);
  });

  test('records go after those of the store given', () => {
    const into = new RecordStore();
    into.files.push('made');
    into.add(into.names.intern(wireName('example.')), 2, 300, wireName('ns.example.'), 0, 12);
    const result = readText('\nexample. 1 A 192.0.2.1\n', { into });
    expect(result.store).toBe(into);
    expect(recordLines(result)).toEqual(['example. 300 NS ns.example.', 'example. 1 A 192.0.2.1']);
    expect(into.files).toEqual(['made', 'test.zone']);
    expect([into.fileOf(1), into.lineOf(1)]).toEqual([1, 2]);
    expect(into.names.size).toBe(1);
  });

  test('a multi-line record has the line it begins on', () => {
    const { store } = readText('$TTL 1\n\na TXT (\n x\n y )\nb A 192.0.2.1\n');
    expect([store.lineOf(0), store.lineOf(1)]).toEqual([3, 6]);
  });
});

describe('$INCLUDE', () => {
  const files = (contents: Readonly<Record<string, string>>) => ({
    includeRoot: '/zones',
    include: (path: string) => {
      const text = contents[path];
      return text === undefined
        ? ({ ok: false, message: 'no such file' } as const)
        : ({ ok: true, text: Buffer.from(text) } as const);
    },
  });
  const codes = (text: string, contents: Readonly<Record<string, string>> = {}): string[] =>
    readText(`$TTL 1\n${text}`, files(contents)).faults.map(({ code }) => code);

  test.each([
    ['$INCLUDE ../secret\n', 'include-outside'],
    ['$INCLUDE /etc/passwd\n', 'include-outside'],
    ['$INCLUDE a/../../secret\n', 'include-outside'],
    ['$INCLUDE /zonesX/a\n', 'include-outside'],
    ['$INCLUDE .\n', 'include-outside'],
    ['$INCLUDE missing\n', 'include-unreadable'],
    ['$INCLUDE /shared\n', 'include-outside'],
  ])('%s', (text, code) => {
    expect(codes(text)).toEqual([code]);
  });

  test('an absolute path inside the folder, and a name that begins with dots', () => {
    const contents = { '/zones/a': 'a A 192.0.2.1\n', '/zones/..b': 'b A 192.0.2.2\n' };
    const result = readText('$TTL 1\n$INCLUDE /zones/a\n$INCLUDE ..b\n', files(contents));
    expect(recordLines(result)).toEqual(['a.example. 1 A 192.0.2.1', 'b.example. 1 A 192.0.2.2']);
    expect(result.includes).toEqual(['/zones/a', '/zones/..b']);
  });

  test.each([
    ['$INCLUDE ../x ; comment', 10],
    ['$INCLUDE "../x y" sub', 11],
    ['$INCLUDE\t( ../x\n sub )', 12],
    ['$INCLUDE missing sub', 10],
    ['$INCLUDE "miss; (ing"', 11],
  ])('%s: the fault is at the name, and the next line is read', (line, col) => {
    const { faults, store } = readText(`$TTL 1\n${line}\na A 192.0.2.1\n`, files({}));
    expect(faults.map(({ at }) => [at?.line, at?.col])).toEqual([[2, col]]);
    expect(store.size).toBe(1);
  });

  test('include_dirs names more folders; relative paths still start from the zone’s own', () => {
    const contents = { '/zones/a': 'a A 192.0.2.1\n', '/shared/b': 'b A 192.0.2.2\n$INCLUDE a\n' };
    const more = { ...files(contents), includeDirs: ['/elsewhere', '/shared'] };
    const found = readText('$TTL 1\n$INCLUDE /shared/b\n$INCLUDE ../shared/b\n', more);
    expect(found.faults).toEqual([]);
    expect(found.includes).toEqual(['/shared/b', '/zones/a']);
    for (const name of ['/sharedX/b', '/shared', '/shared/../secret', '../secret']) {
      const { faults } = readText(`$TTL 1\n$INCLUDE ${name}\n`, more);
      expect(faults.map(({ code, message }) => [code, message.includes('include_dirs')])).toEqual([
        ['include-outside', true],
      ]);
    }
  });

  test('without a folder it is refused', () => {
    expect(readText('$INCLUDE a\n').faults.map(({ code }) => code)).toEqual(['include-outside']);
  });

  test('a cycle is a fault in the file that closes it', () => {
    const contents = { '/zones/a': '$INCLUDE b\n', '/zones/b': 'x A 192.0.2.1\n$INCLUDE a\ny A 192.0.2.2\n' };
    const result = readText('$TTL 1\n$INCLUDE a\n', files(contents));
    expect(result.faults.map(({ code, at }) => [code, at?.file, at?.line])).toEqual([['include-cycle', '/zones/b', 2]]);
    expect(result.store.size).toBe(2);
  });

  test('depth is limited', () => {
    const contents = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`/zones/${i}`, `$INCLUDE ${i + 1}\n`]));
    expect(codes('$INCLUDE 0\n', contents)).toEqual(['include-depth']);
  });

  test('files that include each other twice end at a limit', () => {
    const twice = (name: string) => `$INCLUDE ${name}\n`.repeat(2);
    const contents = Object.fromEntries(Array.from({ length: 19 }, (_, i) => [`/zones/${i}`, twice(`${i + 1}`)]));
    const faults = readText(twice('0'), files({ ...contents, '/zones/19': 'x 1 A 192.0.2.1\n' })).faults;
    expect(faults.at(0)?.code).toBe('include-depth');
    expect(faults.length).toBeLessThanOrEqual(101);
  });

  test('files asked for are listed once, the missing ones too', () => {
    const result = readText('$TTL 1\n$INCLUDE a\n$INCLUDE a\n$INCLUDE b\n', files({ '/zones/a': '; nothing\n' }));
    expect(result.includes).toEqual(['/zones/a', '/zones/b']);
  });
});

describe('faults', () => {
  test('show the line with a caret, tabs kept', () => {
    const [fault] = readText('$TTL 1\n\twww\tA\t192.0.2\n', { initialOwner: wireName('example.') }).faults;
    expect(formatFault(fault)).toBe(
      'test.zone:2:2: error: unknown-type: "www" is no record type\n\twww\tA\t192.0.2\n\t^',
    );
  });

  test('count columns in characters and hide control characters', () => {
    const [fault] = readText(Buffer.from('$TTL 1\nüé TXT "\u001b[2J" A "\n')).faults;
    expect(fault.at).toEqual({ file: 'test.zone', line: 2, col: 17, text: 'üé TXT "\ufffd[2J" A "' });
  });

  test('are bounded, the rest is counted', () => {
    const { faults } = readText('x FOO\n'.repeat(250));
    expect(faults).toHaveLength(101);
    expect(faults.at(-1)).toEqual({
      severity: 'error',
      code: 'too-many-faults',
      at: null,
      message: 'and 150 more errors',
    });
  });

  test('a long line is cut', () => {
    const [fault] = readText(`$TTL 1\na A x ${'y'.repeat(10_000)}\n`).faults;
    expect(fault.at?.text.length).toBe(400);
  });

  test('a line that is wrong far to the right is left out', () => {
    const [fault] = readText(`$TTL 1\na TXT ${'y '.repeat(1000)} "\n`).faults;
    expect(fault.at).toEqual({ file: 'test.zone', line: 2, col: 2008, text: '' });
  });

  test('a file that is one line is read in no time', () => {
    const text = `$TTL 1\na A ${'1.2.3 '.repeat(300_000)}\r${'b A 1.2.3\r'.repeat(200_000)}`;
    const { faults } = readText(text);
    expect(faults.length).toBe(101);
    expect(faults[1].at).toEqual({ file: 'test.zone', line: 2, col: 1_800_010, text: '' });
  });

  test('rdata over 65535 octets', () => {
    const { faults } = readText(`$TTL 1\na TXT ${'x '.repeat(40_000)}\nb OPENPGPKEY ${'A'.repeat(100_000)}\n`);
    expect(faults.map(({ code }) => code)).toEqual(['rdata-too-long', 'rdata-too-long']);
  });
});

describe('limits of a zone', () => {
  const limits = { records: 3, generated: 1000, octets: 200 };
  const rest = 'c A 192.0.2.3\nd A 192.0.2.4\ne A x\n';

  test.each([
    ['records', `a A 192.0.2.1\nb A 192.0.2.2\n${rest}`, 5, 3],
    ['records of $GENERATE', `$GENERATE 1-9 a$ A 192.0.2.$\n${rest}`, 2, 3],
    ['octets', `a TXT ${'x'.repeat(99)}\nb TXT ${'y'.repeat(99)}\n${rest}`, 3, 1],
    [
      'octets of names',
      `${'a'.repeat(63)}.${'b'.repeat(63)} A 192.0.2.1\n${'c'.repeat(63)} A 192.0.2.2\n${rest}`,
      3,
      1,
    ],
  ])('over %s is one fault, and reading ends there', (_name, text, line, size) => {
    const { store, faults } = readText(`$TTL 1\n${text}`, { limits });
    expect(faults.map(({ code, at }) => [code, at?.line])).toEqual([['too-large', line]]);
    expect(faults[0].message).toContain('zone_limits');
    expect(store.size).toBe(size);
  });

  test('ends what included the file, too', () => {
    const include = () =>
      ({ ok: true, text: Buffer.from('a A 192.0.2.1\nb A 192.0.2.2\nc A 192.0.2.3\nd A x\n') }) as const;
    const { faults } = readText('$TTL 1\nx A 192.0.2.9\n$INCLUDE f\ny A x\n', { limits, includeRoot: '/z', include });
    expect(faults.map(({ code, at }) => [code, at?.file, at?.line])).toEqual([['too-large', '/z/f', 3]]);
  });
});
