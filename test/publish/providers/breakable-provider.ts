import type { Provider } from '../../../src/publish/providers/provider.ts';
import type { TcpProxy } from '../../support/tcp-proxy.ts';
import type { Breakdown } from './conformance.ts';

/** A provider behind a proxy, which breaks down by the proxy or by giving way to one with a wrong key. */
export class BreakableProvider {
  /** The one to use now. */
  provider: Provider;
  private readonly right: Provider;
  private readonly wrong: Provider;
  private readonly proxy: TcpProxy;

  constructor(right: Provider, wrong: Provider, proxy: TcpProxy) {
    this.provider = right;
    this.right = right;
    this.wrong = wrong;
    this.proxy = proxy;
  }

  /** Resolves with what mends it. */
  async breakDown(how: Breakdown): Promise<() => Promise<void>> {
    if (how === 'credentials') this.provider = this.wrong;
    else await this.proxy.set(how);
    return async () => {
      this.provider = this.right;
      await this.proxy.set('pass');
    };
  }
}
