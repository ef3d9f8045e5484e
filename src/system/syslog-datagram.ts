import { createSocket } from 'node:dgram';

/** Facility daemon (3), severity informational (6): RFC 3164 §4.1.1. */
const PRIORITY = 3 * 8 + 6;

/**
 * One message to the syslog of this machine, over UDP as the original sends it (specification section 10), with the NUL
 * at its end. Whether anybody listens cannot be known, and a failure is not reported: the change is made.
 */
export function sendSyslog(text: string, port = 514): Promise<void> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    const end = (): void => {
      socket.close();
      resolve();
    };
    socket.once('error', end);
    socket.send(`<${PRIORITY}>${text}\0`, port, '127.0.0.1', end);
  });
}
