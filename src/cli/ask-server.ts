/** Asks the running server's API. */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Command } from 'commander';
import { readSecretFile } from '../config/secret-file.ts';
import { endpointText } from '../system/address.ts';
import { FILE_MAX, readFileNow } from '../system/read-file.ts';
import { Secret } from '../system/secret.ts';
import { refuse } from './command-line.ts';
import { readConfig } from './load-network.ts';

const TIMEOUT_MS = 5000;
/** Octets of an answer: ten thousand zones are some three million. */
const ANSWER_MAX = 256 << 20;

export type ServerFlags = {
  readonly url?: string;
  readonly tokenFile?: string;
  readonly ca?: string;
  readonly tlsName?: string;
};

/** Where and how a server is asked. `base`: without a slash at its end. */
export type ApiServer = {
  readonly base: string;
  readonly token: Secret | null;
  readonly agent: HttpAgent | HttpsAgent;
};

/** Another status than 200: `WHAT: STATUS`, and what the server says of it. */
export class RefusedError extends Error {
  readonly status: number;

  constructor(what: string, status: number, detail: string) {
    super(`${what}: ${status}${detail}`);
    this.status = status;
  }
}

/** The options of every command that asks a server. */
export function serverOptions(command: Command): Command {
  return command
    .option('-u, --url <url>', 'ask the server at this address, such as http://127.0.0.1:8053')
    .option('--token-file <file>', 'where reading takes a token: a file that holds it (or EDGEWISE_TOKEN)')
    .option('--ca <file>', 'with https: the certificates (PEM) to trust, instead of those of the system')
    .option('--tls-name <name>', "with https: the name in the server's certificate, if it is not the URL's");
}

/** Null: it cannot be asked, and standard error says why. */
export function serverOf(config: string, flags: ServerFlags): ApiServer | null {
  const base = flags.url ?? apiAddressOf(config);
  return base === null ? null : serverAt(base, flags);
}

/** As `serverOf`, with a known address. */
export function serverAt(base: string, flags: ServerFlags): ApiServer | null {
  const url = httpUrl(base);
  if (url === null) return cannot(`${base} is no address of a server; one is http://127.0.0.1:8053`);
  const token = tokenOf(flags.tokenFile);
  if (token === undefined) return null;
  const isTls = url.protocol === 'https:';
  if (token !== null && !isTls && !isLoopback(url.hostname)) {
    return cannot(`${base}: a token would be readable on the way; https keeps it secret`);
  }
  if (!isTls) return { base: trimmed(base), token, agent: new HttpAgent({ keepAlive: true }) };
  const ca = flags.ca === undefined ? null : readFileNow(flags.ca, FILE_MAX.secret);
  if (ca?.ok === false) return cannot(`${flags.ca}: ${ca.message}`);
  const agent = new HttpsAgent({
    keepAlive: true,
    ...(ca === null ? {} : { ca: ca.octets.toString('latin1') }),
    ...(flags.tlsName === undefined ? {} : { servername: flags.tlsName }),
  });
  return { base: trimmed(base), token, agent };
}

/** Where the server of this configuration is asked; null: nowhere, and standard error says why. */
function apiAddressOf(file: string): string | null {
  const config = readConfig(file);
  if (config === null) return null;
  if (config.http !== null) return `http://${endpointText(config.http.listen)}`;
  return cannot(`${file}: http is off, so the server cannot be asked`);
}

/** `/api/v1/WHAT`. Rejects where there is no answer, or with `RefusedError` where it has another status than 200. */
export async function askServer<T>(server: ApiServer, what: string): Promise<T> {
  const { status, text } = await get(server, `/api/v1/${what}`);
  if (status !== 200) throw new RefusedError(what, status, detailOf(status, text));
  return JSON.parse(text) as T;
}

/** Why `askServer` rejected, a sentence. */
export function unansweredText({ base }: ApiServer, error: unknown): string {
  return error instanceof RefusedError ? `${base} refuses ${error.message}` : `${base} does not answer: ${why(error)}`;
}

function why(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `no answer in ${TIMEOUT_MS / 1000} s`;
  if (error instanceof SyntaxError) return 'its answer is no JSON';
  // A name with several addresses: one error each, and no message.
  const one = error instanceof AggregateError ? (error.errors[0] as Error) : error;
  return (one as NodeJS.ErrnoException).code ?? one.message;
}

function get({ base, token, agent }: ApiServer, path: string): Promise<{ status: number; text: string }> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const headers = { accept: 'application/json', ...(token && { authorization: `Bearer ${token.reveal()}` }) };
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => reject(signal.aborted ? (signal.reason as Error) : error);
    const asked = (base.startsWith('https:') ? httpsRequest : httpRequest)(`${base}${path}`, {
      agent,
      headers,
      signal,
    });
    asked.on('error', failed).on('response', (response: IncomingMessage) => {
      const parts: Buffer[] = [];
      let octets = 0;
      response
        .on('error', failed)
        .on('data', (part: Buffer) => {
          octets += part.length;
          parts.push(part);
          if (octets > ANSWER_MAX) response.destroy(new Error(`its answer is longer than ${ANSWER_MAX} octets`));
        })
        .on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString('utf8') }));
    });
    asked.end();
  });
}

/** RFC 9457's `detail`, which errors of earlier versions have, too. */
function detailOf(status: number, text: string): string {
  if (status === 401) return ', it wants a token: --token-file, or EDGEWISE_TOKEN';
  try {
    const { detail } = JSON.parse(text) as { readonly detail?: unknown };
    return typeof detail === 'string' ? `, ${detail}` : '';
  } catch {
    return '';
  }
}

/** Undefined: there should be one and cannot be read. The file holds the token, or a line `NAME TOKEN` as the server's. */
function tokenOf(file: string | undefined): Secret | null | undefined {
  const { EDGEWISE_TOKEN: given } = process.env;
  if (file === undefined) return given === undefined || given === '' ? null : checked(given.trim(), 'EDGEWISE_TOKEN');
  const read = readSecretFile(file);
  if (!read.ok) return refused(read.fault.message);
  if (read.warning !== null) process.stderr.write(`warning: ${read.warning.message}\n`);
  return checked(read.secret.reveal().split(/\s+/).at(-1) ?? '', file);
}

function checked(token: string, source: string): Secret | undefined {
  // RFC 6750 section 2.1, and what else goes into a header field without harm.
  return /^[\x21-\x7e]+$/.test(token) ? new Secret(token) : refused(`${source}: holds no token`);
}

function refused(sentence: string): undefined {
  refuse(sentence, 2);
}

function cannot(sentence: string): null {
  refuse(sentence, 2);
  return null;
}

function httpUrl(text: string): URL | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url !== null && (url.protocol === 'http:' || url.protocol === 'https:') ? url : null;
}

function trimmed(base: string): string {
  return base.replace(/\/+$/, '');
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
