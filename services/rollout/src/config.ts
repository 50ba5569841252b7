import { ChannelName, RolloutStrategy } from '@edgeloop/contracts';
import { z } from 'zod';
import type { AutoRollout } from './app/order-rollout.ts';

/** One node first, then half of the fleet, then all. Nodes that are away for ten minutes count as failed. */
export const DEFAULT_STRATEGY: RolloutStrategy = {
  waves: [{ count: 1 }, { percent: 50 }, { percent: 100 }],
  deploymentTimeoutMs: 600_000,
  soakMs: 60_000,
  abort: { failedPercent: 20, failedCountMin: 1 },
  seed: 1,
};

const Auto = z.object({ channel: ChannelName.default('production'), strategy: RolloutStrategy.default(DEFAULT_STRATEGY) });

const AUTO_HINT = 'expected "off" or JSON like {"channel": "production", "strategy": {"waves": [{"count": 1}, {"percent": 100}], …}}';

function readAuto(text: string, context: z.RefinementCtx): AutoRollout {
  if (text === 'off') return { channel: null, strategy: DEFAULT_STRATEGY };
  try {
    const parsed = Auto.safeParse(JSON.parse(text));
    if (parsed.success) return parsed.data;
    for (const { path, message } of parsed.error.issues) context.addIssue(`${path.join('.')}: ${message}; ${AUTO_HINT}`);
  } catch {
    context.addIssue(AUTO_HINT);
  }
  return z.NEVER;
}

export const RolloutConfig = z.object({
  /** Which channel is rolled out by itself, and how; also the strategy of rollouts that are started without one. */
  ROLLOUT_AUTO: z.string().default('{}').transform(readAuto),
  /** How often open rollouts are looked at. */
  ROLLOUT_LOOK_MS: z.coerce.number().int().min(50).max(60_000).default(500),
  /** A node not heard for longer is not healthy. */
  ROLLOUT_HEARTBEAT_STALE_MS: z.coerce.number().int().positive().default(15_000),
  /** A node whose last good inference is older is not healthy. */
  ROLLOUT_INFERENCE_STALE_MS: z.coerce.number().int().positive().default(30_000),
});
export type RolloutConfig = z.output<typeof RolloutConfig>;
