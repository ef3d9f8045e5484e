/** What a network's targets are asked: the checks of its configuration, with the files that they compare with. Pure. */
import { createHash } from 'node:crypto';

import type { CheckConfig, CheckPlan } from '../../config/section-checks.ts';
import type { Config } from '../../config/types.ts';
import { rdataFromText } from '../../dns/rdata-text.ts';
import type { HttpTest } from '../checks/http-fail.ts';
import type { ProbePlan } from '../checks/protocol.ts';
import type { NeededFiles, PlanFiles } from '../checks/reference.ts';
import type { CheckTest } from '../checks/registry.ts';

type HttpConfig = Extract<CheckConfig, { readonly kind: 'http' }>;

/** What is read of a body beyond the reference's length: by then it is another object, and this much tells which. */
const SPARE_OCTETS = 65_536;

/** The files that the checks of a network need: without `checks:`, those of `testobject`. */
export function neededFiles(config: Config, network: string): NeededFiles {
  const { testobject, maxObjectBytes: maxBytes } = config;
  const objects = new Map<string, string>();
  const authorities = new Map<string, string>();
  const usual = testobject.ca === null ? [] : [[testobject.ca, 'testobject.verify'] as const];
  const references = (config.safety.get(network)?.reference ?? []).map(({ check }) => check);
  for (const check of [...planOf(config, network).of, ...references]) {
    if (check.kind === 'http') {
      const file = bodyFile(check, config);
      if (file !== null)
        objects.set(file, file === testobject.local ? 'testobject.local' : `body.file of ${check.name}`);
    }
    if (!('verify' in check)) continue;
    if (typeof check.verify === 'string') authorities.set(check.verify, `verify of ${check.name}`);
    if (check.verify === null) for (const [file, key] of usual) authorities.set(file, key);
  }
  return { objects, authorities, maxBytes };
}

/** What the edges of a network are asked: its `checks`, without which it has edgemanage's fetch. */
export function probePlan(config: Config, network: string, files: PlanFiles): ProbePlan {
  const { timeout, retry, workers } = config;
  const { of, combine } = planOf(config, network);
  return { checks: of.map((check) => checkTest(check, config, files)), combine, timeout, retry, workers };
}

/** What one reference of a network is asked, at which address. `name`: unique, as far as the operator wants it. */
export type ReferencePlan = { readonly name: string; readonly address: string; readonly plan: ProbePlan };

export function referencePlans(config: Config, network: string, files: PlanFiles): readonly ReferencePlan[] {
  const { retry, timeout } = config;
  return (config.safety.get(network)?.reference ?? []).map(({ address, check }) => {
    const test = checkTest(check, config, files);
    const plan = { checks: [test], combine: 'all', timeout: check.timeout ?? timeout, retry, workers: 1 } as const;
    return { name: check.name, address, plan };
  });
}

function planOf(config: Config, network: string): CheckPlan {
  return config.checks.get(network) ?? { combine: 'all', of: [FETCH] };
}

function checkTest(check: CheckConfig, config: Config, files: PlanFiles): CheckTest {
  const { kind, name } = check;
  const timeout = check.timeout ?? config.timeout;
  switch (kind) {
    case 'http':
      return httpTest(check, config, files);
    case 'tcp': {
      const { port, send, expect } = check;
      const octets = (text: string | null): Uint8Array | null => (text === null ? null : Buffer.from(text));
      const host = (check.host ?? config.testobject.host).replace(/\.$/, ''); // RFC 6066 section 3
      const tls = check.tls ? { name: host, ...trustOf(check.verify, config, files) } : null;
      return { kind, name, timeout, port, tls, send: octets(send), expect: octets(expect) };
    }
    case 'command': {
      const { program, args, ok, unknown } = check;
      return { kind, name, timeout, program, args, ok, unknown };
    }
    case 'icmp': {
      const { count, max_loss: maxLoss, interval } = check;
      return { kind, name, timeout, count, maxLoss, interval };
    }
    case 'dns':
      return { ...check, timeout, data: check.data?.map((text) => rdataOf(check.type, text)) ?? null };
    default:
      return check satisfies never;
  }
}

function rdataOf(type: number, text: string): Uint8Array {
  const rdata = rdataFromText(type, text);
  if (typeof rdata === 'string') throw new Error(rdata); // the configuration's schema has read it before
  return rdata;
}

/** Whom certificates are believed from, where a check says nothing as `testobject` has it. */
function trustOf(
  verify: string | boolean | null,
  { testobject }: Config,
  { authorities }: PlanFiles,
): { readonly verify: boolean; readonly ca: string | null } {
  if (typeof verify === 'boolean') return { verify, ca: null };
  const file = verify ?? testobject.ca;
  if (file === null) return { verify: testobject.verify, ca: null };
  return { verify: true, ca: authorities.get(file) ?? missing(file) };
}

function missing(file: string): never {
  throw new Error(`${file} was not read`);
}

/** The file that the body must equal; the test object's own unless another path or another body is asked for. */
function bodyFile({ uri, body }: HttpConfig, { testobject }: Config): string | null {
  if (body !== null) return body.file;
  return uri === null ? testobject.local : null;
}

function httpTest(check: HttpConfig, config: Config, files: PlanFiles): HttpTest {
  const { testobject } = config;
  const proto = check.scheme ?? testobject.proto;
  const ownPort = proto === 'https' ? 443 : 80;
  const file = bodyFile(check, config);
  const object = file === null ? null : (files.objects.get(file) ?? missing(file));
  return {
    kind: 'http',
    name: check.name,
    timeout: check.timeout ?? config.timeout,
    host: check.host ?? testobject.host,
    port: check.port ?? (proto === testobject.proto ? testobject.port : ownPort),
    proto,
    uri: check.uri ?? testobject.uri,
    ...trustOf(check.verify, config, files),
    status: check.status,
    body: object === null ? expectedBody(check.body) : md5Of(object),
    headers: Object.entries(check.headers),
    hostIsEdge: config.testing && check.host === null,
    maxBytes: object === null ? config.maxObjectBytes : readAtMost(object, config),
  };
}

function expectedBody(body: HttpConfig['body']): HttpTest['body'] {
  if (body === null) return null;
  if (body.md5 !== null) return { kind: 'md5', digest: body.md5 };
  if (body.sha256 !== null) return { kind: 'sha256', digest: body.sha256 };
  return body.text === null ? null : { kind: 'text', text: Buffer.from(body.text) };
}

function md5Of(object: Uint8Array): HttpTest['body'] {
  return { kind: 'md5', digest: createHash('md5').update(object).digest('hex') };
}

function readAtMost(object: Uint8Array, { maxObjectBytes }: Config): number {
  return Math.min(maxObjectBytes, object.length + SPARE_OCTETS);
}

/** An http check that says nothing of its own: edgemanage's fetch of the test object. */
const FETCH: HttpConfig = {
  kind: 'http',
  name: 'http',
  timeout: null,
  host: null,
  port: null,
  scheme: null,
  verify: null,
  uri: null,
  status: null,
  body: null,
  headers: {},
};
