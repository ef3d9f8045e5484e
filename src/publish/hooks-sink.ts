import type { Hooks } from './hooks.ts';
import type { FollowingSink } from './sink.ts';

/** `run_after` after each round, `run_after_changes` once what changed has been written. */
export function hooksSink(hooks: Pick<Hooks, 'start'>): FollowingSink {
  return {
    name: 'hooks',
    phase: 'follow',
    after: ['records', 'zone-files', 'live-list', 'prometheus-file'],
    apply: async ({ config: { commands }, update, filesWritten }) => {
      const changed = filesWritten || (update !== null && (update.liveChanged || update.canaryZones.length > 0));
      if (update?.isRun === true) hooks.start('run_after', commands.runAfter);
      if (changed) hooks.start('run_after_changes', commands.runAfterChanges);
      return [];
    },
  };
}
