/** Pages of keys with their values, whatever somebody else has stored among them. */
import type { EtcdClient } from './client/client.ts';
import type { Answer, Range, RangeResult } from './client/wire.ts';

/**
 * At most `limit` keys; fewer where their values are longer than what an answer may have. A single value that is too long
 * is given as an empty one, which makes no sense to whoever reads it.
 */
export async function readPage(
  client: Pick<EtcdClient, 'range'>,
  range: Range,
  limit: number,
): Promise<Answer<RangeResult>> {
  for (let most = limit; ; most = Math.ceil(most / 10)) {
    const answer = await client.range({ ...range, limit: most });
    if (answer.ok || answer.fault.isTooLarge !== true) return answer;
    if (most === 1) return client.range({ ...range, limit: 1, keysOnly: true });
  }
}
