import { z } from 'zod';
import { event, request, signal } from '../contract.ts';
import { SamplingPolicy } from '../sampling-policy.ts';
import { CampaignId, Digest, NodeId, ReleaseId, RolloutId, Timestamp } from '../values.ts';

/** What loaded weights are serving frames right now. */
export const RunningModel = z.object({ releaseId: ReleaseId, modelDigest: Digest, generation: z.int().nonnegative() });
export type RunningModel = z.output<typeof RunningModel>;

export const DeploymentPhase = z.enum([
  'idle',
  'verifying',
  'downloading',
  'staging',
  'self-testing',
  'switching',
  'probing',
  'committing',
  'rolling-back',
]);
export type DeploymentPhase = z.output<typeof DeploymentPhase>;

/** Sequence numbers restart with the installation: an epoch names one life of the node's state folder. */
export const sequenced = { nodeId: NodeId, epoch: z.string().min(8).max(64), sequence: z.int().nonnegative() };

export const NodeHeartbeat = signal({
  type: 'node.heartbeat',
  v: 1,
  subject: 'node.v1.{nodeId}.heartbeat',
  says: 'The node is alive and these weights are serving; success is what is observed here.',
  payload: z.object({
    ...sequenced,
    at: Timestamp,
    running: RunningModel.nullable(),
    phase: DeploymentPhase,
    desiredGeneration: z.int().nonnegative(),
    policyVersion: z.int().nonnegative(),
    framesTotal: z.int().nonnegative(),
    framesPerSecond: z.number().nonnegative(),
    inferenceErrors: z.int().nonnegative(),
    /** Time since the last successful inference; null before the first. */
    lastInferenceAgoMs: z.number().nonnegative().nullable(),
    spool: z.object({ items: z.int().nonnegative(), bytes: z.int().nonnegative(), shed: z.int().nonnegative() }),
    metadataStaleSince: Timestamp.nullable(),
  }),
});

export const DeploymentOutcome = z.enum(['committed', 'rolled-back', 'rejected', 'failed']);
export type DeploymentOutcome = z.output<typeof DeploymentOutcome>;

export const NodeReport = event({
  type: 'node.report',
  v: 1,
  stream: 'NODES',
  subject: 'node.v1.{nodeId}.report',
  says: 'Progress or outcome of one deployment on one node.',
  payload: z.object({
    ...sequenced,
    at: Timestamp,
    generation: z.int().nonnegative(),
    rolloutId: RolloutId.nullable(),
    releaseId: ReleaseId,
    phase: DeploymentPhase,
    /** Null while it goes on. */
    outcome: DeploymentOutcome.nullable(),
    /** Machine-readable cause of a bad outcome, for example `golden-mismatch`, `digest-mismatch`, `probe-timeout`. */
    reason: z.string().max(64).nullable(),
    detail: z.string().max(2000).nullable(),
    running: RunningModel.nullable(),
  }),
});

export const HISTOGRAM_BINS = 20;

export const TelemetryWindow = z.object({
  ...sequenced,
  from: Timestamp,
  to: Timestamp,
  releaseId: ReleaseId.nullable(),
  modelDigest: Digest.nullable(),
  frames: z.int().nonnegative(),
  emptyFrames: z.int().nonnegative(),
  framesPerSecond: z.number().nonnegative(),
  inferenceErrors: z.int().nonnegative(),
  latencyMs: z.object({ p50: z.number().nonnegative(), p95: z.number().nonnegative() }),
  brightness: z.object({ mean: z.number(), min: z.number(), max: z.number() }),
  sharpness: z.object({ mean: z.number() }),
  classes: z.array(
    z.object({
      classId: z.int().nonnegative(),
      detections: z.int().nonnegative(),
      /** Counts of best scores over [0,1] in equal bins. */
      scoreHistogram: z.array(z.int().nonnegative()).length(HISTOGRAM_BINS),
    }),
  ),
});
export type TelemetryWindow = z.output<typeof TelemetryWindow>;

export const NodeTelemetry = event({
  type: 'node.telemetry',
  v: 1,
  stream: 'TELEMETRY',
  subject: 'node.v1.{nodeId}.telemetry',
  says: 'A batch of windows of what the model saw and how well the camera sees.',
  payload: z.object({ nodeId: NodeId, windows: z.array(TelemetryWindow).min(1).max(60) }),
});

export const NodeBell = signal({
  type: 'node.bell',
  v: 1,
  subject: 'bell.v1.{nodeId}',
  says: 'Something changed for you: come and sync. Carries nothing that is believed.',
  payload: z.object({ nodeId: NodeId }),
});

/** What one node should run and collect; level-triggered and signed as one document. */
export const Desired = z.object({
  nodeId: NodeId,
  /** Grows with every change; a node ignores anything not newer than what it has accepted. */
  generation: z.int().positive(),
  issuedAt: Timestamp,
  release: z
    .object({
      releaseId: ReleaseId,
      name: z.string(),
      version: z.string(),
      rolloutId: RolloutId.nullable(),
      /** Path of the package among the TUF targets. */
      targetPath: z.string(),
      packageDigest: Digest,
      packageBytes: z.int().positive(),
      modelDigest: Digest,
    })
    .nullable(),
  policy: SamplingPolicy,
  campaignId: CampaignId,
});
export type Desired = z.output<typeof Desired>;

/** `signed` is the exact JSON text of a `Desired`; the signature is Ed25519 over its UTF-8 bytes, base64. */
export const SignedDesired = z.object({ signed: z.string().max(64_000), keyId: z.string(), signature: z.string() });
export type SignedDesired = z.output<typeof SignedDesired>;

export const NodeSync = request({
  type: 'node.sync',
  v: 1,
  subject: 'node.v1.{nodeId}.sync',
  says: 'The node asks for its whole desired state and for links to what it may need to fetch.',
  payload: z.object({ nodeId: NodeId, haveGeneration: z.int().nonnegative() }),
  reply: z.object({
    desired: SignedDesired.nullable(),
    /** Short-lived GET links by repository path (`metadata/timestamp.json`, `targets/<path>`); a name without a link is not there. */
    links: z.record(z.string(), z.url()),
    linksExpireAt: Timestamp,
  }),
});

/** TUF root (JSON text) and the key that signs desired state: all that a node must trust from the start. */
export const TrustAnchors = z.object({
  tufRoot: z.string().max(64_000),
  assignmentKeys: z.array(z.object({ keyId: z.string(), publicKey: z.string() })).min(1),
});
export type TrustAnchors = z.output<typeof TrustAnchors>;

export const NodeEnroll = request({
  type: 'node.enroll',
  v: 1,
  subject: 'enroll.v1.{inviteId}',
  says: 'A new node trades a one-time join token for an identity; its keys never leave it.',
  payload: z.object({
    inviteId: z.string(),
    /** The secret half of the join token. */
    secret: z.string().min(16).max(200),
    nodeId: NodeId,
    /** User nkey (`U…`) made on the node. */
    publicKey: z.string().regex(/^U[A-Z2-7]{55}$/),
    attributes: z.record(z.string().max(64), z.string().max(256)).default({}),
  }),
  reply: z.discriminatedUnion('enrolled', [
    z.object({ enrolled: z.literal(true), nodeId: NodeId, userJwt: z.string(), trust: TrustAnchors }),
    z.object({
      enrolled: z.literal(false),
      reason: z.enum(['token-unknown', 'token-used', 'token-expired', 'node-exists', 'not-ready']),
      say: z.string(),
    }),
  ]),
});
