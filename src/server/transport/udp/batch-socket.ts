import { LINUX, type Syscalls } from '../../../system/syscalls.ts';
import { PACKET_MAX, PacketBuffers } from '../../answer/front-end.ts';

/** Messages taken from the kernel at once. */
export const BATCH = 64;

const HEADER = 64; // struct mmsghdr
const NAME_PLACE = 32; // struct sockaddr_in (16) or sockaddr_in6 (28)
const CONTROL_PLACE = 64; // one cmsghdr with in_pktinfo (32) or in6_pktinfo (40)

/** 32-bit words inside a struct mmsghdr. */
const WORD = { name: 0, nameLength: 2, iov: 4, iovCount: 6, control: 8, controlLength: 10, flags: 12, length: 14 };
const HEADER_WORDS = HEADER / 4;

/**
 * The memory of one socket's `recvmmsg` and `sendmmsg`, laid out once:
 *
 * ```
 * 64 × mmsghdr (receive) │ 64 × mmsghdr (send) │ 64 × iovec (receive) │ 64 × iovec (send)
 * 64 × sockaddr │ 64 × control message │ 64 × query │ 64 × answer (`PacketBuffers`)
 * ```
 *
 * A receive header's name, control and iovec never move. The k-th send header owns the k-th answer; its name and
 * control are those of the query it answers, which is nearly always the k-th too, so they are rewritten only when it is
 * not.
 */
export class MessageBatch {
  /** `recvmmsg` of the whole batch, `sendmmsg` of the first `count` answers. */
  readonly receive: (flags: number) => number;
  readonly send: (count: number) => number;
  /** `sendmmsg` of answers `from` to `count`. */
  readonly sendRest: (from: number, count: number) => number;
  readonly packets: PacketBuffers;
  private readonly words: Uint32Array;
  private readonly octets: Uint8Array;
  private readonly base: number;
  private readonly family: 4 | 6;
  private readonly nameLength: number;
  private readonly controlLength: number;
  /** Which query's name and control the k-th send header points to. */
  private readonly answered: Uint8Array = Uint8Array.from({ length: BATCH }, (_, i) => i);

  /** `pktinfo`: the socket is bound to a wildcard, so each message says to which address it came (RFC 2181 §4). */
  constructor(sys: Syscalls, fd: number, family: 4 | 6, pktinfo: boolean) {
    const memory = new ArrayBuffer(PACKETS_AT + PacketBuffers.size(BATCH));
    this.words = new Uint32Array(memory);
    this.octets = new Uint8Array(memory);
    this.base = sys.addressOf(memory);
    this.family = family;
    this.nameLength = family === 4 ? 16 : 28;
    this.controlLength = pktinfo ? (family === 4 ? 32 : 40) : 0;
    // Addresses are no small integers: a field would hand out each of them in a new object, a captured constant does
    // not.
    const receiveAt = this.base;
    const sendAt = this.base + SEND_AT;
    this.receive = (flags) => sys.recvmmsg(fd, receiveAt, BATCH, flags, 0);
    this.send = (count) => sys.sendmmsg(fd, sendAt, count, 0);
    this.sendRest = (from, count) => sys.sendmmsg(fd, sendAt + from * HEADER, count - from, 0);
    this.packets = new PacketBuffers(memory, PACKETS_AT, BATCH);
    for (let i = 0; i < BATCH; i++) {
      this.layOut(i * HEADER, RECEIVE_IOV_AT + i * 16, this.packets.queryAt(i), i);
      this.layOut(SEND_AT + i * HEADER, SEND_IOV_AT + i * 16, this.packets.answerAt(i), i);
    }
  }

  private layOut(header: number, iov: number, packet: number, place: number): void {
    const { words } = this;
    const head = header / 4;
    this.point(head + WORD.name, NAMES_AT + place * NAME_PLACE);
    words[head + WORD.nameLength] = this.nameLength;
    this.point(head + WORD.iov, iov);
    words[head + WORD.iovCount] = 1;
    if (this.controlLength > 0) this.point(head + WORD.control, CONTROLS_AT + place * CONTROL_PLACE);
    words[head + WORD.controlLength] = this.controlLength;
    this.point(iov / 4, packet);
    words[iov / 4 + 2] = PACKET_MAX;
  }

  /** Writes the 64-bit address of `offset` at word `at`. */
  private point(at: number, offset: number): void {
    const address = this.base + offset;
    this.words[at] = address >>> 0;
    this.words[at + 1] = Math.floor(address / 0x1_0000_0000);
  }

  /** Octets of the i-th query; -1 where it was longer than `PACKET_MAX` and has lost its end. */
  queryLength(i: number): number {
    const head = i * HEADER_WORDS;
    return (this.words[head + WORD.flags] & LINUX.MSG_TRUNC) === 0 ? this.words[head + WORD.length] : -1;
  }

  /** Port of the i-th query's sender. */
  port(i: number): number {
    const at = NAMES_AT + i * NAME_PLACE + 2;
    return (this.octets[at] << 8) | this.octets[at + 1];
  }

  /** Copies the i-th sender's address to the words of a `Client.address` (16 octets, 4 words). */
  readAddress(i: number, address: Uint32Array): void {
    const name = (NAMES_AT + i * NAME_PLACE) / 4;
    const { words } = this;
    if (this.family === 4) {
      address[3] = words[name + 1]; // words 0–2 hold ::ffff: from the start
      return;
    }
    address[0] = words[name + 2];
    address[1] = words[name + 3];
    address[2] = words[name + 4];
    address[3] = words[name + 5];
  }

  /** Copies the address that the i-th query was sent to, in the same form; of a socket that is bound to a wildcard. */
  readLocalAddress(i: number, address: Uint32Array): void {
    const control = (CONTROLS_AT + i * CONTROL_PLACE) / 4 + 4;
    const { words } = this;
    if (this.family === 4) {
      address[3] = words[control + 1]; // in_pktinfo: interface, source, destination
      return;
    }
    for (let word = 0; word < 4; word++) address[word] = words[control + word];
  }

  /** The k-th answer has `length` octets and goes to the sender of the i-th query, from the address that was asked. */
  answer(k: number, i: number, length: number): void {
    const { words } = this;
    words[SEND_IOV_AT / 4 + k * 4 + 2] = length;
    if (this.answered[k] !== i) {
      this.answered[k] = i;
      const head = SEND_AT / 4 + k * HEADER_WORDS;
      this.point(head + WORD.name, NAMES_AT + i * NAME_PLACE);
      if (this.controlLength > 0) this.point(head + WORD.control, CONTROLS_AT + i * CONTROL_PLACE);
    }
    if (this.controlLength > 0) this.answerFrom(k, i);
  }

  /**
   * Turns the control message that came with the i-th query into the one that goes with its answer: the address it came
   * to becomes the source. The interface is left to routing, but for link-local addresses, which mean nothing without.
   */
  private answerFrom(k: number, i: number): void {
    const { words, octets } = this;
    const control = CONTROLS_AT + i * CONTROL_PLACE;
    words[SEND_AT / 4 + k * HEADER_WORDS + WORD.controlLength] = words[i * HEADER_WORDS + WORD.controlLength];
    if (this.family === 4) {
      words[control / 4 + 4] = 0; // in_pktinfo: interface, source, destination
      return;
    }
    const linkLocal = octets[control + 16] === 0xfe && (octets[control + 17] & 0xc0) === 0x80;
    if (!linkLocal) words[control / 4 + 8] = 0; // in6_pktinfo: 16 octets of address, interface
  }

  /** Restores the lengths that the kernel may have shortened in the first `count` receive headers. */
  reset(count: number): void {
    const { words, nameLength, controlLength } = this;
    for (let head = 0; head < count * HEADER_WORDS; head += HEADER_WORDS) {
      words[head + WORD.nameLength] = nameLength;
      words[head + WORD.controlLength] = controlLength;
    }
  }
}

export const HEADER_OCTETS: number = HEADER;
const SEND_AT = BATCH * HEADER;
const RECEIVE_IOV_AT = SEND_AT + BATCH * HEADER;
const SEND_IOV_AT = RECEIVE_IOV_AT + BATCH * 16;
const NAMES_AT = SEND_IOV_AT + BATCH * 16;
const CONTROLS_AT = NAMES_AT + BATCH * NAME_PLACE;
const PACKETS_AT = CONTROLS_AT + BATCH * CONTROL_PLACE;
