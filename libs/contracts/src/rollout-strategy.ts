import { z } from 'zod';
import { NodeId } from './values.ts';

/** A wave takes a count of nodes or a percentage of all selected ones (of those not yet taken at least one). */
export const WaveSize = z.union([z.object({ count: z.int().positive() }), z.object({ percent: z.number().gt(0).max(100) })]);
export type WaveSize = z.output<typeof WaveSize>;

/** Steps of one rollout. */
export const WAVES_MAX = 50;

export const RolloutStrategy = z.object({
  waves: z.array(WaveSize).min(1).max(WAVES_MAX),
  /** A node that has not run the release within this time counts as failed. */
  deploymentTimeoutMs: z
    .int()
    .positive()
    .max(7 * 86_400_000),
  /** A wave must run and stay healthy for this long before the next starts. */
  soakMs: z
    .int()
    .nonnegative()
    .max(7 * 86_400_000),
  /** Halt when failures pass this percentage of the wave AND this count. */
  abort: z.object({ failedPercent: z.number().min(0).max(100), failedCountMin: z.int().positive() }),
  /** Seed of the order in which nodes enter waves. */
  seed: z.int().nonnegative(),
});
export type RolloutStrategy = z.output<typeof RolloutStrategy>;

export const NodeSelection = z.union([z.object({ all: z.literal(true) }), z.object({ nodeIds: z.array(NodeId).min(1) })]);
export type NodeSelection = z.output<typeof NodeSelection>;
