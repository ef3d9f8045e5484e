import { OPERATIONS as READS } from './api/operations.ts';
import { OPERATIONS as WRITES } from './api/writes.ts';
import type { AnyOperation } from './http/operation.ts';

/** Everything that this server answers over HTTP; what is not in one of these lists does not exist. */
export const OPERATIONS: readonly AnyOperation[] = [...READS, ...WRITES];
