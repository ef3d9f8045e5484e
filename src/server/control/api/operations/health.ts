import { z } from 'zod';
import { type AnyOperation, json, operation } from '../../http/operation.ts';
import { healthBody, healthReasons } from '../../views/healthz.ts';
import { healthBriefSchema, healthSchema, livezSchema, readyzSchema } from '../schemas/health.ts';

/** What orchestrators, balancers and monitors decide by. */
export const HEALTH: readonly AnyOperation[] = [
  operation({
    method: 'GET',
    path: '/livez',
    summary: 'Whether the process works',
    description: 'For whoever would start it again.',
    tag: 'health',
    access: 'open',
    lane: 'health',
    answers: { 200: { description: 'It does', schema: livezSchema } },
    handle: ({ view }, { right }) =>
      json(200, { status: 'ok', ...(right === 'none' ? {} : { version: view.version }) }),
  }),
  operation({
    method: 'GET',
    path: '/readyz',
    summary: 'Whether DNS queries are answered',
    description: 'For whoever sends queries here.',
    tag: 'health',
    access: 'open',
    lane: 'health',
    answers: {
      200: { description: 'They are', schema: readyzSchema },
      503: { description: 'Not yet, or not any more', schema: readyzSchema },
    },
    handle: ({ view }) =>
      json(view.ready() ? 200 : 503, { status: view.ready() ? 'ok' : 'not ready', ready: view.ready() }),
  }),
  operation({
    method: 'GET',
    path: '/healthz',
    summary: 'Whether all is well, and every reason why not',
    description: 'For whoever is on duty.',
    tag: 'health',
    access: 'open',
    lane: 'health',
    answers: {
      200: { description: 'All is well', schema: z.union([healthSchema, healthBriefSchema]) },
      503: { description: 'The reasons why not', schema: z.union([healthSchema, healthBriefSchema]) },
    },
    handle: ({ view }, { right }) => {
      const reasons = healthReasons(view);
      const body = healthBody(view, reasons);
      const { status, ready } = body;
      return json(reasons.length === 0 ? 200 : 503, right === 'none' ? { status, ready } : body);
    },
  }),
];
