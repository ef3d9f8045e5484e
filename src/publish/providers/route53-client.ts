import type { Readable } from 'node:stream';
import type * as Sdk from '@aws-sdk/client-route-53';
import { errorText } from '../../system/error-text.ts';
import { ProviderError } from './provider.ts';

/** How AWS is asked. Credentials come from AWS' own chain: environment, shared files, single sign-on, role. */
export type Route53Access = {
  /** Null: AWS' own address. */
  readonly api: string | null;
  /** Of the signature; it also chooses the partition (China, GovCloud). */
  readonly region: string;
  /** Of the shared files; null: `AWS_PROFILE` or `default`. */
  readonly profile: string | null;
};

export type LoadSdk = () => Promise<typeof Sdk>;

const PACKAGE = '@aws-sdk/client-route-53';
/** A page of a hundred sets with four hundred addresses each stays below it. */
const ANSWER_MAX = 4 * 1024 * 1024;
const CONNECT_MS = 5000;
/** Of one answer; the caller's signal usually ends it sooner. */
const ANSWER_MS = 30_000;
const SOCKETS_MAX = 4;

/** Takes half a second and 23 MB, so that only those pay who have a Route 53 provider. */
export const loadSdk: LoadSdk = () => {
  // Of its later versions, which package.json does not take: no advice for an operator.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  return import('@aws-sdk/client-route-53');
};

/** Opens AWS' client, which asks nothing yet. */
export async function openClient(load: LoadSdk, { api, region, profile }: Route53Access): Promise<Sdk.Route53Client> {
  const { Route53Client } = await load().catch((error: unknown) => {
    const text = `Route 53 needs the package ${PACKAGE}, which cannot be loaded: run npm install ${PACKAGE} in Edgewise's folder (${errorText(error)})`;
    throw new ProviderError('refused', text);
  });
  return new Route53Client({
    region,
    ...(api === null ? {} : { endpoint: api }),
    ...(profile === null ? {} : { profile }),
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      requestTimeout: ANSWER_MS,
      throwOnRequestTimeout: true,
      httpAgent: { keepAlive: true, maxSockets: SOCKETS_MAX },
      httpsAgent: { keepAlive: true, maxSockets: SOCKETS_MAX },
    },
    streamCollector: (stream: Readable) => collected(stream),
  });
}

/** The octets of an answer, which must not be endless. */
async function collected(stream: Readable): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let octets = 0;
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    octets += chunk.byteLength;
    if (octets > ANSWER_MAX) throw new Error(`more than ${ANSWER_MAX} octets`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
