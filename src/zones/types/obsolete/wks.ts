import { scanNumber, TOO_LARGE } from '../../text/number.ts';
import { type Problem, problem } from '../../text/problem.ts';
import type { RdataScan } from '../../text/rdata.ts';
import type { Field } from '../field.ts';
import { type Mnemonics, mnemonic } from '../field-number.ts';

export const wksProtocol: Field = mnemonic(
  'the protocol',
  1,
  new Map([
    ['ICMP', 1],
    ['IGMP', 2],
    ['TCP', 6],
    ['EGP', 8],
    ['UDP', 17],
  ]),
);

/**
 * Ports by service, those of RFC 1010's time and later that WKS records name. Fixed here, not asked of the system as
 * BIND does, so that a zone means the same on every machine; other ports are written as numbers.
 */
const SERVICES: Mnemonics = new Map([
  ['echo', 7],
  ['discard', 9],
  ['systat', 11],
  ['daytime', 13],
  ['netstat', 15],
  ['qotd', 17],
  ['chargen', 19],
  ['ftp-data', 20],
  ['ftp', 21],
  ['ssh', 22],
  ['telnet', 23],
  ['smtp', 25],
  ['time', 37],
  ['whois', 43],
  ['tacacs', 49],
  ['domain', 53],
  ['bootps', 67],
  ['bootpc', 68],
  ['tftp', 69],
  ['gopher', 70],
  ['finger', 79],
  ['http', 80],
  ['kerberos', 88],
  ['pop3', 110],
  ['sunrpc', 111],
  ['auth', 113],
  ['nntp', 119],
  ['ntp', 123],
  ['imap2', 143],
  ['snmp', 161],
  ['snmp-trap', 162],
  ['bgp', 179],
  ['irc', 194],
  ['ldap', 389],
  ['https', 443],
  ['submission', 587],
  ['ldaps', 636],
  ['domain-s', 853],
  ['imaps', 993],
  ['pop3s', 995],
]);

const PORTS_OCTETS = 8192;

/** Ports as a bitmap without trailing zero octets, RFC 1035 §3.4.2. Printed as numbers. */
export const ports: Field = {
  read: (scan) => {
    const bits = new Uint8Array(PORTS_OCTETS);
    while (scan.more()) {
      const port = portOfToken(scan);
      if (typeof port !== 'number') return port;
      bits[port >>> 3] |= 0x80 >>> (port & 7);
    }
    return scan.octets(bits.subarray(0, bits.findLastIndex((octet) => octet !== 0) + 1));
  },
  print: (print) => {
    const bits = print.rest();
    if (bits.length > PORTS_OCTETS || (bits.length > 0 && bits[bits.length - 1] === 0)) return false;
    for (let port = 0; port < bits.length * 8; port++) {
      if ((bits[port >>> 3] & (0x80 >>> (port & 7))) !== 0) print.put(String(port));
    }
    return true;
  },
};

function portOfToken(scan: RdataScan): number | Problem {
  const { text, start, end } = scan.tokens;
  const port = SERVICES.get(scan.tokens.asText().toLowerCase()) ?? scanNumber(text, start, end, 0xffff);
  if (port >= 0) return port;
  return problem(
    'bad-number',
    `"${scan.shown()}" is ${port === TOO_LARGE ? 'over 65535' : 'no service known here'}; a port goes here`,
  );
}
