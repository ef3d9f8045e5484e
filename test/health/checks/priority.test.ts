import { once } from 'node:events';
import { getPriority } from 'node:os';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { workerUrl } from '../../../src/system/worker-url.ts';

test('a thread that runs first is not behind the others, which stay as they are', async () => {
  const before = getPriority(0);
  const from = new URL('../../../src/health/checks/prober.ts', import.meta.url).href;
  const code = `
    import { getPriority } from 'node:os';
    import { parentPort } from 'node:worker_threads';
    const { runFirst } = await import(${JSON.stringify(workerUrl(from, './priority.ts').href)});
    await runFirst();
    parentPort.postMessage(getPriority(0));`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`));
  const [priority] = (await once(worker, 'message')) as [number];
  await worker.terminate();
  expect(priority).toBeLessThanOrEqual(before);
  expect(getPriority(0)).toBe(before);
});
