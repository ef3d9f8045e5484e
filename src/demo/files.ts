import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  DEMO_CANARY_ZONE,
  DEMO_EDGES,
  DEMO_NETWORK,
  DEMO_OBJECT,
  DEMO_STATIC_ZONE,
  DEMO_ZONES,
  demoConfig,
} from './layout.ts';

export type DemoPorts = { readonly dns: number; readonly http: number; readonly edges: number };

/**
 * Writes a whole edgemanage installation for the demo into `folder` and returns the path of its edgemanage.yaml. `more`:
 * further sections of that.
 */
export function writeDemo(folder: string, ports: DemoPorts, more = ''): string {
  const put = (path: string, text: string): void => {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  };
  const edges = DEMO_EDGES.filter(({ kind }) => kind !== 'canary');
  const canaries = DEMO_EDGES.filter(({ kind }) => kind === 'canary');
  put('edgemanage.yaml', demoConfig(ports) + more);
  put('object.txt', DEMO_OBJECT);
  utimesSync(join(folder, 'object.txt'), 0, 0); // old, so that the first round does not wait whether more is to come
  put(`edges/${DEMO_NETWORK}`, edges.map(({ address, note }) => `# ${note}\n${address}\n`).join(''));
  put(`canaries/${DEMO_NETWORK}`, canaries.map(({ address }) => `${DEMO_CANARY_ZONE}: ${address}\n`).join(''));
  for (const [zone, text] of Object.entries(DEMO_ZONES)) put(`zones/${DEMO_NETWORK}/${zone}.zone`, text);
  put('static/demo.test.zone', DEMO_STATIC_ZONE);
  for (const path of ['health', 'named', 'state']) mkdirSync(join(folder, path), { recursive: true });
  return join(folder, 'edgemanage.yaml');
}
