/** What AWS' client throws, as a provider's problem with a sentence that says what to do. */
import { errorText } from '../../system/error-text.ts';
import { oneLine } from '../../system/printable.ts';
import { retryAfterMs } from '../../system/retry-after.ts';
import { Secret, withoutSecrets } from '../../system/secret.ts';
import { ProviderError, type ProviderProblem } from './provider.ts';

/** What the sentences name. `secrets`: never shown, whoever repeats them. */
export type Route53Subject = {
  readonly zone: string;
  readonly zoneId: string | null;
  readonly secrets: readonly string[];
};

const SHOWN_MAX = 300;

/** By the code of AWS' answer, or of the client. */
const CREDENTIALS: { readonly [code: string]: string } = {
  CredentialsProviderError:
    'AWS credentials were not found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or a role',
  TokenProviderError: 'AWS credentials were not found: the token of single sign-on cannot be had; sign in again',
  InvalidClientTokenId: 'AWS does not know the access key: check AWS_ACCESS_KEY_ID or the profile',
  UnrecognizedClientException: 'AWS does not know the access key: check AWS_ACCESS_KEY_ID or the profile',
  InvalidAccessKeyId: 'AWS does not know the access key: check AWS_ACCESS_KEY_ID or the profile',
  SignatureDoesNotMatch:
    'AWS refuses the signature: check AWS_SECRET_ACCESS_KEY, the region and the clock of this machine',
  IncompleteSignature: 'AWS refuses the signature: check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
  RequestExpired: 'AWS finds the request too old: check the clock of this machine',
  ExpiredToken: 'the AWS session token has expired: renew AWS_SESSION_TOKEN or the profile',
  ExpiredTokenException: 'the AWS session token has expired: renew AWS_SESSION_TOKEN or the profile',
  OptInRequired: 'the AWS account may not use Route 53',
};
const FORBIDDEN: ReadonlySet<string> = new Set(['AccessDenied', 'AccessDeniedException', 'NotAuthorizedException']);
const LIMITED: ReadonlySet<string> = new Set([
  'Throttling',
  'ThrottlingException',
  'ThrottledException',
  'TooManyRequestsException',
  'RequestLimitExceeded',
  'LimitExceededException',
  'PriorRequestNotComplete',
]);
const UNREACHABLE =
  /^(?:ECONN\w*|ENOTFOUND|EAI_\w+|EHOST\w*|ENET\w*|EPIPE|EADDR\w*|ERR_TLS\w*|ERR_SSL\w*|CERT_\w+|DEPTH_ZERO\w*|SELF_SIGNED\w*|UNABLE_TO\w+|EPROTO)$/;

/** The problem behind an error of AWS' client. */
export function route53Problem(error: unknown, subject: Route53Subject): ProviderError {
  if (error instanceof ProviderError) return error;
  const { code, status, message, retryAfterMs } = factsOf(error);
  const clean = (text: string): string => shown(text, subject.secrets);
  const problem = (kind: ProviderProblem, text: string): ProviderError =>
    new ProviderError(kind, `Route 53: ${text}`, kind === 'limit' || kind === 'trouble' ? retryAfterMs : null);
  const credentials = CREDENTIALS[code];
  if (credentials !== undefined) return problem('credentials', credentials);
  if (FORBIDDEN.has(code)) {
    return problem('credentials', `AWS does not allow this; see the policy in docs/providers.md (${clean(message)})`);
  }
  if (code === 'NoSuchHostedZone') {
    const which = subject.zoneId === null ? subject.zone : `${subject.zoneId} (zone_id)`;
    return problem('zone', `there is no hosted zone ${which}; check zone_id and the account`);
  }
  if (code === 'NoSuchChange') return problem('refused', `the change is not known any more (${clean(message)})`);
  if (LIMITED.has(code) || status === 429) return problem('limit', `asked too often (${code})`);
  const batch = batchText(error, code, message);
  if (batch !== null) return batchProblem(clean(batch), problem);
  if (UNREACHABLE.test(code)) return problem('unreachable', `nobody answers (${clean(message || code)})`);
  if (code === 'TimeoutError' || code === 'ETIMEDOUT') return problem('timeout', 'no answer in time');
  if (status !== null && status >= 500) return problem('trouble', `it is in trouble itself (status ${status})`);
  if (status === 401 || status === 403) return problem('credentials', `AWS does not allow this (status ${status})`);
  if (status !== null && status >= 300) {
    return problem('refused', `it refuses this (status ${status}, ${clean(`${code}: ${message}`)})`);
  }
  return problem('malformed', `an answer that cannot be understood (${clean(message)})`);
}

type Facts = {
  readonly code: string;
  readonly status: number | null;
  readonly message: string;
  readonly retryAfterMs: number | null;
};

function factsOf(error: unknown): Facts {
  const found = (typeof error === 'object' && error !== null ? error : {}) as {
    readonly name?: unknown;
    readonly code?: unknown;
    readonly errors?: unknown;
    readonly $metadata?: { readonly httpStatusCode?: unknown };
    readonly $response?: { readonly statusCode?: unknown; readonly headers?: { readonly [name: string]: unknown } };
  };
  // Both families of an address failed: the first says enough.
  const inner = Array.isArray(found.errors) ? (found.errors[0] as { readonly code?: unknown } | undefined) : undefined;
  const systemCode = found.code ?? inner?.code;
  const code =
    typeof systemCode === 'string' && UNREACHABLE.test(systemCode) ? systemCode : String(found.name ?? 'Error');
  const status = found.$metadata?.httpStatusCode ?? found.$response?.statusCode;
  return {
    code,
    status: typeof status === 'number' ? status : null,
    // The client adds advice for programmers.
    message: errorText(error).split('\n  Deserialization error', 1)[0] ?? '',
    retryAfterMs: retryAfterMs(found.$response?.headers?.['retry-after']),
  };
}

/**
 * The sentences of an InvalidChangeBatch, null for another error. They come in a list of their own, by which AWS' client
 * does not know the error, or as its message.
 */
function batchText(error: unknown, code: string, message: string): string | null {
  const { Messages: list } = error as { readonly Messages?: { readonly Message?: unknown } };
  if (list?.Message !== undefined) return [list.Message].flat().map(String).join('; ');
  return code === 'InvalidChangeBatch' ? message : null;
}

function batchProblem(text: string, problem: (kind: ProviderProblem, text: string) => ProviderError): ProviderError {
  if (/not found|do not match the current values|already exists/i.test(text) && !/conflicting RRSet/i.test(text)) {
    return problem('conflict', `a set is not what it was when it was read (${text})`);
  }
  if (/conflicting RRSet|not permitted|multivalue|non-?weighted|SetIdentifier/i.test(text)) {
    return problem('name', `a name cannot have such a set (${text})`);
  }
  return problem('refused', `it refuses the change (${text})`);
}

function shown(text: string, secrets: readonly string[]): string {
  const hidden = withoutSecrets(
    text,
    secrets.filter((one) => one.length > 0).map((one) => new Secret(one)),
  );
  const line = oneLine(hidden);
  return line.length <= SHOWN_MAX ? line : `${line.slice(0, SHOWN_MAX)}…`;
}
