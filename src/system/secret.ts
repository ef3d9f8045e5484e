import { inspect } from 'node:util';

const SHOWN = '[secret]';

/** A token, key or password. It shows itself to whoever calls `reveal`, and to no log, JSON, template or inspection. */
export class Secret {
  readonly #text: string; // not `private`: JSON and inspection would show that

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return SHOWN;
  }

  toJSON(): string {
    return SHOWN;
  }

  [inspect.custom](): string {
    return SHOWN;
  }
}

/** The text with each of the secrets in it made unreadable, for what others wrote and may have repeated. */
export function withoutSecrets(text: string, secrets: readonly Secret[]): string {
  return secrets.reduce((clean, secret) => clean.replaceAll(secret.reveal() || SHOWN, SHOWN), text);
}
