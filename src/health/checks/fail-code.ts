import type { CheckKind, FailReason } from './sample.ts';

/** Codes of HAProxy's statistics page where it has one; our own in its manner elsewhere. */
const CODES: { readonly [reason in Exclude<FailReason, 'timeout' | 'status' | 'rcode'>]: string } = {
  resolve: 'NOADDR',
  refused: 'L4CON',
  unreachable: 'L4CON',
  reset: 'L4RST',
  tls: 'L6RSP',
  certificate: 'L6CERT',
  checksum: 'L7DATA',
  content: 'L7DATA',
  data: 'L7DATA',
  unexpected: 'L7DATA',
  'too-large': 'L7SIZE',
  'headers-too-large': 'L7SIZE',
  redirects: 'L7RDIR',
  truncated: 'L7CUT',
  closed: 'L7CUT',
  protocol: 'L7RSP',
  malformed: 'L7RSP',
  loss: 'L3LOSS',
  forbidden: 'SOCKERR',
  exit: 'PROCERR',
  signal: 'PROCERR',
  start: 'PROCERR',
  other: 'SOCKERR',
};

/** What a failure's code is made from; the API's JSON of a check has it all. */
export type CodedFailure = {
  readonly reason: string;
  readonly detail: string;
  /** Null: not known. */
  readonly kind: CheckKind | null;
};

/** A failure in a few letters: the layer it happened in and what, as in `L4TOUT` or `L7STS/503`. */
export function failCode({ reason, detail, kind }: CodedFailure): string {
  switch (reason) {
    case 'timeout':
      return timeoutCode(detail, kind);
    case 'status':
      return withSuffix('L7STS', /\b[1-5]\d\d\b/.exec(detail)?.[0]);
    case 'rcode':
      return withSuffix('L7STS', /\b[A-Z]{5,}\d*\b/.exec(detail)?.[0]);
    default:
      return Object.hasOwn(CODES, reason) ? CODES[reason as keyof typeof CODES] : reason.toUpperCase();
  }
}

function timeoutCode(detail: string, kind: CheckKind | null): string {
  if (kind === 'icmp') return 'L3TOUT';
  if (kind === 'command') return 'PROCTOUT';
  if (/\bconnecting\b/.test(detail)) return 'L4TOUT';
  return /\bTLS handshake\b/.test(detail) ? 'L6TOUT' : 'L7TOUT';
}

function withSuffix(code: string, suffix: string | undefined): string {
  return suffix === undefined ? code : `${code}/${suffix}`;
}
