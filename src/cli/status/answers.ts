import type {
  NetworkJson,
  NetworkSummaryJson,
  PublishJson,
  SecondaryJson,
  StatusJson,
  VantageJson,
  ZoneJson,
} from '../../server/control/api/json.ts';
import { type ApiServer, askServer, RefusedError } from '../ask-server.ts';

/** `GET /api/v1/status`; servers of earlier versions do not count. */
export type ServerStatus = Omit<StatusJson, 'dns'> & Partial<Pick<StatusJson, 'dns'>>;

/** What the server says of itself, each part as its path of the API answers it. */
export type Answers = {
  readonly status: ServerStatus;
  /** Every network's `GET /api/v1/networks/NETWORK`. */
  readonly networks: readonly NetworkJson[];
  readonly zones: readonly ZoneJson[];
  readonly secondaries: readonly SecondaryJson[];
  readonly publish: readonly PublishJson[];
  /** Null: this server decides alone. */
  readonly vantage: VantageJson | null;
};

/** What takes a server with ten thousand zones time: a watch asks for it less often. */
export type SlowAnswers = Pick<Answers, 'zones' | 'secondaries'>;

export function getStatus(server: ApiServer): Promise<ServerStatus> {
  return askServer<ServerStatus>(server, 'status');
}

export async function getNetworkSummaries(server: ApiServer): Promise<readonly NetworkSummaryJson[]> {
  return (await askServer<{ readonly networks: readonly NetworkSummaryJson[] }>(server, 'networks')).networks;
}

export async function getSecondaries(server: ApiServer): Promise<readonly SecondaryJson[]> {
  return (await askServer<{ readonly secondaries: readonly SecondaryJson[] }>(server, 'secondaries')).secondaries;
}

async function getZones(server: ApiServer): Promise<readonly ZoneJson[]> {
  return (await askServer<{ readonly zones: readonly ZoneJson[] }>(server, 'zones')).zones;
}

/** A server of an earlier version has no such page. */
export async function getPublish(server: ApiServer): Promise<readonly PublishJson[]> {
  const answer = await orMissing(askServer<{ readonly publish: readonly PublishJson[] }>(server, 'publish'));
  return answer?.publish ?? [];
}

/** One after the other, so that a server with a hundred networks is not asked for all at once. */
async function getNetworks(server: ApiServer, names: readonly string[]): Promise<readonly NetworkJson[]> {
  const networks: NetworkJson[] = [];
  for (const name of names) {
    const network = await orMissing(askServer<NetworkJson>(server, `networks/${encodeURIComponent(name)}`));
    if (network !== null) networks.push(network); // else it is gone meanwhile
  }
  return networks;
}

export async function getSlowAnswers(server: ApiServer): Promise<SlowAnswers> {
  return { zones: await getZones(server), secondaries: await getSecondaries(server) };
}

/** `slow`: those that are known already. */
export async function getAnswers(server: ApiServer, slow: SlowAnswers | null): Promise<Answers> {
  const status = await getStatus(server);
  const names = status.networks.map(({ network }) => network);
  return {
    status,
    networks: await getNetworks(server, names),
    ...(slow ?? (await getSlowAnswers(server))),
    publish: await getPublish(server),
    vantage: await orMissing(askServer<VantageJson>(server, 'vantage')),
  };
}

async function orMissing<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof RefusedError && error.status === 404) return null;
    throw error;
  }
}
