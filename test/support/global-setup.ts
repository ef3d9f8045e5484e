import type { TestProject } from 'vitest/node';
import { buildIfStale } from '../../scripts/prepare.mjs';

/**
 * Worker threads and commands run what is built in `dist`, since Node 20 runs no TypeScript there. So every run of the tests,
 * and every rerun while watching, first builds what is older than the sources: no test meets yesterday's threads.
 */
export function setup(project: TestProject): void {
  buildIfStale();
  project.onTestsRerun(async () => buildIfStale());
}
