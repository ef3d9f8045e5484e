import { createHash } from 'node:crypto';
import type { MemberView } from '../views/views.ts';

/**
 * The entity tag (RFC 9110 section 8.8.3, quoted) of what an operator set of an edge: it changes with mode, comment and
 * both times, and with nothing else, so that a new sample makes no change stale. Null: nothing was ever set.
 */
export function edgeVersion(
  member: Pick<MemberView, 'mode' | 'comment' | 'modeSince' | 'modeUntil'> | null | undefined,
): string {
  const { mode = 'available', comment = '', modeSince = null, modeUntil = null } = member ?? {};
  const text = JSON.stringify([mode, comment, modeSince, modeUntil]);
  return `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`;
}
