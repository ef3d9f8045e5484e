import type { Check } from './check.ts';
import { httpCheck } from './http.ts';
import type { ProbeTest } from './protocol.ts';
import type { FailReason } from './sample.ts';

/**
 * Every kind of check. A new one is a file here (its `Check`, its reasons beside it and in `sample.ts`), a schema in
 * `src/config` and a page in `docs`.
 */
const CHECKS = { http: httpCheck } as const satisfies {
  readonly [kind in ProbeTest['kind']]: Check<ProbeTest, FailReason>;
};

export function checkOf(test: ProbeTest): Check<ProbeTest, FailReason> {
  return CHECKS[test.kind];
}
