import type { RunningModel } from '@edgeloop/contracts';
import { isoOf } from '@edgeloop/runtime';
import type { PendingReport } from '../domain/node-state.ts';
import type { Report } from '../ports.ts';

/** A stored report as it travels. */
export function reportOf(pending: PendingReport, about: { nodeId: string; epoch: string; running: RunningModel | null }): Report {
  const { atMs, ...rest } = pending;
  return { ...about, ...rest, at: isoOf(atMs) };
}
