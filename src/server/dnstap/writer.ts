import type { DnstapOutput } from '../../config/section-dnstap.ts';
import { FileOutput } from './file-output.ts';
import type { Output, OutputEvents } from './output.ts';
import { RingReader } from './ring.ts';
import { COUNTER, countersOf, type DnstapMemory, OPEN } from './shared.ts';
import { SocketOutput } from './socket-output.ts';

/** Octets that are taken out of one queue before the next has its turn. */
const CHUNK = 64 * 1024;
/** Turns of all queues before the event loop has its own. */
const ROUNDS = 4;
/** Pauses between two looks at the queues: when there were messages, and when there were none. */
const BUSY_MS = 10;
const IDLE_MS = 50;
/** How long what is queued may take to be written when the writer ends. */
const LAST_MS = 300;

export function openOutput(config: DnstapOutput, events: OutputEvents): Output {
  return config.kind === 'socket' ? new SocketOutput(config.path, events) : new FileOutput(config, events);
}

export type WriterParts = {
  readonly memory: DnstapMemory;
  readonly output: DnstapOutput;
  readonly onState: (problem: string | null) => void;
  /** For tests. */
  readonly open?: typeof openOutput;
};

/**
 * Carries messages from the threads' queues to the output. It looks at the queues from time to time, so that a thread that
 * answers has nobody to wake; while the output takes nothing, the queues fill up, and the threads drop and count.
 */
export class DnstapWriter {
  private readonly rings: readonly RingReader[];
  private readonly state: Int32Array;
  private readonly counters: Float64Array;
  private readonly onState: (problem: string | null) => void;
  private readonly openOutput: typeof openOutput;
  private output: Output;
  /** Counts outputs: what a former one says is no longer of interest. */
  private generation = 0;
  private timer: NodeJS.Timeout | undefined;
  private stopping = false;

  constructor({ memory, output, onState, open = openOutput }: WriterParts) {
    this.rings = memory.rings.map((ring) => new RingReader(ring));
    this.state = new Int32Array(memory.state, 0, 2);
    this.counters = countersOf(memory, memory.rings.length);
    this.onState = onState;
    this.openOutput = open;
    this.output = this.open(output);
    this.pump();
  }

  /** Another way out; the one there was is ended. */
  configure(output: DnstapOutput): Promise<void> {
    const { output: old } = this;
    Atomics.store(this.state, OPEN, 0);
    const closed = old.close();
    this.output = this.open(output);
    return closed;
  }

  /** Writes what is queued, and ends the stream. Resolves in about a second at most. */
  async stop(): Promise<void> {
    this.stopping = true;
    clearTimeout(this.timer);
    const until = performance.now() + LAST_MS;
    while (this.output.isOpen && performance.now() < until) {
      const hadMessages = this.carry();
      if (!hadMessages && !this.output.isFull) break;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    Atomics.store(this.state, OPEN, 0);
    await this.output.close();
  }

  private open(config: DnstapOutput): Output {
    const { counters } = this;
    const generation = ++this.generation;
    return this.openOutput(config, {
      onState: (problem) => {
        if (generation !== this.generation) return;
        // At once, so that who reads of it in the log misses nothing from then on.
        if (problem === null) Atomics.store(this.state, OPEN, 1);
        this.onState(problem);
      },
      onSent: (count) => {
        counters[COUNTER.sent] += count;
      },
      onLost: (count) => {
        counters[COUNTER.disconnected] += count;
      },
    });
  }

  private readonly pump = (): void => {
    if (this.stopping) return;
    let pauseMs = IDLE_MS;
    try {
      if (this.carry()) pauseMs = BUSY_MS;
    } finally {
      this.timer = setTimeout(this.pump, pauseMs);
    }
  };

  /** Whether there were messages. */
  private carry(): boolean {
    const { rings, state } = this;
    let any = false;
    for (let round = 0; round < ROUNDS; round++) {
      let more = false;
      for (const ring of rings) {
        if (!this.output.isOpen || this.output.isFull) break;
        const frames = ring.take(CHUNK);
        if (frames === null) continue;
        more = true;
        this.output.write(frames);
      }
      any ||= more;
      if (!more) break;
    }
    // After writing, for a write may have closed it.
    Atomics.store(state, OPEN, this.output.isOpen ? 1 : 0);
    return any;
  }
}
