import { isIPv6 } from 'node:net';
import type { SecureContext } from 'node:tls';
import type { Fetch, ProbeTest } from '../judge/types.ts';
import { type FetchFail, failOfError, failOfTimeout, headerDetail } from './fetch-fail.ts';
import { HopRun, type HopTimes } from './fetch-hop.ts';
import { nextHop } from './fetch-redirect.ts';
import type { StallClock } from './stall.ts';

/** One address of one edge. `resolve`: seconds its name took to look up, null when it is an address itself. */
export type FetchTarget = { readonly edge: string; readonly address: string; readonly resolve: number | null };

/** What all fetches share. */
export type FetchTools = {
  readonly userAgent: string;
  readonly secureContext: SecureContext;
  readonly stalls: StallClock;
};

/** `stalledMs`: by how much its last try may be too long because our own loop stood still. */
export type Fetched = { readonly fetch: Fetch; readonly stalledMs: number };

/** One try. `hops`: redirects followed. */
type Tried = {
  readonly fail: FetchFail | null;
  readonly seconds: number;
  readonly times: HopTimes;
  readonly hops: number;
  readonly stalledMs: number;
};

/**
 * Fetches the test object from one address, redirects and retries included; never rejects. One deadline, `test.timeout`
 * less the time the name took, covers all tries. The figures are those of the last try. `seconds` leaves out the name's
 * look-up, which says nothing about the edge; `phases.total` has it.
 */
export async function fetchEdge(target: FetchTarget, test: ProbeTest, tools: FetchTools): Promise<Fetched> {
  try {
    return await fetchTries(target, test, tools);
  } catch (error) {
    // A bug or a test that cannot be turned into a request; one edge's trouble must not end the round of all.
    return { fetch: failedFetch(target, test, `the fetch could not be made: ${String(error)}`), stalledMs: 0 };
  }
}

function failedFetch(target: FetchTarget, test: ProbeTest, detail: string): Fetch {
  return {
    address: target.address,
    seconds: test.timeout,
    fail: { reason: 'other', detail },
    phases: { resolve: target.resolve, connect: null, tls: null, firstByte: null, total: target.resolve ?? 0 },
    attempts: 1,
    hops: 0,
  };
}

async function fetchTries(target: FetchTarget, test: ProbeTest, tools: FetchTools): Promise<Fetched> {
  const deadline = performance.now() + (test.timeout - (target.resolve ?? 0)) * 1000;
  const tries = Math.max(1, test.retry);
  let attempts = 1;
  let tried = await fetchOnce(target, test, tools, deadline);
  while (tried.fail?.retry === true && attempts < tries && performance.now() < deadline) {
    attempts += 1;
    tried = await fetchOnce(target, test, tools, deadline);
  }
  const fail = tried.fail ?? lateFail(tried, test.timeout);
  const fetch: Fetch = {
    address: target.address,
    seconds: fail === null ? tried.seconds : test.timeout,
    fail: fail === null ? null : { reason: fail.reason, detail: fail.detail },
    phases: { resolve: target.resolve, ...tried.times, total: (target.resolve ?? 0) + tried.seconds },
    attempts,
    hops: tried.hops,
  };
  return { fetch, stalledMs: tried.stalledMs };
}

/** The deadline's timer and the last octet can fall into one turn of the loop; a success that is too late is none. */
function lateFail(tried: Tried, timeout: number): FetchFail | null {
  if (tried.seconds < timeout) return null;
  return { reason: 'timeout', detail: `took ${tried.seconds.toFixed(3)} s`, retry: false };
}

async function fetchOnce(target: FetchTarget, test: ProbeTest, tools: FetchTools, deadline: number): Promise<Tried> {
  const started = performance.now();
  const name = test.hostIsEdge ? target.edge : test.host;
  let url = testUrl(test, name);
  const host = url.hostname;
  let times: HopTimes = { connect: null, tls: null, firstByte: null };
  let stalledMs = 0;
  const visited = new Set<string>();

  for (let hops = 0; ; hops++) {
    visited.add(url.href);
    // The host of the test is named without its port, as edgemanage names it; another one as the redirect has it.
    const run = new HopRun({
      dial: {
        address: target.address,
        port: portOf(url),
        tls:
          url.protocol === 'https:' ? { name: hostName(url), verify: test.verify, context: tools.secureContext } : null,
      },
      url,
      hostHeader: url.hostname === host ? bracketed(name) : url.host,
      userAgent: tools.userAgent,
      maxBytes: test.maxBytes,
      stalls: tools.stalls,
    });
    const timer = setTimeout(() => run.expire(), Math.max(0, deadline - performance.now()));
    const end = await run.done;
    clearTimeout(timer);
    times = addTimes(times, run.times);
    stalledMs += run.stalledMs;
    const tried = (fail: FetchFail | null): Tried => ({
      fail,
      seconds: (run.endedAt - started) / 1000,
      times,
      hops,
      stalledMs,
    });
    const failed = (reason: FetchFail['reason'], detail: string): Tried => tried({ reason, detail, retry: false });

    switch (end.kind) {
      case 'error':
        return tried(failOfError(end.error, run.progress));
      case 'expired':
        return tried(failOfTimeout(test.timeout, run.progress));
      case 'too-large':
        return failed('too-large', `body of ${end.octets} octets or more, over ${test.maxBytes}`);
      case 'flood': {
        const { phase, octets } = run.progress;
        if (phase !== 'body') return failed('headers-too-large', headerDetail());
        return failed('too-large', `${end.octets} octets on the wire for ${octets} of a body`);
      }
      case 'status':
        return failed('status', `status ${end.status}`);
      case 'response':
        if (test.md5 === null || end.md5 === test.md5) return tried(null);
        return failed('checksum', checksumDetail(end.status, run.progress.octets, end.md5, test.md5, end.encoding));
      case 'redirect': {
        const next = nextHop(url, end.status, end.location, visited);
        if (!next.ok) return failed('redirects', next.why);
        url = next.url;
      }
    }
  }
}

function checksumDetail(status: number, octets: number, got: string, want: string, encoding: string | null): string {
  const coded = encoding === null ? '' : `, Content-Encoding ${JSON.stringify(encoding.slice(0, 40))}`;
  return `MD5 ${got} of ${octets} octets (status ${status}${coded}) instead of ${want}`;
}

/** The URL of the test object as if the edge were `name`. Kept, because most rounds use one for all edges. */
function testUrl(test: ProbeTest, name: string): URL {
  if (lastUrl.test !== test || lastUrl.name !== name) {
    lastUrl = { test, name, url: new URL(test.uri, `${test.proto}://${bracketed(name)}:${test.port}/`) };
  }
  return lastUrl.url;
}

let lastUrl: { readonly test: ProbeTest | null; readonly name: string; readonly url: URL } = {
  test: null,
  name: '',
  url: new URL('http://edge/'),
};

function portOf(url: URL): number {
  if (url.port !== '') return Number(url.port);
  return url.protocol === 'https:' ? 443 : 80;
}

function hostName(url: URL): string {
  return url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
}

function bracketed(name: string): string {
  // Without a colon it is not worth the long expression behind `isIPv6`.
  return name.includes(':') && isIPv6(name) ? `[${name}]` : name;
}

function addTimes(a: HopTimes, b: HopTimes): HopTimes {
  const add = (x: number | null, y: number | null): number | null => (x === null ? y : x + (y ?? 0));
  return { connect: add(a.connect, b.connect), tls: add(a.tls, b.tls), firstByte: add(a.firstByte, b.firstByte) };
}
