/**
 * Failures in a few letters, as HAProxy's statistics have them: the layer (`L4` connection, `L6` TLS, `L7` protocol),
 * then what went wrong. Where HAProxy has no code, ours are made in the same way.
 */
import type { CheckKind, FailReason } from '../../../health/checks/sample.ts';

/** What is known of the check that failed. */
export type FailedCheck = {
  readonly reason: FailReason;
  readonly detail: string;
  /** Null: the edge's name had no address, so nothing was asked. */
  readonly kind: CheckKind | null;
  /** Whether the connection was made. */
  readonly isConnected: boolean;
};

/** Every code and what it means, in the order of layers: the page's legend. */
export const FAIL_CODES = {
  NOADDR: 'the name has no address',
  L3TOUT: 'no reply to ping',
  L3LOSS: 'too many pings lost',
  L3CON: 'network unreachable',
  L4CON: 'connection refused, reset or unreachable',
  L4TOUT: 'no connection in time',
  L6RSP: 'TLS handshake failed',
  L6TOUT: 'TLS handshake not in time',
  L6CERT: 'certificate not accepted',
  L7TOUT: 'no complete answer in time',
  L7RSP: 'not a valid answer',
  L7STS: 'wrong status or response code',
  L7SUM: 'another object than expected',
  L7TXT: 'expected content missing',
  L7BIG: 'answer too large',
  L7CUT: 'answer cut short',
  L7RST: 'connection closed before the answer',
  L7RED: 'redirects lead nowhere',
  PROCERR: 'program reports failure',
  PROCTOUT: 'program not done in time',
  SOCKERR: 'trouble on our own side',
} as const;

export type FailCode = keyof typeof FAIL_CODES;

type Rule = FailCode | ((check: FailedCheck) => FailCode);

const RULES: { readonly [reason in FailReason]: Rule } = {
  resolve: 'NOADDR',
  refused: 'L4CON',
  unreachable: ({ kind }) => (kind === 'icmp' ? 'L3CON' : 'L4CON'),
  reset: ({ isConnected }) => (isConnected ? 'L7RST' : 'L4CON'),
  closed: ({ isConnected }) => (isConnected ? 'L7RST' : 'L4CON'),
  timeout: timeoutCode,
  loss: 'L3LOSS',
  tls: 'L6RSP',
  certificate: 'L6CERT',
  status: 'L7STS',
  rcode: 'L7STS',
  checksum: 'L7SUM',
  content: 'L7TXT',
  unexpected: 'L7TXT',
  data: 'L7TXT',
  'too-large': 'L7BIG',
  'headers-too-large': 'L7BIG',
  redirects: 'L7RED',
  truncated: 'L7CUT',
  protocol: 'L7RSP',
  malformed: 'L7RSP',
  exit: 'PROCERR',
  signal: 'PROCERR',
  start: 'SOCKERR',
  forbidden: 'SOCKERR',
  other: 'SOCKERR',
};

export function failCode(check: FailedCheck): FailCode {
  const rule = RULES[check.reason];
  return typeof rule === 'string' ? rule : rule(check);
}

function timeoutCode({ kind, isConnected, detail }: FailedCheck): FailCode {
  if (kind === 'icmp') return 'L3TOUT';
  if (kind === 'command') return 'PROCTOUT';
  // A query over UDP has no connection; its answer is what did not come.
  if (kind === 'dns') return 'L7TOUT';
  // The phases do not say whether TLS was wanted; the sentence does.
  if (detail.includes('TLS handshake')) return 'L6TOUT';
  return isConnected ? 'L7TOUT' : 'L4TOUT';
}
