/**
 * Many mock edges in a process of their own, so that their work is not the prober's. Started by `MockEdges.start` with
 * the specifications as the first message; answers `ready`, then each request for the times it really took.
 */
import { MockEdge } from '../../test/support/mock-edge.ts';
import type { FromMockEdges, ToMockEdges } from './mock-edges.ts';

const edges = new Map<string, MockEdge>();
const tell = (message: FromMockEdges): void => {
  process.send?.(message);
};

async function obey(message: ToMockEdges): Promise<void> {
  switch (message.kind) {
    case 'start':
      for (const { address, behaviour } of message.edges) {
        edges.set(address, await MockEdge.start({ address, port: message.port, body: message.body, behaviour }));
      }
      return tell({ kind: 'ready' });
    case 'behave':
      await edges.get(message.edge.address)?.behave(message.edge.behaviour);
      return tell({ kind: 'ready' });
    case 'times':
      return tell({
        kind: 'times',
        connections: Array.from(edges.values()).reduce((sum, edge) => sum + edge.connections, 0),
        ms: Array.from(edges.values(), (edge) => [edge.address, edge.lastMs] as const),
      });
  }
}

process.on('message', (message: ToMockEdges) => {
  obey(message).catch((error: unknown) => tell({ kind: 'failed', message: String(error) }));
});
process.on('disconnect', () => process.exit(0));
