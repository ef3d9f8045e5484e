import { MockEdge } from './mock-edge.ts';
import type { FleetAnswer, FleetOrder } from './mock-fleet.ts';

/** The process of a `MockFleet`: does the orders that its parent sends, one after another, and ends with it. */
const edges = new Map<string, MockEdge>();

async function obey(order: FleetOrder): Promise<number> {
  switch (order.kind) {
    case 'start': {
      const edge = await MockEdge.start(order);
      edges.set(edge.address, edge);
      return 0;
    }
    case 'behave':
      for (const address of order.addresses) await edges.get(address)?.behave(order.behaviour);
      return 0;
    case 'connections':
      return [...edges.values()].reduce((sum, { connections }) => sum + connections, 0);
    default:
      return order satisfies never;
  }
}

let last: Promise<void> = Promise.resolve();
process.on('message', (order: FleetOrder) => {
  last = last.then(async () => {
    const answer: FleetAnswer = await obey(order).then(
      (value) => ({ ok: true, value }),
      (error: unknown) => ({ ok: false, why: String(error) }),
    );
    process.send?.(answer);
  });
});
process.on('disconnect', () => process.exit(0));
