import type { Access, Reply, Request } from './operation.ts';
import { problem } from './problem.ts';

/** `author`: who it is, where that is known. */
export type Admission =
  | { readonly ok: true; readonly author: string | null }
  | { readonly ok: false; readonly reply: Reply };

/** Who may do what; decided before anything of a request but its header is read. */
export type AccessPolicy = {
  readonly admit: (access: Access, request: Request) => Admission | Promise<Admission>;
};

/** Without `http.admin`: whoever reaches the port reads, and nobody changes anything. */
export const READ_ONLY: AccessPolicy = {
  admit: (access) =>
    access === 'write'
      ? { ok: false, reply: problem(403, 'nothing can be changed here: the configuration has no http.admin') }
      : { ok: true, author: null },
};
