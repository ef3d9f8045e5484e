import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type AnyOperation, operation, type Reply } from '../../http/operation.ts';
import { openApi } from '../openapi.ts';

const documentSchema = z
  .looseObject({ openapi: z.string(), info: z.looseObject({ title: z.string(), version: z.string() }) })
  .describe('An OpenAPI 3.1 document.');

/** Where the description of `operations`, and of itself, is answered. Made when it is first asked for. */
export function openApiOperation(operations: readonly AnyOperation[]): AnyOperation {
  let reply: Reply | null = null;
  const own: AnyOperation = operation({
    method: 'GET',
    path: '/api/v1/openapi.json',
    summary: 'This description',
    tag: 'server',
    access: 'read',
    answers: {
      200: {
        description: 'OpenAPI 3.1',
        schema: documentSchema,
        headers: { ETag: 'For `If-None-Match`.' },
      },
    },
    handle: () => {
      reply ??= replyOf([...operations, own]);
      return reply;
    },
  });
  return own;
}

function replyOf(operations: readonly AnyOperation[]): Reply {
  const body = Buffer.from(`${JSON.stringify(openApi(operations))}\n`);
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  return { status: 200, type: 'application/json; charset=utf-8', body, headers: { etag, 'cache-control': 'no-cache' } };
}
