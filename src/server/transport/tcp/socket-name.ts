import { LINUX } from '../../../system/syscalls.ts';

/** Octets of a `struct sockaddr_in6`, the longest name of a TCP socket. */
export const SOCKET_NAME_OCTETS = 28;

/** The address, as `Client` has it, and the port in the `struct sockaddr_in` or `sockaddr_in6` at octet `at`. */
export function readSocketName(view: DataView, at: number): { readonly address: Uint8Array; readonly port: number } {
  const octets = (from: number, count: number): Uint8Array =>
    new Uint8Array(view.buffer, view.byteOffset + at + from, count);
  const address = new Uint8Array(16);
  if (view.getUint16(at, true) === LINUX.AF_INET6) address.set(octets(8, 16));
  else {
    address.fill(0xff, 10, 12); // ::ffff:a.b.c.d
    address.set(octets(4, 4), 12);
  }
  return { address, port: view.getUint16(at + 2) };
}
