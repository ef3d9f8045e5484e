/** The page's own style sheet, script and picture: nothing is fetched from elsewhere. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { type AnyOperation, operation } from '../http/operation.ts';
import { problem } from '../http/problem.ts';

const TYPES = {
  'edgewise.css': 'text/css; charset=utf-8',
  'edgewise.js': 'text/javascript; charset=utf-8',
  'favicon.svg': 'image/svg+xml',
} as const;

export type StaticFile = keyof typeof TYPES;

type Stored = { readonly body: Uint8Array; readonly hash: string; readonly type: string };

/** Read once, when a server starts; beside this module, in `src` as in `dist`. */
export class StaticFiles {
  private readonly files: ReadonlyMap<string, Stored>;

  constructor(folder = join(import.meta.dirname, 'static')) {
    this.files = new Map(
      Object.entries(TYPES).map(([name, type]) => {
        const body = readFileSync(join(folder, name));
        return [name, { body, type, hash: createHash('sha256').update(body).digest('hex').slice(0, 16) }];
      }),
    );
  }

  /** Of all files together. */
  get version(): string {
    return [...this.files.values()].map(({ hash }) => hash.slice(0, 6)).join('');
  }

  /** Changes with the contents, so that it may be kept for ever. */
  address(name: StaticFile): string {
    return `/static/${this.files.get(name)?.hash ?? ''}/${name}`;
  }

  operations(): readonly AnyOperation[] {
    return [
      operation({
        method: 'GET',
        path: '/static/{hash}/{file}',
        summary: 'A file of the page',
        tag: null,
        access: 'open',
        params: z.object({ hash: z.string(), file: z.string() }),
        answers: { 200: { description: 'The file', type: 'text/css' } },
        handle: (_, { params: { hash, file } }) => {
          const found = this.files.get(file);
          if (found === undefined) return problem(404, 'there is no such file');
          // A page of another version asks for what is not here any more: it gets the new one, for once.
          const keep = hash === found.hash ? 'public, max-age=31536000, immutable' : 'no-cache';
          return {
            status: 200,
            type: found.type,
            body: found.body,
            headers: { etag: `"${found.hash}"`, 'cache-control': keep },
          };
        },
      }),
    ];
  }
}
