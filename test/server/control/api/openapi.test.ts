import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { STATUS_CODES } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { root } from '../../../../scripts/prepare.mjs';
import { openApi } from '../../../../src/server/control/api/openapi.ts';
import { SchemaComponents } from '../../../../src/server/control/api/openapi-schemas.ts';
import { operation } from '../../../../src/server/control/http/operation.ts';
import { OPERATIONS } from '../../../../src/server/control/operations.ts';

const described = z.object({
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.object({
        operationId: z.string(),
        security: z.array(z.record(z.string(), z.array(z.string()))),
        parameters: z.array(z.object({ name: z.string(), in: z.string(), required: z.boolean() })).default([]),
        responses: z.record(z.string(), z.unknown()),
      }),
    ),
  ),
});
const document = described.parse(openApi(OPERATIONS));
const all = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, each]) => ({ method: method.toUpperCase(), path, ...each })),
);

test('every operation but those of pages is described, each under a name of its own', () => {
  const expected = OPERATIONS.filter(({ tag }) => tag !== null).map(({ method, path }) => `${method} ${path}`);
  expect(all.map(({ method, path }) => `${method} ${path}`).sort()).toEqual([...expected].sort());
  expect(new Set(all.map(({ operationId }) => operationId)).size).toBe(all.length);
});

test('who may ask follows from the access of an operation', () => {
  for (const { method, path, security, responses } of all) {
    const access = OPERATIONS.find((each) => each.method === method && each.path === path)?.access;
    const isWrite = access === 'write';
    expect(security.length > 0, path).toBe(access !== 'open');
    expect(
      security.some((each) => Object.keys(each).length === 0),
      path,
    ).toBe(access === 'read');
    expect('401' in responses, path).toBe(access !== 'open');
    expect('403' in responses && '413' in responses, `${method} ${path}`).toBe(isWrite && '415' in responses);
  }
});

test('references lead somewhere', () => {
  const text = JSON.stringify(openApi(OPERATIONS));
  const whole: unknown = JSON.parse(text);
  for (const [, path] of text.matchAll(/"\$ref":"#\/([^"]+)"/g)) {
    const found = path.split('/').reduce((value, key) => z.record(z.string(), z.unknown()).parse(value)[key], whole);
    expect(found, path).toBeDefined();
  }
});

test('a version in an operation asks for If-Match and has its problems', () => {
  const one = operation({
    method: 'PUT',
    path: '/things/{thing}',
    summary: 'Change it',
    tag: 'changes',
    access: 'write',
    params: z.object({ thing: z.string() }),
    body: { schema: z.object({ size: z.int().optional() }) },
    answers: { 200: { description: 'Done', schema: z.object({}), headers: { ETag: 'Of it now.' } } },
    version: () => '"1"',
    handle: () => ({ status: 200, type: 'application/json', body: '{}' }),
  });
  const { put } = described.parse(openApi([one])).paths['/things/{thing}'];
  expect(put.operationId).toBe('putThing');
  expect(put.parameters.map(({ name, in: at, required }) => [name, at, required])).toEqual([
    ['thing', 'path', true],
    ['If-Match', 'header', true],
  ]);
  const statuses = ['200', '400', '401', '403', '404', '412', '413', '415', '421', '422', '428', '429', '500'];
  expect(Object.keys(put.responses).sort()).toEqual(statuses);
});

test('two schemas of one name are refused', () => {
  const components = new SchemaComponents();
  const first = z.object({ a: z.string() }).meta({ id: 'SameNameOne' });
  components.of(first, 'output');
  components.of(z.array(first), 'output');
  expect(Object.keys(components.schemas)).toEqual(['SameNameOne']);
  z.globalRegistry.remove(first);
  const second = z.object({ b: z.string() }).meta({ id: 'SameNameOne' });
  expect(() => components.of(second, 'output')).toThrow('SameNameOne');
});

test('redocly finds nothing to say about it', async () => {
  const cli = join(root, 'node_modules', '@redocly', 'cli', 'bin', 'cli.js');
  const args = [cli, 'lint', '--extends=recommended', '--format=json', 'docs/openapi.json'];
  const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true', NODE_OPTIONS: '' };
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, env });
  const found = z
    .object({
      totals: z.object({ errors: z.int(), warnings: z.int(), ignored: z.int() }),
      problems: z.array(z.unknown()),
    })
    .parse(JSON.parse(stdout.slice(stdout.indexOf('{'))));
  expect(found).toEqual({ totals: { errors: 0, warnings: 0, ignored: 0 }, problems: [] });
}, 60_000);

test('every body has examples, which are as it is described', () => {
  const some = z.object({ examples: z.array(z.unknown()).min(1) });
  for (const { method, path, body } of OPERATIONS) {
    if (body === undefined || !path.startsWith('/api/')) continue;
    const { examples } = some.parse(body.schema.meta());
    for (const example of examples) expect(body.schema.safeParse(example).success, `${method} ${path}`).toBe(true);
  }
});

test('docs/api.md lists every problem that the description and the source have, under its title', () => {
  const rows = [...readFileSync(join(root, 'docs/api.md'), 'utf8').matchAll(/^\| (\d{3}) \| ([^|]+) \| [^|]+ \|$/gm)];
  const folder = join(root, 'src/server/control');
  const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const made = sources
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .flatMap((text) => [...text.matchAll(/\bproblem\((\d{3}),/g)].map(([, status]) => status));
  const answered = all.flatMap(({ responses }) => Object.keys(responses)).filter((status) => Number(status) >= 400);
  expect(rows.map(([, status]) => status)).toEqual([...new Set([...made, ...answered])].sort());
  for (const [, status, title] of rows) expect(title, status).toBe(STATUS_CODES[status]);
});
