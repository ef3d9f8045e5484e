import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CONTROL, ControlReader, controlFrame } from '../../../src/server/dnstap/frame-streams.ts';
import { SOCKET_TIMES, SocketOutput, type SocketTimes } from '../../../src/server/dnstap/socket-output.ts';
import { framesOf } from '../../support/dnstap.ts';

/** Soon again, and long waits for everything that a busy machine may delay. */
const TIMES: SocketTimes = {
  ...SOCKET_TIMES,
  handshakeMs: 40_000,
  stallMs: 40_000,
  finishMs: 10_000,
  firstMs: 5,
  maxMs: 20,
};

let folder = '';
let path = '';
let server: Server | null = null;
let output: SocketOutput | null = null;
const sockets = new Set<Socket>();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgewise-dnstap-'));
  path = join(folder, 'tap.sock');
});
afterEach(async () => {
  await output?.close();
  output = null;
  await unlisten();
  rmSync(folder, { recursive: true });
});

async function listen(serve: (socket: Socket, number: number) => void): Promise<void> {
  let number = 0;
  const made = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    serve(socket, number++);
  });
  server = made;
  await new Promise<void>((resolve) => made.listen(path, resolve));
}

async function unlisten(): Promise<void> {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  const listening = server;
  server = null;
  if (listening !== null) await new Promise((resolve) => listening.close(resolve));
}

/** What a receiver does: takes the handshake, keeps everything after it, answers STOP. */
function receive(socket: Socket, kept: Buffer[] = []): void {
  let begun = false;
  const reader = new ControlReader();
  socket.on('data', (chunk: Buffer) => {
    if (begun) {
      kept.push(chunk);
      if (chunk.subarray(-12).equals(controlFrame(CONTROL.stop))) socket.end(controlFrame(CONTROL.finish));
      return;
    }
    for (const control of reader.read(chunk)) {
      if ('error' in control) throw new Error(control.error);
      begun = control.type === CONTROL.start;
      if (control.type === CONTROL.ready) socket.write(controlFrame(CONTROL.accept));
    }
  });
}

function open(changes: Partial<SocketTimes> = {}): {
  states: (string | null)[];
  counts: { sent: number; lost: number };
  output: SocketOutput;
} {
  const states: (string | null)[] = [];
  const counts = { sent: 0, lost: 0 };
  const events = {
    onState: (state: string | null) => void states.push(state),
    onSent: (count: number) => {
      counts.sent += count;
    },
    onLost: (count: number) => {
      counts.lost += count;
    },
  };
  output = new SocketOutput(path, events, { ...TIMES, ...changes });
  return { states, counts, output };
}

const frame = (size: number, fill = 7): Buffer => {
  const octets = Buffer.alloc(4 + size, fill);
  octets.writeUInt32BE(size);
  return octets;
};

describe('a receiver that does as it should', () => {
  test('gets START, the frames, STOP, and its FINISH ends it', async () => {
    const kept: Buffer[] = [];
    await listen((socket) => receive(socket, kept));
    const { states, counts, output } = open();
    await expect.poll(() => states).toEqual([null]);
    expect(output.isOpen).toBe(true);
    output.write({ octets: Buffer.concat([frame(5), frame(6)]), count: 2 });
    output.write({ octets: frame(100_000), count: 1 });
    await output.close();
    expect(framesOf(Buffer.concat(kept))).toEqual([
      frame(5).subarray(4),
      frame(6).subarray(4),
      frame(100_000).subarray(4),
      CONTROL.stop,
    ]);
    expect(counts).toEqual({ sent: 3, lost: 0 });
    expect(states).toEqual([null]);
  });

  test('that comes later, goes, and comes back is found each time', async () => {
    const { states, output } = open();
    await expect.poll(() => states[0]).toBe('no such file');
    await listen((socket) => receive(socket));
    await expect.poll(() => states.at(-1)).toBe(null);
    await unlisten();
    await expect.poll(() => states).toContain('the receiver has gone');
    expect(output.isOpen).toBe(false);
    await listen((socket) => receive(socket));
    await expect.poll(() => states.at(-1)).toBe(null);
    expect(output.isOpen).toBe(true);
  });

  test('that ends the stream is connected to again', async () => {
    await listen((socket, number) => {
      receive(socket);
      if (number === 0) setTimeout(() => socket.write(controlFrame(CONTROL.finish)), 20);
    });
    const { states } = open();
    await expect.poll(() => states).toEqual([null, 'the receiver ended the stream', null]);
  });
});

/** What it does to a connection; and what is said of it. */
const BAD: readonly (readonly [what: string, serve: (socket: Socket) => void, said: RegExp])[] = [
  ['says nothing', () => undefined, /did not answer READY in 0\.1 s/],
  ['says nothing more after a part of ACCEPT', (socket) => socket.write(Buffer.alloc(7)), /did not answer READY/],
  ['hangs up', (socket) => socket.end(), /hung up|has gone/],
  ['resets', (socket) => socket.destroy(), /hung up|has gone/],
  ['speaks HTTP', (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'), /no receiver of dnstap/],
  [
    'sends rubbish without end',
    (socket) => {
      const more = (): void => {
        while (socket.writable && socket.write(Buffer.alloc(65_536, 0xee)));
      };
      socket.on('drain', more);
      more();
    },
    /no receiver of dnstap: what it sent is no control frame/,
  ],
  ['announces an endless frame', (socket) => socket.write(Buffer.from('00000000ffffffff', 'hex')), /4294967295 octets/],
  ['sends START', (socket) => socket.write(controlFrame(CONTROL.start)), /sent START when it should not/],
  ['sends FINISH first', (socket) => socket.write(controlFrame(CONTROL.finish)), /ended the stream/],
  [
    'takes another content only',
    (socket) => {
      const accept = controlFrame(CONTROL.accept);
      accept.write('X', accept.length - 1);
      socket.write(accept);
    },
    /takes no dnstap/,
  ],
  [
    'accepts twice',
    (socket) => socket.write(Buffer.concat([controlFrame(CONTROL.accept), controlFrame(CONTROL.accept)])),
    /sent ACCEPT when it should not/,
  ],
];

describe('who is no receiver', () => {
  test.each(BAD)('%s: it says so, and goes on with the next', async (_, serve, said) => {
    await listen((socket, number) => {
      if (number < 2) serve(socket);
      else receive(socket);
    });
    const { states, output } = open(said.source.includes('READY') ? { handshakeMs: 100 } : {});
    await expect.poll(() => states.at(-1) === null && output.isOpen && states.length > 2).toBe(true);
    expect(states.filter((state) => state !== null).length).toBeGreaterThan(1);
    for (const state of states) if (state !== null) expect(state).toMatch(said);
  });

  test('a file, and a path that is too long for a socket', async () => {
    writeFileSync(path, '');
    const { states } = open();
    await expect.poll(() => states[0]).toMatch(/nobody listens there|is no stream socket/);
    await output?.close();
    path = join(folder, 'x'.repeat(100));
    expect(open().states).toEqual(["a path of more than 107 octets cannot be a socket's"]);
  });
});

test('a receiver that does not read: memory is bounded, it is said, and what waited arrives when it reads', async () => {
  const kept: Buffer[] = [];
  await listen((socket) => {
    receive(socket, kept);
    // Each stall comes after START, which is read.
    socket.on('data', () => socket.pause());
    setTimeout(() => socket.resume(), 10);
  });
  const { states, counts, output } = open({ stallMs: 100 });
  await expect.poll(() => states).toEqual([null]);
  let written = 0;
  while (!output.isFull) {
    output.write({ octets: frame(65_536 - 4, written), count: 1 });
    written++;
    expect(written).toBeLessThan(100);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await expect.poll(() => states.at(-1)).toBe('the receiver has read nothing for 0.1 s');
  expect(output.isOpen).toBe(true);
  for (const socket of sockets) {
    socket.removeAllListeners('data');
    socket.on('data', (chunk: Buffer) => kept.push(chunk));
    socket.resume();
  }
  await expect.poll(() => counts.sent).toBe(written);
  await expect.poll(() => states.at(-1)).toBe(null);
  expect(output.isFull).toBe(false);
});

test('what was on its way to a receiver that goes is counted as lost', async () => {
  await listen((socket) => {
    receive(socket);
    socket.on('data', () => socket.pause());
    setTimeout(() => socket.resume(), 10);
  });
  const { states, counts, output } = open();
  await expect.poll(() => states).toEqual([null]);
  let written = 0;
  while (!output.isFull) {
    output.write({ octets: frame(65_532), count: 3 });
    written += 3;
    await new Promise((resolve) => setImmediate(resolve));
  }
  await unlisten();
  await expect.poll(() => counts.sent + counts.lost).toBe(written);
  expect(counts.lost).toBeGreaterThan(0);
});

test('closing does not wait for a receiver that does not answer STOP', async () => {
  await listen((socket) => {
    const reader = new ControlReader();
    socket.on('data', (chunk: Buffer) => {
      for (const control of reader.read(chunk)) {
        if ('type' in control && control.type === CONTROL.ready) socket.write(controlFrame(CONTROL.accept));
      }
    });
  });
  const { states, output } = open({ finishMs: 100 });
  await expect.poll(() => states).toEqual([null]);
  await output.close();
  expect(states).toEqual([null]);
});
