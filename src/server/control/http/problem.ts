import { STATUS_CODES } from 'node:http';
import { z } from 'zod';
import type { Reply } from './operation.ts';

/** Every error of the HTTP side (RFC 9457). */
export const problemSchema = z
  .object({
    error: z.string().describe('The title in lower case; older than the other members.'),
    detail: z.string().describe('A sentence for a person.'),
    type: z.literal('about:blank').describe('The status says what kind of problem it is.'),
    title: z.string().describe('The reason phrase of the status.'),
    status: z.int().min(400).max(599),
    faults: z.array(z.string()).optional().describe('What is wrong with files, each with its place.'),
  })
  .meta({ id: 'Problem', description: 'An error (RFC 9457).' });

export type Problem = z.infer<typeof problemSchema>;

/** An error as every path reports it. */
export function problem(status: number, detail: string, headers?: Reply['headers'], faults?: readonly string[]): Reply {
  const title = STATUS_CODES[status] ?? 'Error';
  const error = status === 500 ? 'internal error' : title.toLowerCase();
  const value: Problem = { error, detail, type: 'about:blank', title, status, ...(faults && { faults: [...faults] }) };
  return {
    status,
    type: 'application/problem+json; charset=utf-8',
    body: `${JSON.stringify(value)}\n`,
    ...(headers === undefined ? {} : { headers }),
  };
}
