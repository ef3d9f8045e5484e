import { expect, test } from 'vitest';
import { MessageBatch } from '../../../../src/server/transport/udp/batch-socket.ts';
import type { Syscalls } from '../../../../src/system/syscalls.ts';

const BASE = 0x1000;

/** A batch of a socket bound to a wildcard, and the control message of its i-th query, as the kernel writes it. */
function batchOf(family: 4 | 6): { readonly batch: MessageBatch; readonly control: (i: number) => DataView } {
  let memory = new ArrayBuffer(0);
  const sys = {
    addressOf: (buffer: ArrayBuffer) => {
      memory = buffer;
      return BASE;
    },
  } as Partial<Syscalls> as Syscalls;
  const batch = new MessageBatch(sys, 5, family, true);
  const control = (i: number): DataView => {
    const at = Number(new DataView(memory).getBigUint64(i * 64 + 32, true)) - BASE; // msg_control of the i-th header
    return new DataView(memory, at, 40);
  };
  return { batch, control };
}

test('the address that a query was sent to, of a socket for all addresses: in_pktinfo', () => {
  const { batch, control } = batchOf(4);
  const address = new Uint8Array(16);
  for (const i of [0, 63]) {
    control(i).setUint32(16, 7, true); // interface
    control(i).setUint32(20, 0x7f000009 + i); // source of the answer
    control(i).setUint32(24, 0x7fffffff); // destination in the header
    batch.readLocalAddress(i, new Uint32Array(address.buffer));
    expect([...address.subarray(12)]).toEqual([127, 0, 0, 9 + i]);
  }
});

test('in6_pktinfo', () => {
  const { batch, control } = batchOf(6);
  const address = new Uint8Array(16);
  for (let octet = 0; octet < 16; octet++) control(3).setUint8(16 + octet, 0xa0 + octet);
  control(3).setUint32(32, 9, true); // interface
  batch.readLocalAddress(3, new Uint32Array(address.buffer));
  expect([...address]).toEqual(Array.from({ length: 16 }, (_, octet) => 0xa0 + octet));
});
