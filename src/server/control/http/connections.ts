import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Guard } from '../../../system/guard.ts';
import { clientPrefix } from './client-prefix.ts';
import type { MeteredStream } from './metered-stream.ts';

/** Connections at most, all clients together. */
export const CONNECTIONS_MAX = 200;
/** Where the process may open few files: their share of these, but at least so many. */
export const CONNECTIONS_MIN = 4;
const SHARE_OF_DESCRIPTORS = 1 / 8;
/** Of all connections by one client: the others always find room. */
const PART_OF_ONE_CLIENT = 1 / 2;
/** Requests sent ahead on one connection that are answered; with the last of them the connection ends. */
export const PIPELINED_MAX = 16;
/** An answer that its client has not taken for so long may be cut off for somebody else's sake, milliseconds. */
const SLOW_READER_MS = 2000;

/** For the rest of an answer that has come to its end, milliseconds. */
export const ENDING_MS = 2000;

/** How many connections there may be in a process that may open so many files: an eighth, but at most 200. */
export function httpConnections(descriptors: number): number {
  return Math.min(CONNECTIONS_MAX, Math.max(CONNECTIONS_MIN, Math.floor(descriptors * SHARE_OF_DESCRIPTORS)));
}

export type Answer = (request: IncomingMessage, response: ServerResponse, isLast: boolean) => Promise<void>;

type Connection = {
  readonly socket: MeteredStream;
  readonly client: string;
  /** Since when it has waited for a request, or its answer for being taken (`performance.now()`). */
  since: number;
  readonly waiting: { readonly request: IncomingMessage; readonly response: ServerResponse }[];
  isBusy: boolean;
  /** Requests since the last one that came by itself, this included. */
  ahead: number;
  /** No further request is taken. */
  isClosing: boolean;
  /** Its answer does not end by itself: it counts as idle. */
  isEndless: boolean;
};

/**
 * The connections of the HTTP server. Each has one request answered at a time, whatever its client sends ahead. When
 * there are too many, idle ones give way, those of the client with the most of them first and the longest idle one of
 * these: a client that comes for `/healthz` and has one connection is the last to suffer. A connection that has sent
 * half a request counts as idle.
 */
export class Connections {
  private readonly answer: Answer;
  private readonly guard: Guard;
  private most: number;
  private mostPerClient: number;
  private readonly now: () => number;
  private readonly all = new Map<unknown, Connection>();
  /** Closed for the sake of others since the start. */
  evicted = 0;
  /** Turned away because every other one was at work. */
  refused = 0;

  /** `most`: connections in all; half of them by one client. */
  constructor(answer: Answer, guard: Guard, most: number, now: () => number = () => performance.now()) {
    this.answer = answer;
    this.most = most;
    this.mostPerClient = Math.floor(most * PART_OF_ONE_CLIENT);
    this.guard = guard;
    this.now = now;
  }

  get size(): number {
    return this.all.size;
  }

  /** So many from now on; of those there are, idle ones above it give way. */
  limit(most: number): void {
    if (most === this.most) return;
    this.most = most;
    this.mostPerClient = Math.floor(most * PART_OF_ONE_CLIENT);
    while (this.all.size > most) if (!this.evict(null)) return;
  }

  /** A new connection: makes room for it, or closes it. */
  add(socket: MeteredStream): void {
    const client = clientPrefix(socket.remoteAddress ?? '');
    const own = this.count(client);
    const isOver = own >= this.mostPerClient;
    if ((isOver || this.all.size >= this.most) && !this.evict(isOver ? client : null)) {
      this.refused++;
      socket.destroy();
      return;
    }
    this.all.set(socket, {
      socket,
      client,
      since: this.now(),
      waiting: [],
      isBusy: false,
      ahead: 0,
      isClosing: false,
      isEndless: false,
    });
    socket.once(
      'close',
      this.guard.protect('http', () => this.all.delete(socket)),
    );
  }

  /** A request that has been read. It is answered when those before it on its connection are. */
  request(request: IncomingMessage, response: ServerResponse): void {
    const connection = this.all.get(request.socket);
    // Requests behind the last one that is answered, or on a connection that was just evicted.
    if (connection === undefined || connection.isClosing) return;
    const isAlone = !connection.isBusy && connection.waiting.length === 0 && !connection.socket.isContinued;
    connection.waiting.push({ request, response });
    connection.ahead = isAlone ? 1 : connection.ahead + 1;
    if (connection.ahead >= PIPELINED_MAX) {
      connection.isClosing = true;
      connection.socket.hold();
    }
    this.next(connection);
  }

  /** The answer on this connection goes on until the client leaves. It gives way as if it were idle. */
  markEndless(socket: unknown): void {
    const connection = this.all.get(socket);
    if (connection === undefined) return;
    connection.isEndless = true;
    connection.isClosing = true;
  }

  /** Ends answers that go on: whoever still may asks again. */
  endStreams(): void {
    for (const { socket, isEndless } of this.all.values()) {
      if (!isEndless) continue;
      socket.setTimeout(ENDING_MS);
      socket.destroySoon();
    }
  }

  private next(connection: Connection): void {
    if (connection.isBusy) return;
    // Nobody reads what a client that has hung up had sent ahead.
    if (connection.socket.destroyed) connection.waiting.length = 0;
    const work = connection.waiting.shift();
    connection.since = this.now();
    if (work === undefined) return;
    connection.isBusy = true;
    const { request, response } = work;
    // When it is sent, or its client is gone.
    const done = this.guard.protect('http', () => {
      connection.isBusy = false;
      this.next(connection);
    });
    response.once('close', done);
    const isLast = connection.isClosing && connection.waiting.length === 0;
    this.answer(request, response, isLast).catch(() => connection.socket.destroy());
  }

  private count(client: string): number {
    let count = 0;
    for (const connection of this.all.values()) if (connection.client === client) count++;
    return count;
  }

  /** Closes one that can be spared, of this client or (null) of the one with the most; false: there is none. */
  private evict(client: string | null): boolean {
    const counts = new Map<string, number>();
    for (const connection of this.all.values()) counts.set(connection.client, (counts.get(connection.client) ?? 0) + 1);
    let chosen: Connection | null = null;
    for (const connection of this.all.values()) {
      if (client !== null && connection.client !== client) continue;
      if (connection.isBusy && !connection.isEndless && !this.isStuck(connection)) continue;
      if (chosen === null || isBefore(connection, chosen, counts)) chosen = connection;
    }
    if (chosen === null) return false;
    this.evicted++;
    this.all.delete(chosen.socket);
    chosen.socket.destroy();
    return true;
  }

  private isStuck({ socket, since }: Connection): boolean {
    return socket.writableLength > 0 && this.now() - since > SLOW_READER_MS;
  }
}

function isBefore(a: Connection, b: Connection, counts: ReadonlyMap<string, number>): boolean {
  const [ofA, ofB] = [counts.get(a.client) ?? 0, counts.get(b.client) ?? 0];
  return ofA === ofB ? a.since < b.since : ofA > ofB;
}
