import type { HttpTest } from '../../src/health/checks/http-fail.ts';
import type { ProbePlan } from '../../src/health/checks/protocol.ts';

/** One HTTP check and how it is made, in one piece. */
export type HttpProbe = Omit<HttpTest, 'name' | 'body' | 'status' | 'headers'> &
  Partial<Pick<HttpTest, 'body' | 'status' | 'headers'>> &
  Pick<ProbePlan, 'retry' | 'workers'> & {
    /** Of the whole body, in hexadecimal; null: not compared. */
    readonly md5: string | null;
  };

const DEMO: HttpProbe = {
  kind: 'http',
  host: 'demo.test',
  port: 80,
  proto: 'http',
  uri: '/',
  md5: null,
  verify: true,
  ca: null,
  hostIsEdge: false,
  timeout: 10,
  retry: 3,
  workers: 10,
  maxBytes: 1000,
};

/** The plan of a network without `checks`. */
export function httpPlan(probe: Partial<HttpProbe> = {}): ProbePlan {
  const { retry, workers, md5, ...more } = { ...DEMO, ...probe };
  const body = md5 === null ? null : ({ kind: 'md5', digest: md5 } as const);
  const test: HttpTest = { name: 'http', body, status: null, headers: [], ...more };
  return { checks: [test], combine: 'all', timeout: test.timeout, retry, workers };
}
