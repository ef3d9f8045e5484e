import type { HttpTest } from '../../src/health/checks/http-fail.ts';
import type { ProbePlan } from '../../src/health/checks/protocol.ts';

/** One HTTP check and how it is made, in one piece. */
export type HttpProbe = Omit<HttpTest, 'name'> & Pick<ProbePlan, 'retry' | 'workers'>;

/** The plan of a network without `checks`. */
export function httpPlan({ retry, workers, ...test }: HttpProbe): ProbePlan {
  return { checks: [{ name: 'http', ...test }], combine: 'all', timeout: test.timeout, retry, workers };
}
