import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FileOutput } from '../../../src/server/dnstap/file-output.ts';
import { CONTROL } from '../../../src/server/dnstap/frame-streams.ts';
import { framesOf } from '../../support/dnstap.ts';

let folder = '';
let path = '';
const outputs: FileOutput[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgewise-dnstap-'));
  path = join(folder, 'queries.fstrm');
});
afterEach(async () => {
  for (const output of outputs.splice(0)) await output.close();
  vi.useRealTimers();
  rmSync(folder, { recursive: true });
});

function open(size = 1 << 20, versions = 2) {
  const states: (string | null)[] = [];
  const counts = { sent: 0, lost: 0 };
  const output = new FileOutput(
    { kind: 'file', path, size, versions },
    {
      onState: (state) => void states.push(state),
      onSent: (count) => {
        counts.sent += count;
      },
      onLost: (count) => {
        counts.lost += count;
      },
    },
  );
  outputs.push(output);
  return { output, states, counts };
}

function frames(fill: number, size = 10) {
  const octets = Buffer.alloc(4 + size, fill);
  octets.writeUInt32BE(size);
  return { octets, count: 1 };
}

/** The first octet of each frame, or what a control frame is. */
function content(file: string): (number | string)[] {
  const names = new Map<number, string>(Object.entries(CONTROL).map(([name, type]) => [type, name]));
  return framesOf(readFileSync(file)).map((frame) =>
    typeof frame === 'number' ? (names.get(frame) ?? '?') : frame[0],
  );
}

test('a file is START, frames, STOP, and readable by its owner and group alone', async () => {
  const { output, states, counts } = open();
  expect(states).toEqual([null]);
  output.write(frames(1));
  output.write(frames(2));
  expect(content(path)).toEqual(['start', 1, 2]);
  await output.close();
  expect(content(path)).toEqual(['start', 1, 2, 'stop']);
  expect(counts).toEqual({ sent: 2, lost: 0 });
  expect(statSync(path).mode & 0o7).toBe(0);
});

test('each start begins another; so many older ones are kept, each whole', async () => {
  for (const fill of [1, 2, 3, 4]) {
    const { output } = open();
    output.write(frames(fill));
    await output.close();
  }
  expect(readdirSync(folder).sort()).toEqual(['queries.fstrm', 'queries.fstrm.0', 'queries.fstrm.1']);
  expect([path, `${path}.0`, `${path}.1`].map(content)).toEqual([4, 3, 2].map((fill) => ['start', fill, 'stop']));
});

test('a file that has its size makes way; without versions it is replaced', async () => {
  const { output } = open(200, 0);
  for (let fill = 1; fill <= 3; fill++) output.write(frames(fill, 100));
  expect(content(path)).toEqual(['start', 3]);
  expect(readdirSync(folder)).toEqual(['queries.fstrm']);
  // What alone is larger than the size gets a file of its own.
  output.write(frames(9, 1000));
  expect(content(path)).toEqual(['start', 9]);
});

test('what is no regular file is left alone, and taken up once it is away', () => {
  vi.useFakeTimers();
  const target = join(folder, 'precious');
  writeFileSync(target, 'mine');
  symlinkSync(target, path);
  const { output, states } = open();
  expect(states).toEqual(['is no regular file, and is left as it is']);
  expect(output.isOpen).toBe(false);
  rmSync(path);
  vi.advanceTimersByTime(60_000);
  expect(states.at(-1)).toBe(null);
  expect(output.isOpen).toBe(true);
  expect(readFileSync(target, 'utf8')).toBe('mine');
  const other = open();
  expect(other.states).toEqual([null]);
});

test('a folder that is not there yet', () => {
  vi.useFakeTimers();
  path = join(folder, 'later', 'queries.fstrm');
  const { output, states, counts } = open();
  expect(states).toEqual(['no such file']);
  output.write(frames(1));
  expect(counts).toEqual({ sent: 0, lost: 1 });
  mkdirSync(join(folder, 'later'));
  vi.advanceTimersByTime(60_000);
  expect(states.at(-1)).toBe(null);
  output.write(frames(2));
  expect(content(path)).toEqual(['start', 2]);
});

test('a file that somebody moves or removes is ended, and the next begins under its name', () => {
  vi.useFakeTimers();
  const { output } = open();
  output.write(frames(1));
  renameSync(path, `${path}.moved`);
  vi.advanceTimersByTime(10_000);
  output.write(frames(2));
  expect(content(`${path}.moved`)).toEqual(['start', 1, 'stop']);
  expect(content(path)).toEqual(['start', 2]);
  rmSync(path);
  vi.advanceTimersByTime(10_000);
  expect(existsSync(path)).toBe(true);
});
