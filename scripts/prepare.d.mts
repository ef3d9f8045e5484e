/** The checkout's folder. */
export const root: string;
/** Builds `dist` if anything under `src` is newer; ends the process with the compiler's status if that fails. */
export function buildIfStale(): void;
