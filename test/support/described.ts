import { isDeepStrictEqual } from 'node:util';
import type { Answer } from '../../src/server/control/http/operation.ts';
import { problemSchema } from '../../src/server/control/http/problem.ts';
import { Router } from '../../src/server/control/http/router.ts';
import { OPERATIONS } from '../../src/server/control/operations.ts';

const router = new Router(OPERATIONS);

export type Answered = {
  readonly method: string;
  /** With or without query. */
  readonly path: string;
  readonly status: number;
  /** As the field `content-type` has it. */
  readonly type: string | null;
  readonly body: string;
};

/**
 * Fails unless the answer is one that its operation describes: the status is listed, the type is right, and the JSON has
 * each key of its schema and no other. Problems are described for every path. Returns the JSON; null for other types.
 */
export function expectDescribed({ method, path, status, type, body }: Answered): unknown {
  const media = (type ?? '').split(';', 1)[0];
  if (media === 'application/problem+json') {
    const problem: unknown = JSON.parse(body);
    expectExactly(problemSchema, problem, `${method} ${path} ${status}`);
    if (problemSchema.parse(problem).status !== status) throw new Error(`${method} ${path} ${status} says ${body}`);
    return problem;
  }
  const found = router.find(method, path.split('?', 1)[0]);
  if (found.kind !== 'found') throw new Error(`${method} ${path} is no operation and was answered with ${status}`);
  const answer: Answer | undefined = found.operation.answers[status];
  if (answer === undefined) throw new Error(`${method} ${path} does not describe status ${status}: ${body}`);
  const expected = answer.type ?? 'application/json';
  if (media !== expected) throw new Error(`the type of ${method} ${path} is ${media}, not ${expected}`);
  if (answer.schema === undefined) {
    if (media === 'application/json') throw new Error(`${method} ${path} answers JSON without a schema`);
    return null;
  }
  const value: unknown = JSON.parse(body);
  expectExactly(answer.schema, value, `${method} ${path} ${status}`);
  return value;
}

/** Parsing drops what a schema does not have; so nothing may be dropped. */
function expectExactly(schema: NonNullable<Answer['schema']>, value: unknown, what: string): void {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new Error(`${what} is not as described: ${parsed.error.message}`);
  if (isDeepStrictEqual(value, JSON.parse(JSON.stringify(parsed.data)))) return;
  throw new Error(`${what} has keys that are not described: ${firstDifference(value, parsed.data, '')}`);
}

/** Where the answer has what its description has not. */
function firstDifference(value: unknown, known: unknown, path: string): string {
  if (typeof value !== 'object' || value === null || typeof known !== 'object' || known === null) return path;
  const others = new Map(Object.entries(known));
  for (const [key, own] of Object.entries(value)) {
    if (!others.has(key)) return `${path}.${key}`;
    if (!isDeepStrictEqual(own, others.get(key))) return firstDifference(own, others.get(key), `${path}.${key}`);
  }
  return path;
}

/** Asks a running server, checks the answer, and returns it. `url`: `http://127.0.0.1:8053/api/v1/status`. */
export async function fetchDescribed(
  url: string,
  init: RequestInit = {},
): Promise<{ readonly status: number; readonly headers: Headers; readonly json: unknown }> {
  const response = await fetch(url, init);
  const { pathname, search } = new URL(url);
  const json = expectDescribed({
    method: init.method ?? 'GET',
    path: pathname + search,
    status: response.status,
    type: response.headers.get('content-type'),
    body: await response.text(),
  });
  return { status: response.status, headers: response.headers, json };
}
