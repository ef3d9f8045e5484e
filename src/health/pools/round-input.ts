/** One round's input for `decide`, put together from configuration, lists, records and samples. Pure. */
import { createHash } from 'node:crypto';
import { isIP } from 'node:net';

import type { CheckConfig, CheckPlan } from '../../config/section-checks.ts';
import type { Config, NetworkFiles } from '../../config/types.ts';
import { rdataFromText } from '../../dns/rdata-text.ts';
import type { HttpTest } from '../checks/http-fail.ts';
import type { ProbePlan, ProbeTarget } from '../checks/protocol.ts';
import type { NeededFiles, PlanFiles } from '../checks/reference.ts';
import type { CheckTest } from '../checks/registry.ts';
import { type Sample, WRONG_CONTENT } from '../checks/sample.ts';
import { fetchOf } from '../choose/families.ts';
import type { RoundInput, Scope } from '../choose/round.ts';
import type { Addresses, CanaryInput, EdgeInput } from '../judge/edge.ts';
import { operatorChanged } from '../modes/modes.ts';
import type { EdgeRecord } from '../state/edge-store.ts';
import { NEW_EDGE } from '../state/edge-store.ts';
import type { NetworkState } from '../state/network-state.ts';
import { edgesOf, poolOf } from './pool.ts';

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

/**
 * Every edge and, once, every canary address; unavailable ones too: their figures stay known. `last`: addresses that
 * named ones had. `known`: who is live and whose last sample failed, so that nobody waits for what may hang.
 */
export function probeTargets(
  files: NetworkFiles,
  last: ReadonlyMap<string, readonly string[]> = new Map(),
  known: KnownTargets = NOTHING_KNOWN,
): readonly ProbeTarget[] {
  const urgency = (name: string): Pick<ProbeTarget, 'live' | 'failed'> => ({
    ...(known.live.has(name) ? { live: true } : {}),
    ...(known.failed.has(name) ? { failed: true } : {}),
  });
  const edges = edgesOf(files).map((name) => {
    const lastAddresses = last.get(name);
    return { name, canary: false, ...urgency(name), ...(lastAddresses === undefined ? {} : { lastAddresses }) };
  });
  const canaries = [...new Set(files.canaries.values())].map((name) => ({ name, canary: true, ...urgency(name) }));
  return [...edges, ...canaries];
}

/** Names of targets that are live, and of those that failed when they were asked last. */
export type KnownTargets = { readonly live: ReadonlySet<string>; readonly failed: ReadonlySet<string> };

const NOTHING_KNOWN: KnownTargets = { live: new Set(), failed: new Set() };

/**
 * The addresses that each named edge had when its name could last be looked up, for times when it cannot: of its newest
 * sample, else as they were saved, else as they were last published.
 */
export function lastAddresses(
  files: NetworkFiles,
  state: Pick<NetworkState, 'addresses' | 'live'>,
  samples: ReadonlyMap<string, Sample>,
): ReadonlyMap<string, readonly string[]> {
  const published = new Map(state.live.map(({ edge, v4, v6 }) => [edge, [v4, v6].filter((a) => a !== null)]));
  const named = edgesOf(files).filter((edge) => isIP(edge) === 0);
  return new Map(
    named.flatMap((edge) => {
      const sample = samples.get(edge);
      const fetched = sample === undefined ? [] : [sample.primary, ...sample.others].filter((fetch) => fetch !== null);
      const known = [
        fetched.map(({ address }) => address),
        state.addresses.get(edge) ?? [],
        published.get(edge) ?? [],
      ].find((addresses) => addresses.length > 0);
      return known === undefined ? [] : [[edge, known] as const];
    }),
  );
}

export type InputParts = {
  readonly now: number;
  readonly config: Config;
  readonly files: NetworkFiles;
  readonly state: NetworkState;
  /** Of every target, modes whose time is over already ended. */
  readonly records: ReadonlyMap<string, EdgeRecord>;
  /** The newest of each target; none for those not fetched since the process started. */
  readonly samples: ReadonlyMap<string, Sample>;
  /** Unless given, a full turn. */
  readonly scope?: Scope;
  /** As in `RoundInput`. */
  readonly troubles?: readonly string[];
};

export function roundInput({
  now,
  config,
  files,
  state,
  records,
  samples,
  scope = 'turn',
  troubles = [],
}: InputParts): RoundInput {
  const published = new Map(state.live.map(({ edge, v4, v6 }) => [edge, { v4, v6 }]));
  const edge = (name: string): EdgeInput => {
    const record = records.get(name) ?? NEW_EDGE;
    const sample = samples.get(name) ?? null;
    return {
      name,
      mode: record.mode,
      modeUntil: record.modeUntil,
      comment: record.comment,
      history: record.history,
      sample,
      ...addressesOf(name, sample, published.get(name)),
      verificationFailed: hasBadObject(sample),
    };
  };
  const pool = poolOf(config, files);
  return {
    now,
    network: pool.id,
    scope,
    ...(troubles.length === 0 ? {} : { troubles }),
    rules: pool.policy,
    edges: pool.members.map(edge),
    canaries: [...files.canaries].map(([zone, address]): CanaryInput => ({ ...edge(address), zone })),
    memory: state.memory,
    operatorChange: operatorChanged(records, state.modes, state.lastRun),
  };
}

/**
 * The addresses of an edge: those that were fetched, or of an edge named by its address that one. A name that was not
 * looked up yet, or does not resolve, is taken to be where it was last answered, so that trouble with the resolver
 * alone takes no edge out of a set.
 */
export function addressesOf(name: string, sample: Sample | null, answered: Addresses | undefined): Addresses {
  const fetched = {
    v4: fetchOf({ sample }, 'v4')?.address ?? null,
    v6: fetchOf({ sample }, 'v6')?.address ?? null,
  };
  if (fetched.v4 !== null || fetched.v6 !== null) return fetched;
  return answered ?? { v4: isIP(name) === 4 ? name : null, v6: isIP(name) === 6 ? name : null };
}

/**
 * Whether an edge served something else than the reference, cut short or too long included: what edgemanage notes in
 * `verification_failures` (specification section 4). An address of either family counts.
 */
export function hasBadObject(sample: Sample | null): boolean {
  if (sample === null) return false;
  const isBad = (fail: Sample['fail']): boolean => fail !== null && WRONG_CONTENT.has(fail.reason);
  return isBad(sample.fail) || sample.others.some(({ fail }) => isBad(fail));
}
