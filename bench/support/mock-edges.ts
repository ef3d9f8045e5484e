import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { MockBehaviour } from '../../test/support/mock-edge-script.ts';

export type MockEdgeSpec = { readonly address: string; readonly behaviour: MockBehaviour };

export type ToMockEdges =
  | { readonly kind: 'start'; readonly port: number; readonly body: string; readonly edges: readonly MockEdgeSpec[] }
  | { readonly kind: 'behave'; readonly edge: MockEdgeSpec }
  | { readonly kind: 'times' };

export type FromMockEdges =
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'times';
      readonly connections: number;
      readonly ms: readonly (readonly [address: string, ms: number])[];
    }
  | { readonly kind: 'failed'; readonly message: string };

/** A process full of mock edges, all on one port; it ends with its parent. */
export class MockEdges {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(port: number, body: string, edges: readonly MockEdgeSpec[]): Promise<MockEdges> {
    const file = fileURLToPath(new URL('./mock-edges-process.ts', import.meta.url));
    const mocks = new MockEdges(fork(file, [], { execArgv: ['--import', 'tsx'] }));
    await mocks.#ask({ kind: 'start', port, body, edges });
    return mocks;
  }

  /** Has the system run this process before others, where it may. */
  prefer(): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      setPriority(pid, -15);
    } catch {
      console.error('no permission to raise the priority of the mock edges');
    }
  }

  async behave(address: string, behaviour: MockBehaviour): Promise<void> {
    await this.#ask({ kind: 'behave', edge: { address, behaviour } });
  }

  /** Connections so far; milliseconds from taking the last one to the last octet of its answer, by address. */
  async times(): Promise<{ readonly connections: number; readonly ms: ReadonlyMap<string, number> }> {
    const answer = await this.#ask({ kind: 'times' });
    if (answer.kind !== 'times') throw new Error(`mock edges: ${answer.kind} instead of times`);
    return { connections: answer.connections, ms: new Map(answer.ms) };
  }

  async stop(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.disconnect();
    await exited;
  }

  async #ask(message: ToMockEdges): Promise<FromMockEdges> {
    const answered = once(this.#child, 'message');
    this.#child.send(message);
    const [answer] = (await answered) as [FromMockEdges];
    if (answer.kind === 'failed') throw new Error(`mock edges: ${answer.message}`);
    return answer;
  }
}
