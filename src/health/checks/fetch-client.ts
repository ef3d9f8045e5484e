import type { Socket } from 'node:net';
import { Client } from 'undici';
import { MAX_HEADER_OCTETS } from './fetch-fail.ts';

/** Opens a socket and hands it over once it may be written to. */
export type Connect = (ready: (socket: Socket) => void) => void;

/** What undici needs an origin for is done here instead (dial, Host); parsing one for each hop would be in vain. */
const PLAIN = new URL('http://edge');
const SECURE = new URL('https://edge');

/** Clients that wait for their next connection; no more than were ever needed at a time. */
const IDLE = { plain: [] as OneShotClient[], secure: [] as OneShotClient[] };

/**
 * An undici client that is used for one request over one connection at a time, whoever it leads to: making one for each
 * fetch would be a tenth of the work, and of the garbage that stops the loop while it is collected.
 */
export class OneShotClient {
  readonly client: Client;
  readonly #idle: OneShotClient[];
  #connect: Connect = () => {};

  private constructor(secure: boolean) {
    this.#idle = secure ? IDLE.secure : IDLE.plain;
    this.client = new Client(secure ? SECURE : PLAIN, {
      pipelining: 0, // says `Connection: close`
      // One deadline over everything is the caller's; undici's own timers would only cost.
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: MAX_HEADER_OCTETS,
      connect: (_options, callback) => this.#connect((socket) => callback(null, socket)),
    });
  }

  /** One that is free; its next connection is opened by `connect`. */
  static take(secure: boolean, connect: Connect): OneShotClient {
    const taken = (secure ? IDLE.secure : IDLE.plain).pop() ?? new OneShotClient(secure);
    taken.#connect = connect;
    return taken;
  }

  /** After its socket closed. One that still waits for something (a connection that never came) is left to the collector. */
  giveBack(): void {
    this.#connect = () => {};
    const { size, connected } = this.client.stats;
    if (size === 0 && !connected) this.#idle.push(this);
  }
}
