import { getPriority, setPriority } from 'node:os';

/**
 * The prober needs the processor rarely and briefly, but then at once: every wait for it counts as the edge's slowness.
 */
const NICE = -10;
/** The least that the kernel takes, nanoseconds. */
const SLICE_NS = 100_000n;

/** sched_setattr(2) by machine; the others share Linux's generic table. */
const SYSCALL: Readonly<Record<string, number>> = { x64: 314, arm64: 274, riscv64: 274, loong64: 274 };

/**
 * Asks the kernel to run the calling thread before others when it wakes: a better nice value where that is allowed
 * (CAP_SYS_NICE), and short slices, which any thread may ask for and Linux heeds from 6.12 on (`sched_runtime` of an
 * ordinary thread). Linux only, where these belong to a thread; does nothing where it is refused.
 */
export async function runFirst(): Promise<void> {
  if (process.platform !== 'linux') return;
  try {
    if (getPriority(0) > NICE) setPriority(0, NICE); // 0: the caller, which to Linux is this thread alone
  } catch {
    // Not allowed: then by slices only.
  }
  try {
    await askForShortSlices(getPriority(0));
  } catch {
    // koffi or libc does not load.
  }
}

async function askForShortSlices(nice: number): Promise<void> {
  const number = SYSCALL[process.arch];
  if (number === undefined) return;
  // struct sched_attr, its first 48 octets: size, policy (0: ordinary), flags, nice, priority, runtime, deadline,
  // period.
  const attributes = Buffer.alloc(48);
  attributes.writeUInt32LE(attributes.length, 0);
  attributes.writeInt32LE(nice, 16);
  attributes.writeBigUInt64LE(SLICE_NS, 24);
  const { default: koffi } = await import('koffi');
  koffi.load(null).func('long syscall(long number, ...)')(number, 'int', 0, 'void *', attributes, 'uint', 0);
}
