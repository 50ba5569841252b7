import type { ServiceEnvironment, ServiceName } from '@edgeloop/cli';
import type { Scenario } from '../scenario.ts';

/** Of the labels that a drift is answered with, so many must be there for a run to start. */
const TRAIN_AT_SHARE = 0.6;
const CAMPAIGN_COOLDOWN_MS = 60_000;
const FIRST_HOLDOUT_SHARE = 0.15;
/** Enough to judge by, and most of a small collection left to learn from. */
const HOLDOUT_SHARE = 0.18;
/** A few dozen frames tell a slice's score to within some hundredths: the gate must not take their noise for forgetting. */
const SLICE_FALL_MAX = 0.1;
const CAMPAIGN_DEADLINE_MS = 6 * 60_000;
const WINDOW_MS = 3_000;
/** Windows from which evidence learns what is normal for a node; the light changes only when they are full. */
export const BASELINE_WINDOWS = 8;
const HEARTBEAT_MS = 1_000;

/**
 * Settings of a worksite in fast motion: what takes days in the field takes seconds here, and a small collection is split and judged as
 * one. Everything else is as delivered.
 */
export function serviceSettings(scenario: Scenario, nodes: number): Partial<Record<ServiceName, ServiceEnvironment>> {
  const { day, drift } = scenario.budget;
  const perNode = Math.ceil(drift / nodes);
  return {
    collector: {
      COLLECTOR_BASE_POLICY: JSON.stringify({
        policyId: 'base',
        rules: [{ kind: 'random', name: 'random', probability: 0.5, perMinuteMax: 60 }],
        nearDuplicateBits: 4,
        samplesMax: Math.ceil(day / nodes),
      }),
      COLLECTOR_CAMPAIGN: JSON.stringify({
        samplesTotal: drift,
        samplesPerNodeMax: perNode,
        deadlineMs: CAMPAIGN_DEADLINE_MS,
        cooldownMs: CAMPAIGN_COOLDOWN_MS,
        nearDuplicateBits: 4,
        rules: [
          { kind: 'dark', name: 'dark', probability: 1, perMinuteMax: 300, brightnessBelow: 0.3 },
          { kind: 'uncertain', name: 'uncertain', probability: 1, perMinuteMax: 300, low: 0.1, high: 0.6 },
          { kind: 'random', name: 'random', probability: 0.8, perMinuteMax: 300 },
        ],
      }),
    },
    trainer: {
      TRAINER_NEW_LABELS: String(Math.max(1, Math.floor(drift * TRAIN_AT_SHARE))),
      TRAINER_GATE_SLICE_FALL_MAX: String(SLICE_FALL_MAX),
      TRAINER_PARAMETERS: process.env['TRAINER_PARAMETERS'] ?? JSON.stringify({ train: scenario.training }),
    },
    evidence: { EVIDENCE_BASELINE_WINDOWS: String(BASELINE_WINDOWS) },
    'labeling-bridge': {
      LABELING_SNAPSHOT_LABELS: String(drift + day),
      LABELING_SNAPSHOT_LABELS_MIN: String(Math.max(1, Math.floor(drift * TRAIN_AT_SHARE))),
      // A first model is judged on pictures that were labelled before; one that was brought along may have learnt from all of them.
      LABELING_SPLIT: JSON.stringify({
        holdoutShare: HOLDOUT_SHARE,
        importedHoldout: scenario.base === null,
        importedHoldoutShare: FIRST_HOLDOUT_SHARE,
      }),
    },
    rollout: {
      ROLLOUT_AUTO: JSON.stringify({
        channel: 'production',
        strategy: {
          waves: [{ count: 1 }, { percent: 100 }],
          deploymentTimeoutMs: 90_000,
          soakMs: 3_000,
          abort: { failedPercent: 20, failedCountMin: 1 },
          seed: 1,
        },
      }),
    },
  };
}

export function nodeSettings(fps: number): ServiceEnvironment {
  return {
    EDGELOOP_FPS: String(fps),
    EDGELOOP_HEARTBEAT_MS: String(HEARTBEAT_MS),
    EDGELOOP_TELEMETRY_WINDOW_MS: String(WINDOW_MS),
    EDGELOOP_PROBE_FRAMES: '5',
    EDGELOOP_PROBE_MS: '2000',
  };
}
