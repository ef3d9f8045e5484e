import type { DnstapOutput } from '../../config/section-dnstap.ts';
import type { DnstapMemory } from './shared.ts';

/** `workerData` of the thread that writes. */
export type WriterThreadData = { readonly memory: DnstapMemory; readonly output: DnstapOutput };

/** Main thread → the thread that writes. */
export type WriterMessage = { readonly kind: 'configure'; readonly output: DnstapOutput } | { readonly kind: 'stop' };

/** The thread that writes → main thread; `problem` as in `OutputEvents`. */
export type WriterReport = { readonly kind: 'started' } | { readonly kind: 'state'; readonly problem: string | null };
