/** The check of kind `http`; as edgemanage has it, the fetch of the test object. */
import { isIPv6 } from 'node:net';
import { CHECK_SCHEMAS } from '../../config/section-checks.ts';
import type { Attempt, Check, ProbeTools, Target } from './check.ts';
import { BodyMatch } from './http-body.ts';
import { ACCEPT_ENCODING } from './http-coding.ts';
import { type Content, type ExchangeEnd, ExchangeRun, type ExchangeTimes } from './http-exchange.ts';
import {
  failOfError,
  failOfResponse,
  failOfTimeout,
  HTTP_REASONS,
  type HttpFailure,
  type HttpReason,
  type HttpTest,
} from './http-fail.ts';
import { CookieJar, isRedirect, nextHop } from './http-redirect.ts';
import { firstOf, type ResponseHead, shown } from './http-response.ts';
import type { Http2 } from './http2-request.ts';

export const httpCheck: Check<HttpTest, HttpReason> = {
  kind: 'http',
  schema: CHECK_SCHEMAS.http,
  reasons: HTTP_REASONS,
  probe: probeHttp,
};

/**
 * One GET with the redirects behind it, cookies kept from hop to hop; every hop goes to the edge's own address. An edge
 * that refuses HTTP/1.1 is asked in HTTP/2.
 */
async function probeHttp(
  { edge, address, test }: Target<HttpTest>,
  deadline: number,
  tools: ProbeTools,
): Promise<Attempt<HttpReason>> {
  const started = performance.now();
  const name = test.hostIsEdge ? edge : test.host;
  let url = testUrl(test, name);
  const own = url.hostname;
  const cookies = new CookieJar();
  const visited = new Set<string>();
  let phases: ExchangeTimes = { connect: null, tls: null, firstByte: null };
  let stalledMs = 0;
  let http2: Http2 | null = null;
  /** Spent on finding out that the edge speaks nothing but HTTP/2, which its visitors know. */
  let lostMs = 0;

  for (let hops = 0; ; hops++) {
    const cookie = cookies.header(url);
    const host = hostField(url, url.hostname === own ? bracketed(name) : url.hostname);
    const match = test.body === null ? null : new BodyMatch(test.body);
    const dialled = performance.now();
    const run = new ExchangeRun({
      dial: { address, port: portOf(url), tls: url.protocol === 'https:' ? tlsOf(url, test, tools) : null },
      path: `${url.pathname}${url.search}`,
      fields: [['Host', host], ...requestFields(test, tools.userAgent, cookie)],
      maxBytes: test.maxBytes,
      wantsBody: (head) => wantsBody(test, head),
      match,
      http2,
      stalls: tools.stalls,
    });
    const end = await outcomeOf(run, deadline, tools.signal);
    if (end.kind === 'http2-only') {
      http2 = await import('node:http2');
      lostMs += performance.now() - dialled;
      hops -= 1;
      continue;
    }
    phases = addTimes(phases, run.times);
    stalledMs += run.stalledMs;
    const attempt = (fail: HttpFailure | null): Attempt<HttpReason> => ({
      fail:
        fail === null || hops === 0 ? fail : { ...fail, detail: `${fail.detail}, redirected to ${shown(url.href)}` },
      seconds: (run.endedAt - started - lostMs) / 1000,
      phases,
      hops,
      stalledMs,
    });
    const failed = (reason: HttpReason, detail: string): Attempt<HttpReason> =>
      attempt({ reason, detail, retry: false });

    switch (end.kind) {
      case 'error':
        return attempt(failOfError(end.error, run.progress));
      case 'expired':
        return attempt(failOfTimeout(test.timeout, run.progress));
      case 'cancelled':
        return failed('other', 'the fetch was cut short');
      case 'bad-response':
        return attempt(failOfResponse(end.end, run.progress));
      case 'response': {
        const { head, content } = end;
        const accepted = isAccepted(test, head.status);
        if (accepted === null && head.status >= 400) return failed('status', `status ${head.status}`);
        const location = firstOf(head.fields, 'location');
        if (accepted !== true && isRedirect(head.status) && location !== null) {
          cookies.take(url, head.fields);
          const next = nextHop(url, location, hops);
          if (!next.ok) return failed('redirects', next.why);
          visited.add(visit(url, cookie));
          if (next.url.origin !== url.origin) http2 = null;
          url = next.url;
          // The same request as before would be answered as before.
          if (visited.has(visit(url, cookies.header(url)))) {
            return failed('redirects', `a redirect loop: back at ${shown(url.href)}`);
          }
          break;
        }
        if (accepted === false) return failed('status', `status ${head.status} instead of ${rangesText(test)}`);
        if (content === null || test.body === null || match === null) return attempt(null);
        const problem = match.problem(content.octets, bodyText(head, content));
        if (problem === null && content.broken === null) return attempt(null);
        if (accepted === null && isRedirect(head.status)) {
          return failed('redirects', `status ${head.status} without a Location`);
        }
        const reason = test.body.kind === 'text' ? 'content' : 'checksum';
        return failed(reason, problem ?? `the body is wrong (${bodyText(head, content)})`);
      }
      default:
        return end satisfies never;
    }
  }
}

/** Whether the configuration accepts a status; null: it says nothing about any. */
function isAccepted({ status: ranges }: HttpTest, status: number): boolean | null {
  return ranges === null ? null : ranges.some(([first, last]) => status >= first && status <= last);
}

/** `200-299, 301` */
function rangesText({ status }: HttpTest): string {
  return (status ?? []).map(([first, last]) => (first === last ? first : `${first}-${last}`)).join(', ');
}

function wantsBody(test: HttpTest, { status, fields }: ResponseHead): boolean {
  return isAccepted(test, status) ?? (status < 400 && !(isRedirect(status) && fields.has('location')));
}

/** The configured fields, the usual ones that they do not replace, and cookies that the edge has set. */
function requestFields(
  { headers }: HttpTest,
  userAgent: string,
  cookie: string | null,
): readonly (readonly [string, string])[] {
  const own = new Set(headers.map(([name]) => name.toLowerCase()));
  const usual: readonly (readonly [string, string])[] = [
    ['User-Agent', userAgent],
    ['Accept', '*/*'],
    ['Accept-Encoding', ACCEPT_ENCODING],
    ['Connection', 'close'],
    ...(cookie === null ? [] : [['Cookie', cookie] as const]),
  ];
  return [...usual.filter(([name]) => !own.has(name.toLowerCase())), ...headers];
}

/** Waits for the exchange, its deadline, or until it is not wanted any more. */
async function outcomeOf(run: ExchangeRun, deadline: number, signal: AbortSignal): Promise<ExchangeEnd> {
  const cancel = (): void => run.cancel();
  if (signal.aborted) cancel();
  signal.addEventListener('abort', cancel);
  const timer = setTimeout(() => run.expire(), Math.max(0, deadline - performance.now()));
  const end = await run.done;
  clearTimeout(timer);
  signal.removeEventListener('abort', cancel);
  return end;
}

function bodyText({ status, fields }: ResponseHead, { broken }: Content): string {
  const given = firstOf(fields, 'content-encoding');
  const problem = broken === null ? '' : `, but the body is not ${broken}`;
  const coded = given === null ? '' : `, Content-Encoding ${shown(given)}${problem}`;
  return `status ${status}${coded}`;
}

/** What makes two requests the same. */
function visit(url: URL, cookie: string | null): string {
  return `${url.href} ${cookie ?? ''}`;
}

/** The URL of the test object as if the edge were `name`. The path is kept as it is written: `//obj` names no host. */
function testUrl(test: HttpTest, name: string): URL {
  const path = test.uri.startsWith('/') ? test.uri : `/${test.uri}`;
  return new URL(`${test.proto}://${bracketed(name)}:${test.port}${path}`);
}

/** RFC 9110 section 7.2: with the port unless it is the scheme's own, as edgemanage's client sends it. */
function hostField(url: URL, name: string): string {
  return url.port === '' ? name : `${name}:${url.port}`;
}

function tlsOf(url: URL, test: HttpTest, tools: ProbeTools) {
  const name = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
  // RFC 6066 section 3: without the final dot.
  return { name: name.replace(/\.$/, ''), verify: test.verify, context: tools.trust(test.ca) };
}

function portOf(url: URL): number {
  if (url.port !== '') return Number(url.port);
  return url.protocol === 'https:' ? 443 : 80;
}

function bracketed(name: string): string {
  return isIPv6(name) ? `[${name}]` : name;
}

function addTimes(a: ExchangeTimes, b: ExchangeTimes): ExchangeTimes {
  const add = (x: number | null, y: number | null): number | null => (x === null ? y : x + (y ?? 0));
  return { connect: add(a.connect, b.connect), tls: add(a.tls, b.tls), firstByte: add(a.firstByte, b.firstByte) };
}
