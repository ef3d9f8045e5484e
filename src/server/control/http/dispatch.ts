/** From a request to its reply, step by step; each step that says no is a problem (RFC 9457). No socket here. */
import { z } from 'zod';
import type { AccessPolicy, Admission } from './access.ts';
import { BODY_OCTETS_MAX, type Body, fieldsOf } from './body.ts';
import { notFoundFor } from './not-found.ts';
import type { AnyOperation, Input, Reply, Request, Sources, StreamReply } from './operation.ts';
import { problem } from './problem.ts';
import type { Renderer } from './renderer.ts';
import type { Router } from './router.ts';

export type Site = {
  readonly sources: Sources;
  readonly router: Router;
  readonly access: AccessPolicy;
  readonly lanes: { readonly [lane in 'health' | 'rest']: Renderer<Reply | StreamReply> };
};

/** Nobody reads it. */
const HUNG_UP = problem(503, 'the client has hung up');

/** `query`: without the question mark. `body` is read only when everything before it allows the request. */
export async function dispatch(
  site: Site,
  request: Request,
  query: string,
  body: () => Promise<Body>,
): Promise<Reply | StreamReply> {
  const reply = await answer(site, request, query, body);
  // Programs read what is below /api as JSON, whatever else they accept.
  const isPage = request.method === 'GET' && !request.path.startsWith('/api/');
  return isPage && reply.status === 404 ? notFoundFor(request, reply) : reply;
}

async function answer(
  site: Site,
  request: Request,
  query: string,
  body: () => Promise<Body>,
): Promise<Reply | StreamReply> {
  const { sources, router, access, lanes } = site;
  const found = router.find(request.method, request.path);
  if (found.kind === 'unknown') return problem(404, 'see / for what there is');
  if (found.kind === 'method') {
    const allow = found.allowed.join(', ');
    return problem(405, `only ${found.allowed.join(' and ')}`, { allow });
  }
  const { operation, segments } = found;
  const admission = await access.admit(operation.access, request);
  if (!admission.ok) return admission.reply;

  const params = parse(operation.params, segments);
  if (!params.ok) return problem(404, 'see / for what there is');
  const asked = parse(operation.query, fieldsOf(query));
  if (!asked.ok) return problem(400, `query: ${asked.why}`);

  const input = { params: params.value, query: asked.value, author: admission.author, right: admission.right, request };
  if (operation.method === 'GET') {
    const { author, right } = admission;
    const whom = operation.isPersonal === true ? [author, right] : right === 'none';
    const key = JSON.stringify([request.path, asked.value, whom, operation.variant?.(request)]);
    const render = () => operation.handle(sources, { ...input, body: undefined });
    const lane = operation.lane ?? 'rest';
    const asker = { client: request.client, author, gone: request.gone };
    const reply = await (lane === 'none' ? render() : lanes[lane].reply(key, asker, render));
    if (reply === null) return HUNG_UP;
    const now = await renewed(access, operation.access, request, admission);
    if (!now.ok) return now.reply;
    return 'stream' in reply && now.grant !== undefined ? { ...reply, grant: now.grant } : reply;
  }
  const sent = await bodyOf(operation, request, body);
  // A body may take seconds, in which the right to send it can be taken away.
  const now = await renewed(access, operation.access, request, admission);
  return now.ok ? change(sources, operation, input, sent) : now.reply;
}

type Admitted = Extract<Admission, { readonly ok: true }>;

/** The admission, unless what it rests on has ended while the request waited; asked for again, it may not be the same. */
async function renewed(
  access: AccessPolicy,
  needed: Parameters<AccessPolicy['admit']>[0],
  request: Request,
  before: Admitted,
): Promise<Admission> {
  if (before.grant === undefined || before.grant.isValid()) return before;
  const now = await access.admit(needed, request);
  if (!now.ok || (now.author === before.author && now.right === before.right)) return now;
  return { ok: false, reply: problem(503, 'who may do what has just changed: ask again', { 'retry-after': '1' }) };
}

type Parsed = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly why: string };

function parse(schema: z.ZodType | undefined, value: unknown): Parsed {
  if (schema === undefined) return { ok: true, value: undefined };
  const result = schema.safeParse(value);
  return result.success ? { ok: true, value: result.data } : { ok: false, why: whyNot(result.error) };
}

/** `for: expected seconds; mode: expected …` */
function whyNot({ issues }: z.ZodError): string {
  return issues.map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`)).join('; ');
}

const WRONG_TYPE = 'expected a body of type application/json';

type Sent = { readonly value: unknown; readonly ifMatch: string | null };

/** Reads and checks what is sent along. */
async function bodyOf(operation: AnyOperation, request: Request, read: () => Promise<Body>): Promise<Sent | Reply> {
  const ifMatch = request.header('if-match');
  if (operation.body === undefined) return { value: undefined, ifMatch };
  const type = (request.header('content-type') ?? '').split(';', 1)[0].trim().toLowerCase();
  const isForm = operation.body.form === true && type === 'application/x-www-form-urlencoded';
  const isKnown = isForm || type === 'application/json';
  const mayBeEmpty = operation.body.isOptional === true;
  if (!isKnown && !mayBeEmpty) return problem(415, WRONG_TYPE);
  const body = await read();
  if (!body.ok) {
    return body.why === 'too-large'
      ? problem(413, `a body may have ${BODY_OCTETS_MAX} octets`)
      : problem(400, 'the body is not whole, or no text in UTF-8');
  }
  const isEmpty = mayBeEmpty && body.text === '';
  if (!isKnown && !isEmpty) return problem(415, WRONG_TYPE);
  let value: unknown;
  try {
    value = isEmpty ? {} : isForm ? fieldsOf(body.text) : JSON.parse(body.text);
  } catch {
    return problem(400, 'the body is no JSON');
  }
  const parsed = parse(operation.body.schema, value);
  if (!parsed.ok) return problem(422, parsed.why);
  return { value: parsed.value, ifMatch: ifMatch ?? (isForm ? formTag(value) : null) };
}

function formTag(fields: unknown): string | null {
  const { success, data } = z.object({ if_match: z.string() }).safeParse(fields);
  return success ? data.if_match : null;
}

/** Whatever is no GET. */
function change(
  sources: Sources,
  operation: AnyOperation,
  input: Omit<Input, 'body'>,
  sent: Sent | Reply,
): Reply | StreamReply | Promise<Reply | StreamReply> {
  if ('status' in sent) return sent;
  if (operation.version !== undefined) {
    const now = operation.version(sources, input.params);
    if (now === null) return problem(404, 'there is nothing of this name');
    if (sent.ifMatch === null) return problem(428, 'send If-Match with the ETag of what you have seen', { etag: now });
    if (!matches(sent.ifMatch, now)) {
      return problem(412, 'it is no longer as you have seen it: read it again, then decide', { etag: now });
    }
  }
  return operation.handle(sources, { ...input, body: sent.value });
}

/**
 * Whether a list of entity tags has this one, or is `*` (RFC 9110 section 13.1.1). Weak tags never match here, as the
 * RFC has it for `If-Match`.
 */
export function matches(list: string, tag: string): boolean {
  if (list.trim() === '*') return true;
  return list.split(',').some((each) => each.trim() === tag);
}
