/** A generated document: its path from the top of the repository, and what makes its text. */
export type GeneratedDocument = { readonly file: string; readonly make: () => string | Promise<string> };
/** Every generated document. Needs a build. */
export function documents(): Promise<readonly GeneratedDocument[]>;
