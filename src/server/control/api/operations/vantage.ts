import { type AnyOperation, json, operation } from '../../http/operation.ts';
import { problem, problemSchema } from '../../http/problem.ts';
import { vantageJson } from '../../views/vantage-view.ts';
import { vantageSchema } from '../schemas/vantage.ts';

export const VANTAGE: readonly AnyOperation[] = [
  operation({
    method: 'GET',
    path: '/api/v1/vantage',
    summary: 'Several vantage points: who decides, which views count, who says what of suspect edges',
    tag: 'vantage',
    access: 'read',
    answers: {
      200: { description: 'The vantage points', schema: vantageSchema },
      404: { description: 'This server decides alone', schema: problemSchema, type: 'application/problem+json' },
    },
    handle: ({ view }) => {
      const source = view.vantage();
      if (source === null) return problem(404, 'this server decides alone: its configuration has no vantage');
      return json(200, vantageJson(source, view.networks(), view.now()));
    },
  }),
];
