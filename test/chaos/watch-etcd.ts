import type { EtcdCluster } from '../support/etcd.ts';

/** A change as etcd tells it. `value` null: deleted. `created`: the create revision. */
export type Change = {
  readonly cluster: string;
  readonly revision: number;
  readonly key: string;
  readonly value: Buffer | null;
  readonly created: number;
};

type Line = {
  readonly result?: {
    readonly header?: { readonly cluster_id: string; readonly revision: string };
    readonly events?: readonly {
      readonly type?: string;
      readonly kv: { key: string; value?: string; create_revision?: string; mod_revision: string };
    }[];
    readonly compact_revision?: string;
  };
};

const RETRY_MS = 100;

/**
 * Sees every change below a prefix once, in the order of the store, past its failures: each member is watched, since one
 * may be paused or dead.
 */
export class EtcdWatch {
  private readonly etcd: EtcdCluster;
  private readonly prefix: string;
  private readonly onChange: (change: Change) => void;
  private readonly stop = new AbortController();
  private readonly loops: Promise<unknown>;
  /** The newest revision seen of each cluster. */
  private readonly seen = new Map<string, number>();

  constructor(etcd: EtcdCluster, prefix: string, onChange: (change: Change) => void) {
    this.etcd = etcd;
    this.prefix = prefix;
    this.onChange = onChange;
    this.loops = Promise.all(etcd.members.map((_, member) => this.follow(member)));
  }

  /** Resolves when all up to this revision was seen of whatever cluster is there. */
  async caughtUp(): Promise<void> {
    const key = Buffer.from(`${this.prefix}/chaos`);
    const value = `${Math.random()}`;
    await this.etcd.call(
      '/v3/kv/put',
      { key: key.toString('base64'), value: Buffer.from(value).toString('base64') },
      await this.etcd.leader(),
    );
    while (this.last !== value) await pause(20);
  }

  private last = '';

  async close(): Promise<void> {
    this.stop.abort();
    await this.loops;
  }

  private async follow(member: number): Promise<void> {
    while (!this.stop.signal.aborted) {
      await this.once(member).catch(() => undefined);
      if (!this.stop.signal.aborted) await pause(RETRY_MS);
    }
  }

  private async once(member: number): Promise<void> {
    const key = Buffer.from(`${this.prefix}/`).toString('base64');
    const { header } = (await this.etcd.call('/v3/kv/range', { key, serializable: true }, member)) as {
      header: { cluster_id: string };
    };
    const from = (this.seen.get(header.cluster_id) ?? 0) + 1;
    const request = { key, range_end: Buffer.from(`${this.prefix}0`).toString('base64'), start_revision: String(from) };
    const response = await fetch(`${this.etcd.endpoints[member]}/v3/watch`, {
      method: 'POST',
      body: JSON.stringify({ create_request: request }),
      signal: this.stop.signal,
    });
    if (response.body === null) return;
    for await (const line of lines(response.body)) {
      const { result } = JSON.parse(line) as Line;
      if (result?.compact_revision !== undefined) {
        this.seen.set(header.cluster_id, Number(result.compact_revision) - 1);
        return;
      }
      for (const { kv, type } of result?.events ?? []) this.take(header.cluster_id, kv, type);
      const last = result?.events?.at(-1)?.kv.mod_revision;
      const before = this.seen.get(header.cluster_id) ?? 0;
      if (last !== undefined) this.seen.set(header.cluster_id, Math.max(before, Number(last)));
    }
  }

  private take(
    cluster: string,
    kv: { key: string; value?: string; create_revision?: string; mod_revision: string },
    type?: string,
  ): void {
    const revision = Number(kv.mod_revision);
    // Another member told it already; the changes of one revision come together.
    if (revision <= (this.seen.get(cluster) ?? 0)) return;
    const key = Buffer.from(kv.key, 'base64').toString();
    const value = type === 'DELETE' ? null : Buffer.from(kv.value ?? '', 'base64');
    if (key === `${this.prefix}/chaos`) this.last = String(value);
    else this.onChange({ cluster, revision, key, value, created: Number(kv.create_revision ?? 0) });
  }
}

async function* lines(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const octets of body) {
    const parts = (rest + decoder.decode(octets, { stream: true })).split('\n');
    rest = parts.pop() ?? '';
    yield* parts.filter((part) => part !== '');
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
