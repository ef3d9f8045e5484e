/**
 * One path and method of the HTTP side as a value: who may ask, what comes in, what goes out, and how the answer is made.
 * Routing, access, limits, the published description (OpenAPI 3.1) and the check of answers in tests are all made from
 * lists of these; a new resource is one file that exports such a list.
 */
import type { z } from 'zod';
import type { Metrics } from '../metrics/metrics.ts';
import type { StatusView } from '../views/views.ts';
import type { ControlActions } from './control-actions.ts';

/** What handlers read from, and have done. `actions` null: nothing can be done here (a dry run). */
export type Sources = {
  readonly view: StatusView;
  readonly metrics: Metrics;
  readonly actions: ControlActions | null;
};

/** `body`: text, or its octets in UTF-8. */
export type Reply = {
  readonly status: number;
  readonly type: string;
  readonly body: string | Uint8Array;
  /** Names in lower case. An `etag` beside a `cache-control` makes `If-None-Match` work. */
  readonly headers?: { readonly [name: string]: string | readonly string[] };
};

/** Where a reply that never ends writes to. */
export type StreamSink = {
  /** False: the client does not keep up, and what it missed must be sent as a whole later, if at all. */
  readonly write: (text: string) => boolean;
  readonly end: () => void;
};

/** How long what a request was allowed holds. */
export type Grant = {
  /** Whether it would be allowed now; asking does not count as a request. */
  readonly isValid: () => boolean;
  /** Aborted when the session that it was made in ends; null: it was made without one. */
  readonly ended: AbortSignal | null;
};

/** An answer that goes on, such as server-sent events. Its connection gives way when there are too many. */
export type StreamReply = {
  readonly status: 200;
  readonly type: string;
  readonly headers?: Reply['headers'];
  /** Called once the header is sent; what it returns is called when the connection has ended, for whatever reason. */
  readonly stream: (sink: StreamSink) => () => void;
  /** Nothing is sent once it is over, and the connection ends. Left out: it has no end. */
  readonly grant?: Grant;
};

/**
 * Who may ask. `open`: everybody who reaches the port (what an orchestrator decides by). `read`: whoever may read
 * (everybody unless `http.read` restricts it). `write`: an administrator of `http.admin`.
 */
export type Access = 'open' | 'read' | 'write';

/** The most that whoever asks may do; `none`: reads are restricted, and it is nobody who may read. */
export type Right = 'none' | 'read' | 'write';

/** The facts of a request, without a socket. */
export type Request = {
  readonly method: string;
  /** Percent-encoded, without query. */
  readonly path: string;
  /** Names in lower case; a field that came more than once, or not at all, is null. */
  readonly header: (name: string) => string | null;
  /** The client's address. */
  readonly client: string;
  readonly isTls: boolean;
  /** Subject of a client certificate that `http.admin.clients` vouches for; null: there is none. */
  readonly certificate: string | null;
  /** Aborted when the connection ends; left out: it does not. */
  readonly gone?: AbortSignal | undefined;
};

export type Input<Params = unknown, Query = unknown, Body = unknown> = {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** Who asks, as the token file calls them; null: nobody in particular. */
  readonly author: string | null;
  readonly right: Right;
  readonly request: Request;
};

/** An answer as it is described. Without `schema`: not JSON, `type` says what. */
export type Answer = {
  readonly description: string;
  readonly schema?: z.ZodType;
  /** Left out: `application/json`. */
  readonly type?: string;
  /** What its header fields say, by their names. */
  readonly headers?: { readonly [name: string]: string };
};

export type Operation<Params = unknown, Query = unknown, Body = unknown> = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** As OpenAPI writes it, `/api/v1/networks/{network}`; each `{…}` is one segment. */
  readonly path: string;
  /** A few words, without a final dot. */
  readonly summary: string;
  readonly description?: string;
  /** Under which heading it is described; null: it is a page for people and not described. */
  readonly tag: string | null;
  readonly access: Access;
  /**
   * What an orchestrator or a monitor decides by does not wait behind large answers. Left out: `rest`. `none`: its
   * handler waits for something else than this thread, and bounds itself. Requests other than GET are carried out at
   * once.
   */
  readonly lane?: 'health' | 'rest' | 'none';
  /** The answer to a GET differs by who asks, so that two people's requests must not share one. */
  readonly isPersonal?: boolean;
  /** What else the answer to a GET differs by: two requests share one only where this is the same. */
  readonly variant?: (request: Request) => string;
  readonly params?: z.ZodType<Params>;
  /** Keys that it does not have are ignored. A key that came several times is an array. */
  readonly query?: z.ZodType<Query>;
  /**
   * What is sent along. `form`: also as a form of a page, `application/x-www-form-urlencoded`. `isOptional`: an empty
   * body, of whatever type, counts as `{}`.
   */
  readonly body?: { readonly schema: z.ZodType<Body>; readonly form?: boolean; readonly isOptional?: boolean };
  readonly answers: { readonly [status: number]: Answer };
  /**
   * The entity tag (RFC 9110 section 8.8.3, quoted) of what would be changed; null: there is no such thing. With it a
   * request needs a matching `If-Match`: nobody changes what they have not seen. A form sends it as its field
   * `if_match`.
   */
  version?(sources: Sources, params: Params): string | null;
  handle(sources: Sources, input: Input<Params, Query, Body>): Reply | StreamReply | Promise<Reply | StreamReply>;
};

/** The same with its types forgotten: each handler gets what its own schemas made. */
export type AnyOperation = Operation;

/** Has the types of a handler's input follow from the schemas. */
export function operation<Params, Query, Body>(described: Operation<Params, Query, Body>): AnyOperation {
  return described as AnyOperation;
}

export function json(status: number, value: object, headers?: Reply['headers']): Reply {
  const body = `${JSON.stringify(value)}\n`;
  return { status, type: 'application/json; charset=utf-8', body, ...(headers === undefined ? {} : { headers }) };
}
