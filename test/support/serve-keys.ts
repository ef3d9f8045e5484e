import { NETWORK } from './installation.ts';
import { freePort } from './ports.ts';

/** Keys of a server at free ports of 127.0.0.1, which logs to standard output. */
export async function listenKeys() {
  return {
    logpath: null,
    server: { listen: [`127.0.0.1:${await freePort()}`], startup_timeout: 60 },
    http: { listen: `127.0.0.1:${await freePort()}` },
  };
}

/** Keys with which every edge of a mock fleet is live that answers, and what is published follows within a second or two. */
export function publishingKeys(port: number, edges: readonly string[]) {
  return { ...countingKeys(port, { rise: 1, fall: 1 }), settle: 0.2, edge_count: edges.length };
}

/**
 * Keys with which edges of a mock fleet pass as soon as they answer, and none is live that fails: by results in a row, of
 * a tcp check every two seconds.
 */
export function countingKeys(port: number, inARow: { readonly rise: number; readonly fall: number }) {
  return {
    run_frequency: 2,
    dnschange_maxfreq: 1000,
    checks: { [NETWORK]: [{ kind: 'tcp', port, send: 'GET / HTTP/1.0\r\n\r\n', expect: 'HTTP/1.1 200' }] },
    judges: { [NETWORK]: { rise_fall: inARow } },
    safety: { [NETWORK]: { fill: 'none' } },
  };
}
