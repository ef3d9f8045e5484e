/**
 * Loaded before everything else in a vantage of the demo, and in its threads: connections to the edges come from an address
 * of its own, so that the edges can let the line of one vantage break.
 */
import { Socket } from 'node:net';
import { DEMO_EDGES } from './layout.ts';

type Connect = typeof Socket.prototype.connect;

const from = process.env['EDGEWISE_DEMO_FROM'];
const edges = new Set(DEMO_EDGES.map(({ address }) => address));
const connect = Socket.prototype.connect as (this: Socket, ...args: unknown[]) => Socket;

Socket.prototype.connect = function connectFrom(this: Socket, ...args: unknown[]): Socket {
  // Node's own calls hold their arguments in an array.
  const options: unknown = Array.isArray(args[0]) ? args[0][0] : args[0];
  if (from !== undefined && typeof options === 'object' && options !== null && 'host' in options) {
    if (edges.has(String(options.host))) Object.assign(options, { localAddress: from });
  }
  return connect.apply(this, args);
} as Connect;
