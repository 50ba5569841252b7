import type { Bus } from '@edgeloop/bus';
import { NodeTelemetry } from '@edgeloop/contracts';
import type { PayloadOf } from '@edgeloop/contracts';

/** Stored batches that are read again after a restart. */
export const BATCHES_RECALLED_MAX = 2_000;
/** Nodes asked for their newest batch, to find where the stream ends. */
export const NODES_ASKED_MAX = 16;

/** Gives the newest stored telemetry again, so that a restart does not forget what nodes saw before it. */
export async function recallTelemetry(
  bus: Bus,
  nodeIds: readonly string[],
  take: (batch: PayloadOf<typeof NodeTelemetry>) => void,
): Promise<void> {
  const newest = await Promise.all(nodeIds.slice(0, NODES_ASKED_MAX).map((nodeId) => bus.lastOf(NodeTelemetry, { nodeId })));
  const last = Math.max(0, ...newest.map((found) => found?.context.streamSequence ?? 0));
  if (last === 0) return;
  const fromSequence = Math.max(1, last - BATCHES_RECALLED_MAX);
  for await (const { payload } of bus.history('TELEMETRY', { fromSequence })) take(payload as PayloadOf<typeof NodeTelemetry>);
}
