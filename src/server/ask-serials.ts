import { randomInt } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { addressKey } from '../config/address.ts';
import type { Endpoint } from '../config/types.ts';
import { lowerName, type WireName, wireFromName } from '../zones/name.ts';
import { nameEnd, recordEnd } from './decode.ts';
import { CLASS, HEADER_LENGTH, TYPE } from './message.ts';

type Waiting = {
  readonly addressKey: string | null;
  readonly port: number;
  readonly zone: WireName;
  readonly resolve: (serial: number) => void;
  readonly reject: (error: Error) => void;
};
type Outlet = { readonly socket: Socket; readonly waiting: Map<number, Waiting>; closing: boolean };

/** Questions on one socket: few enough that free identifiers are found at once. */
const QUESTIONS_MAX = 1000;
/** Then the next ones leave from another port, so that nobody learns a port to forge answers to (RFC 5452 §9.2). */
const PORT_MS = 1000;

/**
 * Asks name servers for zones' serials over UDP, many questions from one socket: a socket of its own for each
 * would take five times as long, which counts where ten thousand zones are asked for all the time.
 */
export class SerialQuestions {
  private readonly timeoutMs: number;
  private readonly outlets: Record<'udp4' | 'udp6', Outlet | null> = { udp4: null, udp6: null };

  constructor(timeoutMs: number) {
    this.timeoutMs = timeoutMs;
  }

  /** Rejects with what a person should know. */
  ask({ address, port }: Endpoint, zone: WireName): Promise<number> {
    const outlet = this.outlet(address.includes(':') ? 'udp6' : 'udp4');
    let id = randomInt(65_536);
    while (outlet.waiting.has(id)) id = randomInt(65_536);
    return new Promise<number>((resolve, reject) => {
      const timer = setTimeout(() => fail(new Error('no answer over UDP')), this.timeoutMs);
      const done = (): void => {
        clearTimeout(timer);
        outlet.waiting.delete(id);
        closeIfDone(outlet);
      };
      const fail = (error: Error): void => {
        done();
        reject(error);
      };
      const found = (serial: number): void => {
        done();
        resolve(serial);
      };
      outlet.waiting.set(id, { addressKey: addressKey(address), port, zone, resolve: found, reject: fail });
      outlet.socket.send(question(id, zone), port, address, (error) => {
        if (error !== null) fail(error);
      });
    });
  }

  /** What is still on its way is answered to nobody. */
  stop(): void {
    for (const outlet of Object.values(this.outlets)) {
      for (const { reject } of outlet?.waiting.values() ?? []) reject(new Error('stopped'));
    }
    for (const family of ['udp4', 'udp6'] as const) this.leave(family);
  }

  private outlet(family: 'udp4' | 'udp6'): Outlet {
    const open = this.outlets[family];
    if (open !== null && open.waiting.size < QUESTIONS_MAX) return open;
    if (open !== null) this.leave(family);
    const outlet: Outlet = { socket: createSocket(family), waiting: new Map(), closing: false };
    this.outlets[family] = outlet;
    outlet.socket.on('message', (message, from) => receive(outlet, new Uint8Array(message), from));
    outlet.socket.on('error', (error) => {
      if (this.outlets[family] === outlet) this.leave(family);
      for (const { reject } of outlet.waiting.values()) reject(error);
    });
    setTimeout(() => {
      if (this.outlets[family] === outlet) this.leave(family);
    }, PORT_MS).unref();
    return outlet;
  }

  /** New questions take another socket; this one goes when its own are answered. */
  private leave(family: 'udp4' | 'udp6'): void {
    const outlet = this.outlets[family];
    if (outlet === null) return;
    this.outlets[family] = null;
    outlet.closing = true;
    closeIfDone(outlet);
  }
}

function closeIfDone(outlet: Outlet): void {
  if (outlet.closing && outlet.waiting.size === 0) outlet.socket.close();
}

function receive({ waiting }: Outlet, message: Uint8Array, from: { address: string; port: number }): void {
  const end = message.length < HEADER_LENGTH ? -1 : nameEnd(message, HEADER_LENGTH, message.length);
  const asked = waiting.get((message[0] << 8) | message[1]);
  if (asked === undefined || end < 0 || end + 4 > message.length) return;
  // A pointer in the question's name points nowhere: `lowerName` wants it written out.
  if (!isWhole(message, end) || lowerName(message, HEADER_LENGTH) !== asked.zone) return;
  if (asked.port !== from.port || asked.addressKey !== addressKey(from.address.replace(/%.*$/, ''))) return;
  const serial = readSerial(message, end + 4);
  if (typeof serial === 'number') asked.resolve(serial);
  else asked.reject(new Error(serial));
}

function isWhole(message: Uint8Array, end: number): boolean {
  let at = HEADER_LENGTH;
  while (message[at] !== 0 && message[at] < 0x40) at += 1 + message[at];
  return at === end - 1 && message[4] === 0 && message[5] === 1;
}

/** The serial in the answer's SOA, or what is wrong. `start`: behind the question. */
function readSerial(message: Uint8Array, start: number): number | string {
  const { length } = message;
  const u16 = (at: number): number => (message[at] << 8) | message[at + 1];
  const isAnswer = (message[2] & 0xf8) === 0x80;
  if (!isAnswer) return 'answered with something that is no answer';
  const rcode = message[3] & 0xf;
  if (rcode !== 0) return `answered with rcode ${rcode}`;
  let at = start;
  for (let left = u16(6); left > 0; left--) {
    const fields = nameEnd(message, at, length);
    const next = fields < 0 ? -1 : recordEnd(message, fields, length);
    if (next < 0) return 'answered with something that cannot be read';
    at = next;
    if (u16(fields) !== TYPE.soa) continue;
    const primary = nameEnd(message, fields + 10, next);
    const numbers = primary < 0 ? -1 : nameEnd(message, primary, next);
    if (numbers < 0 || numbers + 20 !== next) return 'answered with something that cannot be read';
    if ((message[2] & 4) === 0) return 'answered without authority';
    return (u16(numbers) * 2 ** 16 + u16(numbers + 2)) >>> 0;
  }
  return 'answered without an SOA';
}

function question(id: number, zone: WireName): Uint8Array {
  const name = wireFromName(zone);
  return Uint8Array.from([id >>> 8, id & 255, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...name, 0, TYPE.soa, 0, CLASS.in]);
}
