/** One POST to one endpoint of etcd: bounded in time and size, no redirect followed, whatever comes is a value. */
import type { Dispatcher } from 'undici';
import { errorText, systemCode } from '../../../system/error-text.ts';
import { isObject, type JsonObject } from '../../../system/json-object.ts';
import type { EtcdFault } from './wire.ts';

const MIB = 2 ** 20;
/** Octets of an answer: three values of 1 MiB in base64, and room. */
const ANSWER_MAX = 8 * MIB;
/** Characters of a message that are repeated. */
const SHOWN_MAX = 200;
/** gRPC: the member cannot serve at the moment, and another may (cancelled, unknown, deadline, internal, unavailable). */
const ELSEWHERE: ReadonlySet<number> = new Set([1, 2, 4, 13, 14]);

export type Reply =
  | { readonly ok: true; readonly value: JsonObject }
  | { readonly ok: false; readonly fault: EtcdFault };

export type Post = {
  readonly endpoint: string;
  readonly path: string;
  readonly body: string;
  /** Of a user; null: none. */
  readonly token: string | null;
};

/** Rejects as undici does where there is no answer. `bodyTimeout`: between two pieces, milliseconds; 0: for ever. */
export function open(
  dispatcher: Dispatcher,
  post: Post,
  signal: AbortSignal,
  bodyTimeout?: number,
): Promise<Dispatcher.ResponseData> {
  return dispatcher.request({
    origin: post.endpoint,
    path: `/v3/${post.path}`,
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      // A member without a leader says so at once, instead of waiting for one.
      'grpc-metadata-hasleader': 'true',
      ...(post.token === null ? {} : { authorization: post.token }),
    },
    body: post.body,
    signal,
    ...(bodyTimeout === undefined ? {} : { bodyTimeout }),
  });
}

/** The whole answer. Never rejects. */
export async function send(dispatcher: Dispatcher, post: Post, signal: AbortSignal): Promise<Reply> {
  const { host } = new URL(post.endpoint);
  try {
    const { statusCode, body } = await open(dispatcher, post, signal);
    const chunks: Buffer[] = [];
    let octets = 0;
    for await (const chunk of body) {
      octets += chunk.length;
      if (octets > ANSWER_MAX) return tooLarge(host); // leaving destroys the body
      chunks.push(chunk);
    }
    return read(host, statusCode, Buffer.concat(chunks).toString());
  } catch (error) {
    return { ok: false, fault: lost(host, error) };
  }
}

function read(host: string, status: number, text: string): Reply {
  if (status >= 300 && status < 400) return unusable(host, `a redirect (${status}), which is not followed`);
  const value = parse(text);
  if (value === null) return unusable(host, `${status} and no JSON object`);
  const fault = faultIn(host, value);
  if (fault !== null) return { ok: false, fault };
  return status === 200 ? { ok: true, value } : unusable(host, `the status ${status}`);
}

function tooLarge(host: string): Reply {
  const reply = unusable(host, `more than ${ANSWER_MAX / MIB} MiB`);
  return reply.ok ? reply : { ok: false, fault: { ...reply.fault, isTooLarge: true } };
}

function unusable(host: string, what: string): Reply {
  const text = `${host} does not answer as etcd does: it sends ${what}`;
  return { ok: false, fault: { kind: 'unreachable', code: null, text } };
}

/** A JSON object, or null. (V8 parses nesting of any depth without recursion.) */
export function parse(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

/** What is wrong by what etcd itself says; null: nothing. In a stream `error` is an object. */
export function faultIn(host: string, answer: JsonObject): EtcdFault | null {
  const said = isObject(answer['error']) ? answer['error'] : answer;
  const code = said['code'] ?? said['grpc_code'];
  const message = said['message'] ?? said['error'];
  if (typeof code !== 'number' || typeof message !== 'string') return null;
  const kind = ELSEWHERE.has(code) ? 'unreachable' : 'refused';
  return { kind, code, text: `etcd at ${host} ${meaning(message)}` };
}

function meaning(message: string): string {
  if (/database space exceeded/i.test(message)) {
    return 'is out of space (alarm NOSPACE): it stores nothing until it is compacted, defragmented and disarmed';
  }
  if (/corrupt/i.test(message)) return 'is corrupt (alarm CORRUPT): it stores nothing until it is repaired';
  if (/no leader/i.test(message)) return 'has no leader: it is cut off from the majority of its members';
  if (/user name is empty/i.test(message)) return 'wants a user and a password (vantage.user, vantage.password_file)';
  return `says: ${message.replace(/\s+/g, ' ').slice(0, SHOWN_MAX)}`;
}

/** Why there is no whole answer, from what undici rejects with. */
export function lost(host: string, error: unknown): EtcdFault {
  const code = systemCode(error);
  const isLate = /^UND_ERR_\w+_TIMEOUT$/.test(code) || (error instanceof Error && /Timeout|Abort/.test(error.name));
  const why = code === '' || code.startsWith('UND_ERR_') ? errorText(error).slice(0, SHOWN_MAX) : code;
  const text = isLate ? `${host} does not answer in time` : `${host} cannot be reached, or broke off: ${why}`;
  return { kind: 'unreachable', code: null, text };
}
