import type { Config } from '../config/types.ts';
import { type HttpServer, startHttp } from '../server/control/http/http-server.ts';
import { OPERATIONS } from '../server/control/operations.ts';
import { pageOperations } from '../server/control/page/page-operations.ts';
import { type StatusSources, statusView } from '../server/control/views/status-view.ts';
import { endpointText } from '../system/address.ts';
import type { Fault } from '../system/fault.ts';
import type { Guard } from '../system/guard.ts';
import type { Log } from '../system/log.ts';
import { type Part, part } from './part.ts';

export type HttpPartOptions = {
  readonly http: Config['http'];
  readonly sources: StatusSources;
  readonly log: Log;
  readonly guard: Guard;
};

/** Pages, metrics and API about everything else, unless `http` is off. */
export class HttpPart {
  readonly part: Part;
  private readonly options: HttpPartOptions;
  private server: HttpServer | null = null;

  constructor(options: HttpPartOptions) {
    this.options = options;
    this.part = part('http', { start: () => this.start(), stop: async () => this.server?.close() });
  }

  /** `127.0.0.1:8053`; null: it does not listen. */
  get endpoint(): string | null {
    return this.server === null ? null : endpointText(this.server.endpoint);
  }

  private async start(): Promise<Fault | null> {
    const { http, sources, log, guard } = this.options;
    if (http === null) return null;
    const view = statusView(sources);
    const started = await startHttp({
      endpoint: http.listen,
      hosts: http.hosts,
      view,
      operations: [...OPERATIONS, ...pageOperations(view, guard)],
      log: (level, message) => log[level](message),
      guard,
    });
    if (!started.ok) return started.fault;
    this.server = started.http;
    return null;
  }
}
