/** Echo requests of many checks over one socket a family, and their replies (RFC 792, RFC 4443 §4). */
import { randomFillSync } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { addressKey } from '../../system/address.ts';
import type { IcmpEvents, IcmpProblem, IcmpSocket, IpFamily } from '../../system/icmp-socket.ts';

const REQUEST = { 4: 8, 6: 128 } as const;
const REPLY = { 4: 0, 6: 129 } as const;
const HEADER = 8;
/** Random octets behind the header, which only the edge sees: without them anybody could forge a reply. */
const TOKEN = 16;
/** Requests of one family that wait for their reply; half of the 65536 sequence numbers. */
const OUTSTANDING_MAX = 32_768;

export type EchoReply = { readonly identifier: number; readonly sequence: number; readonly token: Uint8Array };

/** An echo request; the kernel writes checksum and identifier. */
export function echoRequest(family: IpFamily, sequence: number, token: Uint8Array): Uint8Array {
  return Uint8Array.from([REQUEST[family], 0, 0, 0, 0, 0, sequence >>> 8, sequence & 255, ...token]);
}

/** Null: no echo reply, or none to a request of ours: they come back with the length they had. */
export function readEchoReply(octets: Uint8Array, family: IpFamily): EchoReply | null {
  if (octets.length !== HEADER + TOKEN || octets[0] !== REPLY[family] || octets[1] !== 0) return null;
  const identifier = (octets[4] << 8) | octets[5];
  return { identifier, sequence: (octets[6] << 8) | octets[7], token: octets.subarray(HEADER) };
}

/** One of the two is called, once. */
export type EchoEvents = {
  readonly answered: () => void;
  /** The request could not be sent, or its reply cannot be received. */
  readonly failed: (error: Error) => void;
};

type Waiting = EchoEvents & { readonly address: string | null; readonly token: Uint8Array };

export type OpenIcmp = (family: IpFamily, events: IcmpEvents) => Promise<IcmpSocket | IcmpProblem>;

/** The requests of one family that wait for their replies, by sequence number. */
export class EchoSender {
  private readonly family: IpFamily;
  private readonly open: OpenIcmp;
  private opening: Promise<IcmpSocket | IcmpProblem> | null = null;
  private socket: IcmpSocket | null = null;
  private readonly waiting = new Map<number, Waiting>();
  private next = 0;

  constructor(family: IpFamily, open: OpenIcmp) {
    this.family = family;
    this.open = open;
  }

  /** Requests that wait. */
  get outstanding(): number {
    return this.waiting.size;
  }

  /** Opens the socket on first use, and anew after an error: what forbade it may have been changed meanwhile. */
  async ready(): Promise<IcmpProblem | null> {
    this.opening ??= this.open(this.family, {
      onMessage: (octets, address) => this.receive(octets, address),
      onError: (error) => this.lost(error),
    });
    const opened = await this.opening;
    if ('kind' in opened) {
      this.opening = null;
      return opened;
    }
    if (this.opening !== null) this.socket = opened;
    return null;
  }

  /** Sends one request; after `ready`. Returns what forgets it. Null: too many wait already. */
  send(address: string, events: EchoEvents): (() => void) | null {
    const { socket, waiting } = this;
    if (waiting.size >= OUTSTANDING_MAX) return null;
    while (waiting.has(this.next)) this.next = (this.next + 1) & 0xffff;
    const sequence = this.next;
    this.next = (this.next + 1) & 0xffff;
    const token = randomFillSync(new Uint8Array(TOKEN));
    const request = { ...events, address: plainAddress(address), token };
    waiting.set(sequence, request);
    const forget = (): boolean => waiting.get(sequence) === request && waiting.delete(sequence);
    const failed = (error: Error): void => {
      if (forget()) events.failed(error);
    };
    if (socket === null) failed(new Error('the ICMP socket is closed'));
    else socket.send(echoRequest(this.family, sequence, token), address, failed);
    return forget;
  }

  /** Whatever is not the first reply of the asked address to a request that waits is skipped. */
  private receive(octets: Uint8Array, address: string): void {
    const reply = readEchoReply(octets, this.family);
    if (reply === null || reply.identifier !== this.socket?.identifier) return;
    const waiting = this.waiting.get(reply.sequence);
    if (waiting === undefined || plainAddress(address) !== waiting.address) return;
    if (Buffer.compare(reply.token, waiting.token) !== 0) return;
    this.waiting.delete(reply.sequence);
    waiting.answered();
  }

  /** Replies that are under way come to nobody; that says nothing about the edges. */
  private lost(error: Error): void {
    this.opening = null;
    this.socket = null;
    const requests = [...this.waiting.values()];
    this.waiting.clear();
    for (const { failed } of requests) failed(error);
  }
}

export function familyOf(address: string): IpFamily {
  return isIPv6(address) ? 6 : 4;
}

/** One spelling an address, without the interface of a link-local one. */
function plainAddress(address: string): string | null {
  return addressKey(address.replace(/%.*$/, ''));
}
