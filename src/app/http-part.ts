import { isDeepStrictEqual } from 'node:util';
import type { Config, HttpConfig } from '../config/types.ts';
import { AccessControl } from '../server/control/http/access.ts';
import type { ControlActions } from '../server/control/http/control-actions.ts';
import { type HttpServer, startHttp } from '../server/control/http/http-server.ts';
import { Refusals } from '../server/control/http/refusals.ts';
import { TlsFront } from '../server/control/http/tls-front.ts';
import { OPERATIONS } from '../server/control/operations.ts';
import { loginOperations } from '../server/control/page/login.ts';
import { pageOperations } from '../server/control/page/page-operations.ts';
import { type StatusSources, statusView } from '../server/control/views/status-view.ts';
import { endpointText } from '../system/address.ts';
import { type Fault, hasErrors } from '../system/fault.ts';
import type { Guard } from '../system/guard.ts';
import type { Log } from '../system/log-events.ts';
import { logFaults } from '../system/log-faults.ts';
import { exposureWarnings, type HttpFiles, readHttpFiles } from './http-access.ts';
import { type Part, type Prepared, part, type Reload, ready } from './part.ts';

export type HttpPartOptions = {
  readonly http: Config['http'];
  /** The rest is the part's own. */
  readonly sources: Omit<StatusSources, 'httpRefused'>;
  /** Null: nothing can be changed (a dry run). */
  readonly actions: ControlActions | null;
  readonly log: Log;
  readonly guard: Guard;
};

/** The server that runs, with what it needs to take new settings. */
type Started = {
  readonly server: HttpServer;
  readonly access: AccessControl;
  readonly tls: TlsFront | null;
  readonly http: HttpConfig;
  readonly files: HttpFiles;
};

/** Pages, metrics and API about everything else, unless `http` is off. */
export class HttpPart {
  readonly part: Part;
  private readonly options: HttpPartOptions;
  private readonly refusals = new Refusals();
  private started: Started | null = null;

  constructor(options: HttpPartOptions) {
    this.options = options;
    this.part = part('http', {
      start: () => this.start(),
      prepare: async (reload) => this.prepare(reload),
      stop: async () => this.started?.server.close(),
      faults: () => this.faults(),
    });
  }

  /** `127.0.0.1:8053`; null: it does not listen. */
  get endpoint(): string | null {
    return this.started === null ? null : endpointText(this.started.server.endpoint);
  }

  /** When its certificate ends, epoch seconds; null: it has none. */
  get tlsNotAfter(): number | null {
    return this.started?.files.tls?.notAfter ?? null;
  }

  /** Who else can read or listen to what it says, a sentence each. */
  warnings(): readonly string[] {
    return this.started === null ? [] : exposureWarnings(this.started.http);
  }

  private async start(): Promise<Fault | null> {
    const { http, sources, actions, log, guard } = this.options;
    if (http === null) return null;
    const { refusals } = this;
    // Before privileges are dropped: keys and tokens are often root's alone.
    const files = readHttpFiles(http, null, Date.now() / 1000);
    const tlsFault = files.tlsFaults.find(({ severity }) => severity === 'error');
    if (tlsFault !== undefined) return tlsFault;
    this.report(http, files);
    const access = new AccessControl({ rules: files.rules, refusals, log });
    const tls = files.tls === null ? null : new TlsFront(files.tls, refusals, guard);
    const view = statusView({ ...sources, httpRefused: () => refusals.all });
    const started = await startHttp({
      endpoint: http.listen,
      hosts: http.hosts,
      view,
      operations: [...OPERATIONS, ...pageOperations(view, guard, () => access.hasTokens), ...loginOperations(access)],
      access,
      refusals,
      ...(actions === null ? {} : { actions }),
      ...(tls === null ? {} : { tls }),
      log,
      guard,
    });
    if (!started.ok) return started.fault;
    this.started = { server: started.http, access, tls, http, files };
    return null;
  }

  /** Files that cannot be used leave what they held before in force, and hold up nothing else. */
  private prepare({ config: { http } }: Reload): Prepared {
    const { started } = this;
    if (started === null || http === null) return ready(() => undefined);
    const files = readHttpFiles(http, started.files, Date.now() / 1000);
    return ready(() => {
      this.report(http, files);
      if (files.tls !== null) started.tls?.configure(files.tls);
      const { rules, tls } = started.files;
      const isSame = isDeepStrictEqual(rules, files.rules) && tls?.clients === files.tls?.clients;
      if (!isSame) {
        started.access.configure(files.rules);
        started.server.accessChanged();
      }
      this.started = { ...started, http, files };
    });
  }

  private report(http: HttpConfig, { faults, tlsFaults }: HttpFiles): void {
    const { log } = this.options;
    const address = endpointText(http.listen);
    for (const warning of exposureWarnings(http)) log('warn', warning, { event: 'http.exposed', address });
    logFaults(log, [...faults, ...tlsFaults]);
  }

  private faults(): readonly string[] {
    if (this.started === null) return [];
    const { faults, tlsFaults } = this.started.files;
    return [...faults, ...tlsFaults].filter((fault) => hasErrors([fault])).map(({ message }) => message);
  }
}
