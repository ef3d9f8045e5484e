import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { MockEdgeOptions } from './mock-edge.ts';
import type { MockBehaviour } from './mock-edge-script.ts';
import { freePort } from './ports.ts';

export type FleetOrder =
  | ({ readonly kind: 'start' } & MockEdgeOptions)
  | { readonly kind: 'behave'; readonly addresses: readonly string[]; readonly behaviour: MockBehaviour }
  | { readonly kind: 'connections' };
export type FleetAnswer = { readonly ok: true; readonly value: number } | { readonly ok: false; readonly why: string };

/**
 * Mock edges on one port, in a process of their own: what a test does meanwhile cannot make them slow. They live until
 * `close`, at the longest as long as the test's process.
 */
export class MockFleet {
  readonly #child: ChildProcess;
  readonly #waiting: { readonly done: (value: number) => void; readonly failed: (error: Error) => void }[] = [];
  readonly port: number;

  private constructor(port: number) {
    this.port = port;
    const script = join(import.meta.dirname, 'mock-fleet-process.ts');
    this.#child = fork(script, { execArgv: ['--import', 'tsx'], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#child.on('message', (answer: FleetAnswer) => {
      const order = this.#waiting.shift();
      if (answer.ok) order?.done(answer.value);
      else order?.failed(new Error(answer.why));
    });
    this.#child.once('exit', (status) => {
      for (const { failed } of this.#waiting) failed(new Error(`the mock edges' process ended with ${status}`));
    });
  }

  /** One edge an address. All serve `body`, at once unless `behaviour` says otherwise. */
  static async start(
    addresses: readonly string[],
    body: string,
    behaviour: (address: string) => MockBehaviour = () => ({ kind: 'ok' }),
  ): Promise<MockFleet> {
    // Free on the first address, and so on all: loopback addresses are a test file's own.
    const fleet = new MockFleet(await freePort(addresses[0]));
    try {
      for (const address of addresses) {
        await fleet.#order({ kind: 'start', address, port: fleet.port, body, behaviour: behaviour(address) });
      }
    } catch (error) {
      await fleet.close();
      throw error;
    }
    return fleet;
  }

  /** Takes effect for the next connection. */
  async behave(addresses: string | readonly string[], behaviour: MockBehaviour): Promise<void> {
    await this.#order({ kind: 'behave', addresses: [addresses].flat(), behaviour });
  }

  /** Connections taken so far, by all. */
  connections(): Promise<number> {
    return this.#order({ kind: 'connections' });
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exit;
  }

  #order(order: FleetOrder): Promise<number> {
    return new Promise((done, failed) => {
      this.#waiting.push({ done, failed });
      this.#child.send(order);
    });
  }
}
