import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import type { Endpoint } from '../../../system/address.ts';
import { clientAddress, isWildcard } from '../../../system/client-address.ts';
import { type Client, PACKET_MAX, PacketBuffers, TRANSPORT } from '../../answer/front-end.ts';
import type { Local, Tap } from '../../dnstap/sampler.ts';
import { EVENT, type Stats } from '../../stats.ts';
import type { PacketAnswerer } from './packet-answerer.ts';
import { threadClock } from './rate-limit.ts';

/** Packets of one socket that wait for `begin`; what comes then is dropped. */
const EARLY_MAX = 256;

export type PortableSocket = {
  /** Answers from now on, what has come before first. */
  begin(): void;
  address(): { readonly port: number };
  close(): void;
};

/**
 * The UDP front end where batched system calls are not available: one `node:dgram` socket an endpoint, one packet at a
 * time. On a wildcard endpoint the system picks the source address of an answer. Rejects with the system's error where
 * the endpoint cannot be bound.
 */
export async function openPortable(
  endpoint: Endpoint,
  shared: { readonly answerer: PacketAnswerer; readonly stats: Stats; readonly tap: Tap },
): Promise<PortableSocket> {
  const { answerer, stats, tap } = shared;
  const v6 = endpoint.address.includes(':');
  const socket = createSocket({ type: v6 ? 'udp6' : 'udp4', ipv6Only: v6, recvBufferSize: 1 << 20 });
  const client: Client = { transport: v6 ? TRANSPORT.udp6 : TRANSPORT.udp4, address: new Uint8Array(16), port: 0 };
  const packets = PacketBuffers.single();
  const sent = (error: Error | null): void => {
    if (error !== null) stats.counters[EVENT.send_failed] += 1;
  };
  // Which of its addresses a wildcard socket was asked at is not known here.
  let local: Local | null = null;
  let early: [Uint8Array, RemoteInfo][] | null = [];
  const answer = (packet: Uint8Array, from: RemoteInfo): void => {
    if (packet.length > PACKET_MAX || from.port === 0) {
      stats.counters[EVENT.dropped] += 1;
      return;
    }
    client.address.set(clientAddress(from.address));
    client.port = from.port;
    packets.queries[0].set(packet);
    packets.lengths[0] = packet.length;
    packets.begin(1);
    const cameMs = tap.sampler?.pick() ?? 0;
    const size = answerer.answer(packets, 0, 0, client, answerer.limits ? threadClock() : 0);
    if (cameMs > 0) tap.sampler?.report(cameMs, packet, packet.length, packets.answers[0], size, client, local);
    if (size <= 0) return;
    stats.countSize(client.transport, size);
    stats.addOctets(client.transport, size);
    // A copy: the socket sends later, and the next query may come first.
    socket.send(packets.answers[0].slice(0, size), from.port, from.address, sent);
  };
  socket.on('message', (packet: Uint8Array, from: RemoteInfo) => {
    if (early === null) answer(packet, from);
    else if (early.length < EARLY_MAX) early.push([packet, from]);
    else stats.counters[EVENT.dropped] += 1;
  });
  socket.bind(endpoint.port, endpoint.address);
  await once(socket, 'listening');
  if (!isWildcard(endpoint.address)) local = { address: clientAddress(endpoint.address), port: socket.address().port };
  // From here on an error is one packet's (an ICMP message, no memory), and its sender asks again.
  socket.on('error', () => {});
  return {
    begin() {
      const waiting = early ?? [];
      early = null;
      for (const [packet, from] of waiting) answer(packet, from);
    },
    address: () => socket.address(),
    close: () => socket.close(),
  };
}
