import type { Answers, ServerStatus } from '../../../src/cli/status/answers.ts';
import { networkDetail } from '../../../src/server/control/api/network.ts';
import { NOW, network } from '../../server/control/api/api-fixture.ts';

export { NOW };

export const STATUS: ServerStatus = {
  status: 'ok',
  ready: true,
  reasons: [],
  warnings: [],
  version: '1.0.0',
  uptime_seconds: 50,
  started_at: NOW - 50,
  networks: [],
  zones: { ok: 2, stale: 0, broken: 0 },
  tls_certificate_ends: null,
  dns: { queries: 100, answers: { NOERROR: 90, NXDOMAIN: 10 }, dropped: 0, rate_limited: 0 },
};

export const ANSWERS: Answers = {
  status: STATUS,
  networks: [networkDetail(network, NOW)],
  zones: [],
  secondaries: [],
  publish: [],
  vantage: null,
};
