import type { WireName } from '../../dns/name.ts';
import type { ReadyContent, SerialAuthority } from '../../zones/agreement/content.ts';

/** The engine's say over serials of contents, for zones that outlive an engine: a reload may bring another one. */
export class ContentAuthority implements SerialAuthority {
  private readonly reported = new Map<WireName, ReadyContent>();
  private engine: SerialAuthority | null = null;

  /** Goes by this engine from now on, and tells it what the one before was told. */
  follow(engine: SerialAuthority | null): void {
    this.engine = engine;
    engine?.ready([...this.reported.values()]);
  }

  inForce(origin: WireName): ReturnType<SerialAuthority['inForce']> {
    return this.engine?.inForce(origin) ?? null;
  }

  ready(contents: readonly ReadyContent[]): void {
    for (const content of contents) this.reported.set(content.origin, content);
    this.engine?.ready(contents);
  }

  gone(origins: readonly WireName[]): void {
    for (const origin of origins) this.reported.delete(origin);
    this.engine?.gone(origins);
  }

  why(origin: WireName): string | null {
    return this.engine?.why(origin) ?? null;
  }
}
