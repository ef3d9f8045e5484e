/** Signed requests to a name server over TCP, and their verified answers. */
import { randomInt } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { RCODE } from '../../dns/message.ts';
import { nameText } from '../../dns/name.ts';
import { requestSigner, TSIG_ERROR, verifyTsig } from '../../dns/tsig.ts';
import type { TsigKey } from '../../dns/tsig-key.ts';
import { findTsig, TSIG_ROOM, type TsigRecord } from '../../dns/tsig-record.ts';
import { type Endpoint, endpointText } from '../../system/address.ts';
import { errorText } from '../../system/error-text.ts';
import type { Guard } from '../../system/guard.ts';
import { ProviderError } from './provider.ts';
import { answerFault } from './rfc2136-message.ts';

/** `from`: the address that connections come from; null: the kernel's choice. `key` null: nothing is signed. */
export type UpdateServer = {
  readonly to: Endpoint;
  readonly from: string | null;
  readonly key: TsigKey | null;
};

/** What is believed without a signature: refusals by those who did not look at ours (RFC 8945 §5.3). */
const MAY_BE_UNSIGNED: readonly number[] = [RCODE.formErr, RCODE.servFail, RCODE.notImp, RCODE.refused, RCODE.notAuth];

/** Requests that wait for their answers at a time: servers answer them one after another. */
const WINDOW = 16;

/**
 * The answers to all requests, in their order, with their signatures verified. A server may end a connection after some
 * of them: the others are asked over another one. Rejects with a ProviderError, or with the signal's reason.
 */
export async function exchange(
  server: UpdateServer,
  requests: readonly Uint8Array[],
  signal: AbortSignal,
  guard: Guard,
): Promise<readonly Uint8Array[]> {
  const answers: (Uint8Array | undefined)[] = requests.map(() => undefined);
  for (;;) {
    const left = [...requests.keys()].filter((i) => answers[i] === undefined);
    if (left.length === 0) break;
    signal.throwIfAborted();
    const connection = new Connection(server, requests, left, answers, guard);
    const fault = await connection.run(signal);
    const now = answers.filter((answer) => answer === undefined).length;
    if (fault !== null && now === left.length) throw fault;
  }
  return answers.filter((answer) => answer !== undefined);
}

type Waiting = { readonly index: number; readonly request: Uint8Array; readonly mac: Uint8Array | null };

/** One TCP connection, and the requests that are put over it. */
class Connection {
  private readonly server: UpdateServer;
  private readonly requests: readonly Uint8Array[];
  /** Places of the requests that are yet to be sent. */
  private readonly left: number[];
  private readonly answers: (Uint8Array | undefined)[];
  private readonly guard: Guard;
  private readonly waiting = new Map<number, Waiting>();
  private readonly frames = new Frames();
  private readonly firstId = randomInt(0x10000);

  constructor(
    server: UpdateServer,
    requests: readonly Uint8Array[],
    left: readonly number[],
    answers: (Uint8Array | undefined)[],
    guard: Guard,
  ) {
    this.server = server;
    this.requests = requests;
    this.left = [...left];
    this.answers = answers;
    this.guard = guard;
  }

  /** Null when all is answered, else why the connection ended. Rejects where another connection would not help. */
  run(signal: AbortSignal): Promise<ProviderError | null> {
    return new Promise((resolve, reject) => {
      const { to, from } = this.server;
      const where = endpointText(to);
      const socket = connect({ host: to.address, port: to.port, ...(from === null ? {} : { localAddress: from }) });
      const guarded = <Args extends readonly unknown[]>(work: (...args: Args) => void) =>
        this.guard.protect('rfc2136', (...args: Args) => {
          try {
            work(...args);
          } catch (error) {
            end(() => reject(error instanceof Error ? error : new Error(errorText(error))));
            if (!(error instanceof ProviderError)) throw error;
          }
        });
      const end = (settle: () => void): void => {
        signal.removeEventListener('abort', aborted);
        socket.destroy();
        settle();
      };
      const aborted = guarded(() => end(() => reject(signal.reason as Error)));
      signal.addEventListener('abort', aborted, { once: true });
      socket.on(
        'connect',
        guarded(() => this.send(socket)),
      );
      socket.on(
        'error',
        guarded((error: Error) =>
          end(() => resolve(new ProviderError('unreachable', `${where} cannot be reached: ${error.message}`))),
        ),
      );
      socket.on(
        'close',
        guarded(() =>
          end(() => resolve(new ProviderError('unreachable', `${where} ended the connection without an answer`))),
        ),
      );
      socket.on(
        'data',
        guarded((chunk: Buffer) => {
          for (const message of this.frames.add(chunk)) this.take(message);
          if (this.waiting.size === 0 && this.left.length === 0) end(() => resolve(null));
          else this.send(socket);
        }),
      );
    });
  }

  private send(socket: Socket): void {
    while (this.waiting.size < WINDOW) {
      const index = this.left.shift();
      if (index === undefined) return;
      const id = (this.firstId + index) & 0xffff;
      const request = this.requests[index];
      const buffer = Buffer.alloc(2 + request.length + TSIG_ROOM);
      const message = buffer.subarray(2);
      message.set(request);
      message.writeUInt16BE(id, 0);
      const { key } = this.server;
      const signer = key === null ? null : requestSigner(key);
      const length = signer?.sign(message, request.length, Date.now() / 1000) ?? request.length;
      buffer.writeUInt16BE(length, 0);
      socket.write(buffer.subarray(0, 2 + length));
      this.waiting.set(id, { index, request, mac: signer?.mac ?? null });
    }
  }

  private take(octets: Uint8Array): void {
    const where = endpointText(this.server.to);
    const id = (octets[0] << 8) | octets[1];
    const asked = octets.length < 2 ? undefined : this.waiting.get(id);
    const why = asked === undefined ? 'nothing was asked under its identifier' : answerFault(octets, asked.request);
    if (asked === undefined || why !== null)
      throw new ProviderError('malformed', `an answer of ${where} is none: ${why}`);
    const { key } = this.server;
    if (key !== null && asked.mac !== null) checkSignature(octets, key, asked.mac, where);
    this.waiting.delete(id);
    this.answers[asked.index] = octets;
  }
}

/** Throws where the server refuses our signature, or the answer is not signed with the key as it must be (RFC 8945 §5.4). */
function checkSignature(octets: Uint8Array, key: TsigKey, mac: Uint8Array, where: string): void {
  const name = nameText(key.name);
  const tsig = findTsig(octets);
  if (tsig === 'malformed') throw new ProviderError('malformed', `an answer of ${where} cannot be read`);
  if (tsig === null) {
    if ((octets[3] & 15) === RCODE.notAuth) {
      // PowerDNS does not say what is wrong with a signature; a zone that a server lacks it refuses otherwise.
      const advice = "give it the key's name, algorithm and secret as they are here, and set both clocks by NTP";
      throw new ProviderError(
        'credentials',
        `${where} refuses our signature with the key ${name} (NOTAUTH): ${advice}`,
      );
    }
    if (MAY_BE_UNSIGNED.includes(octets[3] & 15)) return;
    const advice = 'something on the way answers in its place, or it does not look at signatures';
    throw new ProviderError('malformed', `an answer of ${where} is not signed with the key ${name}: ${advice}`);
  }
  const nowSeconds = Date.now() / 1000;
  const isOurs = verifyTsig(octets, tsig, [key], nowSeconds, mac).ok;
  const refusal = refusalText(tsig, key, isOurs, nowSeconds);
  if (refusal !== null) throw new ProviderError('credentials', `${where} ${refusal}`);
  if (isOurs) return;
  const problem = tsig.keyName === key.name ? 'its signature is wrong or out of time' : 'it is signed with another key';
  throw new ProviderError('malformed', `an answer of ${where} is not signed with the key ${name}: ${problem}`);
}

/** What the server has against our signature, with what to do; null: nothing. `isOurs`: its own is sound. */
function refusalText({ error, other }: TsigRecord, key: TsigKey, isOurs: boolean, nowSeconds: number): string | null {
  const name = nameText(key.name);
  switch (error) {
    case TSIG_ERROR.none:
      return null;
    case TSIG_ERROR.badKey:
      return `does not know the key ${name} with ${key.algorithm} (BADKEY): give it the same name and algorithm`;
    case TSIG_ERROR.badSig:
      return `has another secret for the key ${name} (BADSIG): give it the same secret`;
    case TSIG_ERROR.badTime: {
      const theirs = other.length === 6 && isOurs ? Buffer.from(other).readUIntBE(0, 6) : null;
      const seconds = theirs === null ? '' : ` by ${Math.abs(Math.round(theirs - nowSeconds))} s`;
      return `finds our signature out of time (BADTIME): the clocks differ${seconds}, set both by NTP`;
    }
    case TSIG_ERROR.badTrunc:
      return `demands a longer signature with the key ${name} (BADTRUNC)`;
    default:
      return `refuses our signature with the key ${name} (TSIG error ${error})`;
  }
}

/** Takes a stream apart into its messages (RFC 1035 §4.2.2). Holds one message at most. */
class Frames {
  private readonly head = new Uint8Array(2);
  private body: Uint8Array | null = null;
  /** Octets of the head and the body that are there. */
  private filled = 0;

  /** The messages that are whole with this chunk. */
  *add(chunk: Uint8Array): Generator<Uint8Array> {
    for (let at = 0; at < chunk.length; ) {
      if (this.filled < 2) {
        this.head[this.filled++] = chunk[at++];
        if (this.filled < 2) continue;
        this.body = new Uint8Array((this.head[0] << 8) | this.head[1]);
      }
      const { body } = this;
      if (body === null) return;
      const part = chunk.subarray(at, at + body.length + 2 - this.filled);
      body.set(part, this.filled - 2);
      this.filled += part.length;
      at += part.length;
      if (this.filled < body.length + 2) continue;
      this.filled = 0;
      this.body = null;
      yield body;
    }
  }
}
