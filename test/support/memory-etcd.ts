/** Keys of one etcd in memory, with revisions and transactions as etcd has them; no leases that end, no watch. */
import type { EtcdClient } from '../../src/vantage/etcd/client/client.ts';
import type {
  Answer,
  Compare,
  KeyValue,
  Operation,
  Range,
  RangeResult,
  Transaction,
  TransactionResult,
} from '../../src/vantage/etcd/client/wire.ts';
import type { Look } from '../../src/vantage/etcd/follower.ts';

export class MemoryEtcd implements Pick<EtcdClient, 'range' | 'txn'> {
  revision = 1n;
  readonly keys = new Map<string, KeyValue>();
  /** Octets of values in an answer. */
  answerMax = Number.POSITIVE_INFINITY;
  /** Called before each transaction is carried out. */
  onTransaction: (transaction: Transaction) => void = () => undefined;

  look(isReset = false): Look {
    return { client: this, header: { clusterId: '7', revision: this.revision }, isReset, sinceLast: 1 };
  }

  put(key: string, value: string): void {
    this.revision += 1n;
    this.write(key, Buffer.from(value), '0');
  }

  delete(key: string): void {
    this.revision += 1n;
    this.keys.delete(key);
  }

  async range(range: Range): Promise<Answer<RangeResult>> {
    const found = this.read(range);
    return this.answer(found, [found]);
  }

  async txn(transaction: Transaction): Promise<Answer<TransactionResult>> {
    this.onTransaction(transaction);
    const result = this.carryOut(transaction);
    return this.answer(result, result.ranges);
  }

  /** Also for one that was sent long ago. */
  carryOut({ compare, success, failure }: Transaction): TransactionResult {
    const succeeded = compare.every((one) => this.holds(one));
    const operations = succeeded ? success : failure;
    if (operations.some(({ kind }) => kind !== 'range')) this.revision += 1n;
    return { succeeded, ranges: operations.flatMap((one) => this.operate(one)) };
  }

  private operate(operation: Operation): readonly RangeResult[] {
    if (operation.kind === 'range') return [this.read(operation.range)];
    if (operation.kind === 'delete') this.keys.delete(operation.range.key);
    else this.write(operation.key, Buffer.from(operation.value), operation.lease ?? '0');
    return [];
  }

  private write(key: string, value: Buffer, lease: string): void {
    const createRevision = this.keys.get(key)?.createRevision ?? this.revision;
    this.keys.set(key, { key, value, createRevision, modRevision: this.revision, lease });
  }

  private holds({ key, target, revision }: Compare): boolean {
    const found = this.keys.get(key);
    return ((target === 'mod' ? found?.modRevision : found?.createRevision) ?? 0n) === revision;
  }

  private read({ key, end, limit = 0, minModRevision = 0n, keysOnly = false }: Range): RangeResult {
    const kvs = [...this.keys.values()]
      .filter((kv) => (end === undefined ? kv.key === key : kv.key >= key && kv.key < end))
      .filter((kv) => kv.modRevision >= minModRevision)
      .map((kv) => (keysOnly ? { ...kv, value: Buffer.alloc(0) } : kv))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
    return { kvs: limit === 0 ? kvs : kvs.slice(0, limit), more: limit !== 0 && kvs.length > limit };
  }

  private answer<T>(value: T, found: readonly RangeResult[]): Answer<T> {
    const octets = found.flatMap(({ kvs }) => kvs).reduce((sum, kv) => sum + kv.value.length, 0);
    if (octets > this.answerMax) {
      return { ok: false, fault: { kind: 'unreachable', code: null, text: 'too long', isTooLarge: true } };
    }
    return { ok: true, header: { clusterId: '7', revision: this.revision }, value };
  }
}
