import type { CheckOutcome, Fetch, Sample } from '../../../health/checks/sample.ts';
import type { SampleJson } from './schemas/sample.ts';

export function sampleJson({ edge, at, seconds, fail, primary, others, stalledMs }: Sample): SampleJson {
  const fetches = [...(primary === null ? [] : [primary]), ...others];
  return { edge, at, seconds, fail: failJson(fail), stalled_ms: stalledMs, addresses: fetches.map(fetchJson) };
}

function fetchJson(fetch: Fetch): SampleJson['addresses'][number] {
  const { address, check, checks } = fetch;
  const rows = checks.map(({ name, kind, ...rest }) => ({ name, kind, ...outcomeJson(rest) }));
  return { address, check, ...outcomeJson(fetch), checks: rows };
}

function outcomeJson(from: Omit<CheckOutcome, 'name' | 'kind'>) {
  const { seconds, fail, attempts, hops, phases } = from;
  const { resolve, connect, tls, firstByte, total } = phases;
  return {
    seconds,
    fail: failJson(fail),
    attempts,
    hops,
    phases: { resolve, connect, tls, first_byte: firstByte, total },
  };
}

function failJson(fail: Sample['fail']): SampleJson['fail'] {
  return fail === null ? null : { reason: fail.reason, detail: fail.detail };
}
