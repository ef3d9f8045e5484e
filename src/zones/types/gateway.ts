import type { Problem } from '../text/problem.ts';
import { problem } from '../text/problem.ts';
import type { RdataScan } from '../text/rdata.ts';
import type { Field } from './field.ts';
import { ipv4, ipv6 } from './field-address.ts';
import { base64Rest } from './field-base64.ts';
import { name } from './field-name.ts';
import type { RdataPrint } from './rdata-print.ts';

const GATEWAY_NAME = name('the name of the gateway');
const ROOT_WORD = '.';

function readGateway(scan: RdataScan, kind: number): Problem | null {
  switch (kind) {
    case 0: {
      const failure = scan.word('"." for no gateway');
      if (failure !== null || scan.tokens.asText() === ROOT_WORD) return failure;
      return problem('bad-word', `"${scan.shown()}": gateway type 0 means none, written "."`);
    }
    case 1:
      return ipv4.read(scan);
    case 2:
      return ipv6.read(scan);
    default:
      return GATEWAY_NAME.read(scan);
  }
}

function printGateway(print: RdataPrint, kind: number): boolean {
  switch (kind) {
    case 0:
      return print.put(ROOT_WORD);
    case 1:
      return ipv4.print(print);
    case 2:
      return ipv6.print(print);
    case 3:
      return print.name();
    default:
      return false;
  }
}

/** IPSECKEY after its precedence, RFC 4025 §2: gateway type, algorithm, gateway in the form of its type, key. */
export const ipseckeyRest: Field = {
  read: (scan) => {
    const kind = scan.number('the gateway type', 3);
    if (typeof kind !== 'number') return kind;
    const written = scan.unsigned(kind, 1);
    if (written !== null) return written;
    const algorithm = scan.number('the algorithm', 255);
    if (typeof algorithm !== 'number') return algorithm;
    return scan.unsigned(algorithm, 1) ?? readGateway(scan, kind) ?? base64Rest('the public key').read(scan);
  },
  print: (print) => {
    const kind = print.take(1);
    const algorithm = print.take(1);
    if (algorithm < 0) return false;
    print.put(`${kind} ${algorithm}`);
    return printGateway(print, kind) && base64Rest('the public key').print(print);
  },
};

const DISCOVERY = 0x80;

/** AMTRELAY after its precedence, RFC 8777 §4.2: the discovery bit and the relay's type share an octet. */
export const amtrelayRest: Field = {
  read: (scan) => {
    const discovery = scan.number('the discovery flag (0 or 1)', 1);
    if (typeof discovery !== 'number') return discovery;
    const kind = scan.number('the relay type', 3);
    if (typeof kind !== 'number') return kind;
    return scan.unsigned(discovery * DISCOVERY + kind, 1) ?? readGateway(scan, kind);
  },
  print: (print) => {
    const octet = print.take(1);
    if (octet < 0) return false;
    const kind = octet & ~DISCOVERY;
    print.put(`${octet >>> 7} ${kind}`);
    return printGateway(print, kind);
  },
};

/** Relay types from 4 on are unassigned; their rdata has no text form. */
export function isUnknownRelay(wire: Uint8Array, start: number, end: number): boolean {
  return end - start >= 2 && (wire[start + 1] & ~DISCOVERY) > 3;
}
