import type { ServerConfig } from '../../src/config/types.ts';
import { LiveSlots } from '../../src/live/slots.ts';
import { type Client, PacketBuffers, TRANSPORT, type Transport } from '../../src/server/answer/front-end.ts';
import { Responder } from '../../src/server/answer/respond.ts';
import { Stats } from '../../src/server/stats.ts';
import { decodeMessage, type Message } from './dns-message.ts';
import { encodeQuery, type QuerySpec } from './dns-query.ts';
import { serverSettings } from './server-settings.ts';
import { type ZoneSpec, zoneUpdate } from './zone-images.ts';

/** Settings of a server with nothing switched on. */
export const PLAIN_SERVER: ServerConfig = serverSettings();

export const SLOTS = 8;

/** A responder without sockets: the same octets in and out as a front end gives and takes. */
export class TestResponder {
  readonly slots: LiveSlots = LiveSlots.create(SLOTS);
  readonly statsBuffer: SharedArrayBuffer = Stats.create(1, 4);
  readonly responder: Responder;
  readonly client: Client = { transport: TRANSPORT.udp4, address: new Uint8Array(16), port: 5353 };
  private readonly out = new Uint8Array(65535);
  private readonly packets = PacketBuffers.single();

  constructor(zones: readonly ZoneSpec[], server: Partial<ServerConfig> = {}) {
    const stats = Stats.attach(this.statsBuffer, 4, 0);
    this.responder = new Responder({ slots: this.slots, stats, server: { ...PLAIN_SERVER, ...server } });
    this.responder.apply(zones.map((zone, number) => zoneUpdate(zone, number)));
  }

  configure(server: Partial<ServerConfig>): void {
    this.responder.configure({ ...PLAIN_SERVER, ...server });
  }

  /** What the responder returned, and the octets of the answer. */
  raw(
    query: Uint8Array,
    transport: Transport = TRANSPORT.udp4,
  ): { readonly result: number; readonly octets: Uint8Array } {
    this.client.transport = transport;
    if (transport >= TRANSPORT.tcp) {
      const result = this.responder.respond(query, query.length, this.out, this.client);
      return { result, octets: this.out.slice(0, Math.max(0, result)) };
    }
    this.packets.queries[0].set(query);
    this.packets.lengths[0] = query.length;
    this.packets.begin(1);
    const result = this.responder.respondIn(this.packets, 0, 0, this.client);
    return { result, octets: this.packets.answers[0].slice(0, Math.max(0, result)) };
  }

  ask(spec: QuerySpec, transport: Transport = TRANSPORT.udp4): Message {
    const { result, octets } = this.raw(encodeQuery(spec), transport);
    if (result <= 0) throw new Error(`respond returned ${result}`);
    return decodeMessage(octets);
  }
}

export const address4 = (text: string): Uint8Array => Uint8Array.from(text.split('.'), Number);
