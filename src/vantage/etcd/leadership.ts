/** Who decides: the vantage whose lease holds the key `leader`, whose create revision is the fencing token. */
import type { Guard } from '../../system/guard.ts';
import { type RetryPauses, retryPauseMs } from '../../system/retry-pause.ts';
import type { Role } from '../engine.ts';
import { type EtcdClient, isFault } from './client/client.ts';
import type { Compare, EtcdFault, KeyValue } from './client/wire.ts';
import type { Look } from './follower.ts';
import type { Keys } from './keys.ts';
import { Lease } from './lease.ts';

export type LeadershipOptions = {
  readonly client: EtcdClient;
  readonly keys: Keys;
  readonly vantage: string;
  readonly members: readonly string[];
  /** Seconds. */
  readonly lease: number;
  readonly guard: Guard;
  readonly now: () => number;
  readonly log: (text: string) => void;
  readonly onRole: () => void;
  /** Asks for another look. */
  readonly requestLook: () => void;
};

const PAUSES: RetryPauses = { firstMs: 250, maxMs: 10_000 };
const NOBODY: Role = { decider: null, token: null, isOurs: false, since: null };

export class Leadership {
  private readonly options: LeadershipOptions;
  /** As the newest look found it; null: nobody has it, or nothing is known. */
  private found: KeyValue | null = null;
  private since: number | null = null;
  private lease: Lease | null = null;
  /** Of becoming the decider, one attempt at a time. */
  private attempt: Promise<void> | null = null;
  private problem: string | null = null;
  private failures = 0;
  private pauseUntil = 0;
  /** A look at an earlier revision does not know yet that we took the key. */
  private notBefore = 0n;
  private isCandidate = true;
  private stopped = false;
  private said = '';

  constructor(options: LeadershipOptions) {
    this.options = options;
  }

  role(): Role {
    const { found, lease, since } = this;
    if (found === null) return NOBODY;
    const isOurs = lease?.id === found.lease && lease.isAlive();
    // Our own key without our lease: we were, and nobody is until etcd has ended it.
    if (!isOurs && found.value.toString() === this.options.vantage) return NOBODY;
    return { decider: this.name(found), token: String(found.createRevision), isOurs, since };
  }

  /** What must hold for a write by this token to count. */
  holds(token: string): Compare {
    return { key: this.options.keys.leader, target: 'create', revision: BigInt(token) };
  }

  /** A look found the key, or none. */
  apply(found: KeyValue | null, { header, isReset }: Pick<Look, 'header' | 'isReset'>): void {
    if (isReset) this.notBefore = 0n;
    if (header.revision < this.notBefore) return;
    if (found?.createRevision !== this.found?.createRevision) this.since = found === null ? null : this.options.now();
    this.found = found;
    // Ended by etcd, though its answers did not say so; or somebody else removed our key.
    if (this.lease !== null && this.attempt === null && this.lease.id !== found?.lease) this.release();
    this.changed();
    if (found === null) this.compete();
  }

  /** No look works any more: what is known of others is old. Our own role lasts as long as our lease. */
  disconnected(): void {
    if (!this.role().isOurs) this.found = null;
    this.changed();
  }

  setCandidate(isCandidate: boolean): void {
    if (this.isCandidate === isCandidate) return;
    this.isCandidate = isCandidate;
    if (isCandidate) this.options.requestLook();
    else this.resign();
  }

  faults(): readonly string[] {
    const { found, problem } = this;
    if (found === null) return problem === null ? [] : [`nobody decides, and we cannot: ${problem}`];
    const { keys, members } = this.options;
    if (found.lease === '0') {
      return [`the key ${keys.leader} in etcd has no lease, so it never ends and nobody else can decide: delete it`];
    }
    const name = this.name(found);
    return members.includes(name) ? [] : [`${name} decides, which is none of vantage.members`];
  }

  /** Another takes over at once where etcd can be asked. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.attempt;
    const { lease } = this;
    this.lease = null;
    this.found = null;
    await lease?.end();
  }

  private name({ value }: KeyValue): string {
    return value
      .toString()
      .replace(/[^\w.-]/g, '?')
      .slice(0, 64);
  }

  private compete(): void {
    if (this.stopped || !this.isCandidate || this.attempt !== null || performance.now() < this.pauseUntil) return;
    this.attempt = this.acquire().then((problem) => {
      this.attempt = null;
      this.problem = problem;
      this.failures = problem === null ? 0 : this.failures + 1;
      // After a failure another look comes by itself.
      if (problem === null) this.options.requestLook();
      else this.pauseUntil = performance.now() + retryPauseMs(this.failures, PAUSES);
    });
    this.options.guard.run('etcd leadership', this.attempt);
  }

  /** Null: the next look says what became of it; else why it could not be tried. */
  private async acquire(): Promise<string | null> {
    const { client, lease: ttl, guard, keys, vantage } = this.options;
    const lease: Lease | EtcdFault = await Lease.grant({ client, ttl, guard, onLost: () => this.lost(lease) });
    if (isFault(lease)) return lease.text;
    if (this.stopped || !this.isCandidate) {
      await lease.end();
      return null;
    }
    this.lease = lease;
    const put = { kind: 'put' as const, key: keys.leader, value: vantage, lease: lease.id };
    const compare = { key: keys.leader, target: 'create' as const, revision: 0n };
    const answer = await client.txn({ compare: [compare], success: [put], failure: [] });
    // Refused, it may be ours even so: a request can be carried out twice.
    if (answer.ok) {
      this.notBefore = answer.header.revision;
      return null;
    }
    if (this.lease === lease) this.release();
    return answer.fault.text;
  }

  private lost(lease: Lease | EtcdFault): void {
    if (this.lease !== lease) return;
    this.options.log('our lease as the decider has ended: etcd did not renew it in time');
    this.release();
    this.changed();
    this.options.requestLook();
  }

  private resign(): void {
    this.release();
    this.changed();
  }

  private release(): void {
    const { lease } = this;
    this.lease = null;
    if (lease !== null) this.options.guard.run('etcd leadership', lease.end().then(this.options.requestLook));
  }

  private changed(): void {
    const role = this.role();
    const says = `${role.decider} ${role.token} ${role.isOurs}`;
    if (says === this.said) return;
    this.said = says;
    this.options.guard.run('etcd leadership', this.options.onRole);
  }
}
