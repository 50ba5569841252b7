import {
  HISTOGRAM_BINS,
  type NodeHeartbeat,
  type NodeReceipts,
  type NodeTelemetry,
  type PayloadOf,
  type ReplyOf,
} from '@edgeloop/contracts';

export const NODE_ID = 'bench-node';
const AT = '2026-01-01T00:00:00.000Z';
const DIGEST = `sha256:${'ab'.repeat(32)}`;
const SAMPLE_IDS = Array.from({ length: 10 }, (_, index) => index.toString(16).repeat(64));

/** About 500 bytes of JSON. */
export const HEARTBEAT: PayloadOf<typeof NodeHeartbeat> = {
  nodeId: NODE_ID,
  epoch: 'epoch-0001',
  sequence: 1,
  at: AT,
  running: { releaseId: 'hardhat-v7', modelDigest: DIGEST, generation: 12 },
  phase: 'idle',
  desiredGeneration: 12,
  policyVersion: 3,
  framesTotal: 123_456,
  framesPerSecond: 4.98,
  inferenceErrors: 0,
  lastInferenceAgoMs: 35,
  spool: { items: 12, bytes: 1_234_567, shed: 0 },
  metadataStaleSince: null,
};

/** About 800 bytes: one window of two classes. */
export const TELEMETRY: PayloadOf<typeof NodeTelemetry> = {
  nodeId: NODE_ID,
  windows: [
    {
      nodeId: NODE_ID,
      epoch: 'epoch-0001',
      sequence: 1,
      from: AT,
      to: AT,
      releaseId: 'hardhat-v7',
      modelDigest: DIGEST,
      frames: 50,
      emptyFrames: 3,
      framesPerSecond: 4.98,
      inferenceErrors: 0,
      latencyMs: { p50: 61.2, p95: 70.4 },
      brightness: { mean: 0.512, min: 0.48, max: 0.55 },
      sharpness: { mean: 0.0213 },
      classes: [0, 1].map((classId) => ({
        classId,
        detections: 90,
        scoreHistogram: Array.from({ length: HISTOGRAM_BINS }, (_, bin) => bin),
      })),
    },
  ],
};

/** About 700 bytes each way. */
export const RECEIPTS: PayloadOf<typeof NodeReceipts> = { nodeId: NODE_ID, sampleIds: SAMPLE_IDS };
export const RECEIPTS_REPLY: ReplyOf<typeof NodeReceipts> = { accepted: SAMPLE_IDS, quarantined: [], unknown: [] };

/** The reference's own subjects and stream, so that both sides can listen at once. */
export const BARE = { signal: 'bare.v1.*.heartbeat', event: 'bare.v1.*.telemetry', request: 'bare.v1.*.receipts', stream: 'BARE' } as const;
