import type { NodeDrifted, NodeSettled, PayloadOf } from '@edgeloop/contracts';
import { evolve, type FieldEvent, type NodeField } from './node-field.ts';

export type FieldOutput =
  | { readonly says: 'drifted'; readonly id: string; readonly payload: PayloadOf<typeof NodeDrifted> }
  | { readonly says: 'settled'; readonly id: string; readonly payload: PayloadOf<typeof NodeSettled> };

/**
 * What the world is told of these events: once when an episode begins and once when it ends. Ids name the window that decided, so that
 * every replica that sees it says the same thing under the same id. `field` is the state before the events.
 */
export function outputsOf(field: NodeField, events: readonly FieldEvent[]): FieldOutput[] {
  const outputs: FieldOutput[] = [];
  let now = field;
  for (const event of events) {
    now = evolve(now, event);
    const output = outputOf(now, event);
    if (output !== undefined) outputs.push(output);
  }
  return outputs;
}

function outputOf(now: NodeField, event: FieldEvent): FieldOutput | undefined {
  const { nodeId, releaseId } = now;
  const window = `${nodeId}.${now.epoch}.${now.sequence}`;
  if (event.type === 'drifted') {
    const { at, measures, windows } = event;
    return { says: 'drifted', id: `drifted.${window}`, payload: { nodeId, releaseId, at, measures: [...measures], windows } };
  }
  if (event.type === 'settled')
    return { says: 'settled', id: `settled.${window}`, payload: { nodeId, releaseId, at: event.at, reason: event.reason } };
  return undefined;
}
