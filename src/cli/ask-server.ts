/** Asks the running server's API. */
import { endpointText } from '../system/address.ts';
import { refuse } from './command-line.ts';
import { readConfig } from './load-network.ts';

const TIMEOUT_MS = 5000;

/** Where the server of this configuration is asked; null: nowhere, and standard error says why. */
export function apiAddressOf(file: string): string | null {
  const config = readConfig(file);
  if (config === null) return null;
  if (config.http !== null) return `http://${endpointText(config.http.listen)}`;
  refuse(`${file}: http is off, so the server cannot be asked`);
  return null;
}

/** `/api/v1/WHAT`. Rejects where there is no answer, or another one than 200: then with `WHAT: STATUS`. */
export async function askServer<T>(base: string, what: string): Promise<T> {
  const response = await fetch(`${base}/api/v1/${what}`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!response.ok) throw new Error(`${what}: ${response.status}`);
  return (await response.json()) as T;
}

/** Why `askServer` rejected, in a word or two. */
export function unansweredText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error as { cause?: { readonly code?: string } };
  return cause?.code ?? error.message;
}
