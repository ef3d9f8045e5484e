import type { Frames } from './ring.ts';

/** A way out for messages: it opens itself, and again after each failure, until it is closed. */
export type Output = {
  /** Whether somebody takes messages. */
  readonly isOpen: boolean;
  /** Whether enough is on its way for now. */
  readonly isFull: boolean;
  /** While it is open. What becomes of the frames is told to `OutputEvents`. */
  write(frames: Frames): void;
  /** Ends the stream as it should end, within a second. */
  close(): Promise<void>;
};

export type OutputEvents = {
  /** What is wrong, as the end of a sentence that begins with the path; null: messages are taken. */
  readonly onState: (problem: string | null) => void;
  /** So many messages were handed over, or were lost on the way. */
  readonly onSent: (count: number) => void;
  readonly onLost: (count: number) => void;
};
