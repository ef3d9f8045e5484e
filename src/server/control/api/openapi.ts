/** The description of the HTTP side (OpenAPI 3.1), made from the list of its operations. */
import { STATUS_CODES } from 'node:http';
import { z } from 'zod';
import type { Access, Answer, AnyOperation } from '../http/operation.ts';
import { problemSchema } from '../http/problem.ts';
import { SchemaComponents } from './openapi-schemas.ts';

/** Of the whole: everything under /api/v1 stays compatible. */
const API_VERSION = '1';

const DESCRIPTION = `What a running Edgewise shows and does. docs/api.md says how to use it.

Times are epoch seconds (fractions allowed), durations seconds; null means "not known" or "not reached" unless a key says otherwise.
Within v1 no key and no path is renamed or dropped and none changes its meaning; new ones may come, and new values of enumerations, so clients ignore what they do not know.`;

const TAGS: readonly { readonly name: string; readonly description: string }[] = [
  { name: 'health', description: 'What orchestrators, load balancers and monitors decide by.' },
  { name: 'server', description: 'The server as a whole.' },
  { name: 'networks', description: 'Networks, their edges, and what is live.' },
  { name: 'zones', description: 'Zones, and their serials here and at the secondaries.' },
  { name: 'vantage', description: 'Several vantage points that decide together.' },
  { name: 'publish', description: "Sets that are kept at other people's DNS." },
  { name: 'changes', description: 'What an administrator (`http.admin`) may change.' },
  {
    name: 'deflect-api',
    description: 'The same under the paths of deflect-api, for those who drive edgemanage by it.',
  },
  { name: 'metrics', description: 'For Prometheus.' },
];

const SECURITY_SCHEMES = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    description: 'A token of the files that `http.admin.tokens` and `http.read.tokens` name.',
  },
  session: {
    type: 'apiKey',
    in: 'cookie',
    name: '__Host-edgewise',
    description:
      'Set by `POST /login`; `edgewise` without TLS. A port other than the usual one follows the name: `edgewise-8053`.',
  },
  certificate: { type: 'mutualTLS', description: 'A client certificate that `http.admin.clients` vouches for.' },
};

const SECURITY: { readonly [access in Access]: readonly object[] } = {
  open: [],
  // The empty one: without `http.read` whoever reaches the address reads.
  read: [{}, { bearer: [] }, { session: [] }, { certificate: [] }],
  write: [{ bearer: [] }, { session: [] }, { certificate: [] }],
};

const ACCESS_TEXT: { readonly [access in Access]: string } = {
  open: 'Open to whoever reaches the address.',
  read: 'A read: open to whoever reaches the address, unless `http.read` restricts reads.',
  write: 'A write: for administrators of `http.admin`.',
};

/** What may be answered besides an operation's own answers. */
const PROBLEMS: { readonly [status: number]: string } = {
  400: 'The query or the body cannot be read.',
  401: 'Who asks is not known: send a token.',
  403: 'Whoever asks may not do this, or a page of another site asks.',
  404: 'There is nothing of this name.',
  412: 'It is no longer as it was read: read it again.',
  413: 'The body is too large.',
  415: 'The body is of another type.',
  421: 'This server has no such name (`http.hosts`).',
  422: 'The body is not as described.',
  429: 'Too many wrong tokens, or too often.',
  428: 'Send `If-Match` with the `ETag` of what was read.',
  500: 'A bug; the log says more.',
};

/** `examples`: of answers, by `METHOD path status`. */
export function openApi(
  operations: readonly AnyOperation[],
  examples: { readonly [answer: string]: unknown } = {},
): object {
  const described = operations.filter(({ tag }) => tag !== null);
  const components = new SchemaComponents();
  const statuses = new Set<number>();
  const paths: Record<string, Record<string, object>> = {};
  for (const each of described) {
    const problems = problemsOf(each);
    for (const status of problems) statuses.add(status);
    paths[each.path] = {
      ...paths[each.path],
      [each.method.toLowerCase()]: operationObject(each, components, problems, examples),
    };
  }
  const used = new Set(described.map(({ tag }) => tag));
  const problem = { 'application/problem+json': { schema: components.of(problemSchema, 'output') } };
  return {
    openapi: '3.1.0',
    info: {
      title: 'Edgewise',
      version: API_VERSION,
      description: DESCRIPTION,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/', description: 'Where `http.listen` says.' }],
    tags: TAGS.filter(({ name }) => used.has(name)),
    paths,
    components: {
      schemas: components.schemas,
      responses: Object.fromEntries(
        [...statuses]
          .sort((a, b) => a - b)
          .map((status) => [problemName(status), { description: PROBLEMS[status], content: problem }]),
      ),
      securitySchemes: SECURITY_SCHEMES,
    },
  };
}

/** The statuses of the machinery round an operation that it does not describe itself. */
function problemsOf({ access, params, query, body, version, answers }: AnyOperation): readonly number[] {
  const possible = [
    ...(query === undefined && body === undefined ? [] : [400]),
    ...(access === 'open' ? [] : [401, 429]),
    ...(access === 'write' ? [403] : []),
    ...(params === undefined ? [] : [404]),
    ...(version === undefined ? [] : [404, 412, 428]),
    ...(body === undefined ? [] : [413, 415, 422]),
    421,
    500,
  ];
  return [...new Set(possible)].filter((status) => answers[status] === undefined);
}

function operationObject(
  operation: AnyOperation,
  components: SchemaComponents,
  problems: readonly number[],
  examples: { readonly [answer: string]: unknown },
): object {
  const { method, path, summary, description, tag, access, params, query, body, version, answers } = operation;
  const responses: Record<string, object> = {};
  for (const [status, answer] of Object.entries(answers)) {
    responses[status] = responseObject(answer, components, examples[`${method} ${path} ${status}`]);
  }
  for (const status of problems) responses[status] = { $ref: `#/components/responses/${problemName(status)}` };
  const parameters = [
    ...parametersOf(params, 'path', components),
    ...parametersOf(query, 'query', components),
    ...(version === undefined ? [] : [IF_MATCH]),
  ];
  return {
    operationId: operationId(method, path),
    summary,
    description: [...(description === undefined ? [] : [description]), ACCESS_TEXT[access]].join('\n\n'),
    tags: [tag],
    security: SECURITY[access],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: requestBody(body, components) }),
    responses,
  };
}

const IF_MATCH = {
  name: 'If-Match',
  in: 'header',
  required: true,
  description: 'The `ETag` of what was read: nobody changes what they have not seen. `*`: whatever it is.',
  schema: { type: 'string' },
};

function responseObject(
  { description, schema, type = 'application/json', headers }: Answer,
  components: SchemaComponents,
  example: unknown,
): object {
  const content = schema === undefined ? { schema: { type: 'string' } } : { schema: components.of(schema, 'output') };
  const named = Object.entries(headers ?? {}).map(([name, text]) => [
    name,
    { description: text, schema: { type: 'string' } },
  ]);
  return {
    description,
    ...(named.length === 0 ? {} : { headers: Object.fromEntries(named) }),
    content: { [type]: { ...content, ...(example === undefined ? {} : { example }) } },
  };
}

function requestBody(
  { schema, form, isOptional = false }: NonNullable<AnyOperation['body']>,
  components: SchemaComponents,
): object {
  const content = { schema: components.of(schema, 'input') };
  return {
    required: !isOptional,
    content: {
      'application/json': content,
      ...(form === true ? { 'application/x-www-form-urlencoded': content } : {}),
    },
  };
}

/** A parameter for each key of an object's schema. */
function parametersOf(schema: z.ZodType | undefined, at: 'path' | 'query', components: SchemaComponents): object[] {
  if (schema === undefined) return [];
  const shape = objectSchema.parse(components.of(schema, 'input'));
  return Object.entries(shape.properties).map(([name, { description, ...value }]): object => ({
    name,
    in: at,
    required: at === 'path' || shape.required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema: value,
  }));
}

const objectSchema = z.object({
  properties: z.record(z.string(), z.record(z.string(), z.unknown())),
  required: z.array(z.string()).default([]),
});

/** `PUT /api/v1/networks/{network}/edges/{edge}/mode` is `putNetworkEdgeMode`. */
function operationId(method: string, path: string): string {
  const segments = path.split('/').filter((segment) => segment !== '' && segment !== 'v1' && segment !== 'api');
  const words = segments.filter((segment, i) => !(segments[i + 1] ?? '').startsWith('{') || segment.startsWith('{'));
  const named = words.map((word) =>
    word
      .replace(/[{}]/g, '')
      .split(/[^a-zA-Z0-9]+/)
      .map(capitalized)
      .join(''),
  );
  return method.toLowerCase() + named.join('');
}

/** `NotFound` of 404. */
function problemName(status: number): string {
  return (STATUS_CODES[status] ?? 'Problem').replace(/[^A-Za-z]/g, '');
}

function capitalized(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1);
}
