/** Answers every datagram with itself as a DNS response: the least a DNS server can do, for floods. Argument: the port. */
import { createSocket } from 'node:dgram';

const socket = createSocket('udp4');
socket.on('message', (query, from) => {
  query[2] = (query[2] ?? 0) | 0x80; // QR
  socket.send(query, from.port, from.address);
});
socket.bind(Number(process.argv[2]), '127.0.0.1', () => process.send?.('ready'));
process.on('disconnect', () => process.exit(0));
