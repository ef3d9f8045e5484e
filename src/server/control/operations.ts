import { DEFLECT } from './api/operations/deflect.ts';
import { openApiOperation } from './api/operations/openapi.ts';
import { OPERATIONS as READS } from './api/operations.ts';
import { OPERATIONS as WRITES } from './api/writes.ts';
import type { AnyOperation } from './http/operation.ts';

const DESCRIBED: readonly AnyOperation[] = [...READS, ...WRITES, ...DEFLECT];

/** Everything that this server answers over HTTP; what is not in one of these lists does not exist. */
export const OPERATIONS: readonly AnyOperation[] = [...DESCRIBED, openApiOperation(DESCRIBED)];
