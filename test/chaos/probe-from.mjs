/**
 * Loaded before a vantage (`node --require` cannot be an ES module, so `--import`): its connections to the edges' addresses
 * come from EDGEWISE_PROBE_FROM, so that an edge can be well for one vantage and dead for another.
 */
import { Socket } from 'node:net';

const { EDGEWISE_PROBE_FROM: from, EDGEWISE_PROBE_TO: to } = process.env;
const original = Socket.prototype.connect;

Socket.prototype.connect = function connect(...args) {
  const options = Array.isArray(args[0]) ? args[0][0] : args[0];
  if (from && to && typeof options === 'object' && String(options?.host).startsWith(to)) options.localAddress = from;
  return original.apply(this, args);
};
