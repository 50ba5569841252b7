import { z } from 'zod';
import { event } from '../contract.ts';
import { GateVerdict } from '../evaluation.ts';
import { ModelCard, ModelName, ModelVersion, PackageManifest } from '../package-manifest.ts';
import { NodeSelection, RolloutStrategy } from '../rollout-strategy.ts';
import { SamplingPolicy } from '../sampling-policy.ts';
import {
  BOXES_PER_PICTURE_MAX,
  CampaignId,
  ChannelName,
  DatasetId,
  Digest,
  LabelBox,
  NodeId,
  ObjectRef,
  PackageId,
  PredictedBox,
  ReleaseId,
  RolloutId,
  RunId,
  SampleId,
  TaskId,
  Timestamp,
} from '../values.ts';
import { SampleManifest } from './node.ts';

const loop = { v: 1, stream: 'LOOP' } as const;

export const RunTrigger = z.object({
  kind: z.enum(['new-labels', 'class-labels', 'manual', 'import']),
  /** One sentence with the numbers that fired it. */
  reason: z.string().max(500),
});
export type RunTrigger = z.output<typeof RunTrigger>;

/** The release a candidate must beat. */
export const Incumbent = z.object({ releaseId: ReleaseId, version: ModelVersion, model: ObjectRef });
export type Incumbent = z.output<typeof Incumbent>;

const run = { runId: RunId };

export const RunStarted = event({
  ...loop,
  type: 'run.started',
  subject: 'run.v1.{runId}.started',
  says: 'A pipeline run began, and why.',
  payload: z.object({
    ...run,
    pipeline: z.string(),
    trigger: RunTrigger,
    datasetId: DatasetId.nullable(),
    newLabels: z.int().nonnegative(),
    incumbent: Incumbent.nullable(),
    model: z.object({ name: ModelName, version: ModelVersion }),
  }),
});
export const RunStepStarted = event({
  ...loop,
  type: 'run.step-started',
  subject: 'run.v1.{runId}.step-started',
  says: 'A step of the run began, or began again.',
  payload: z.object({ ...run, step: z.string(), attempt: z.int().positive() }),
});
export const RunProgressed = event({
  ...loop,
  type: 'run.progressed',
  subject: 'run.v1.{runId}.progressed',
  says: 'The step printed metadata (a JSON line); thinned to a slow clock.',
  payload: z.object({
    ...run,
    step: z.string(),
    at: Timestamp,
    metadata: z.record(z.string(), z.union([z.number(), z.string(), z.boolean(), z.null()])),
  }),
});
export const RunJudged = event({
  ...loop,
  type: 'run.judged',
  subject: 'run.v1.{runId}.judged',
  says: 'The offline gate compared candidate and incumbent.',
  payload: z.object({ ...run, gate: GateVerdict }),
});
export const RunCompleted = event({
  ...loop,
  type: 'run.completed',
  subject: 'run.v1.{runId}.completed',
  says: 'The run made a model that passed its gate; package it.',
  payload: z.object({
    ...run,
    model: ObjectRef,
    card: ModelCard,
    datasetId: DatasetId.nullable(),
    datasetDigest: Digest.nullable(),
    gate: GateVerdict.nullable(),
    trainSeconds: z.number().nonnegative(),
    /** Pictures the packager may use for golden vectors. */
    goldenPictures: z.array(ObjectRef).min(1).max(16),
  }),
});
export const RunEnded = event({
  ...loop,
  type: 'run.ended',
  subject: 'run.v1.{runId}.ended',
  says: 'The run ended without a model to package: refused by the gate, failed, cancelled or timed out.',
  payload: z.object({
    ...run,
    outcome: z.enum(['refused', 'failed', 'cancelled', 'timed-out']),
    step: z.string().nullable(),
    reason: z.string().max(2000),
  }),
});

export const PackageBuilt = event({
  ...loop,
  type: 'package.built',
  subject: 'package.v1.{packageId}.built',
  says: 'A checked, self-testing package lies in the store.',
  payload: z.object({
    packageId: PackageId,
    runId: RunId,
    archive: ObjectRef,
    /** The model as the run stored it; the next run's incumbent. */
    model: ObjectRef,
    manifest: PackageManifest,
  }),
});
export const PackageRefused = event({
  ...loop,
  type: 'package.refused',
  subject: 'package.v1.{packageId}.refused',
  says: 'The run output cannot be a package, and why.',
  payload: z.object({ packageId: PackageId, runId: RunId, cause: z.string().max(64), reason: z.string().max(2000) }),
});

export const ReleasePublished = event({
  ...loop,
  type: 'release.published',
  subject: 'release.v1.{releaseId}.published',
  says: 'An immutable, signed release is in the artifact repository and a channel points at it.',
  payload: z.object({
    releaseId: ReleaseId,
    packageId: PackageId,
    runId: RunId,
    name: ModelName,
    version: ModelVersion,
    channel: ChannelName,
    targetPath: z.string(),
    packageDigest: Digest,
    packageBytes: z.int().positive(),
    modelDigest: Digest,
    model: ObjectRef,
    classes: z.array(z.string()),
  }),
});
export type ReleasePublished = z.output<typeof ReleasePublished.payload>;
export const ReleaseRefused = event({
  ...loop,
  type: 'release.refused',
  subject: 'release.v1.{releaseId}.refused',
  says: 'The package was not published, and why.',
  payload: z.object({ releaseId: ReleaseId, packageId: PackageId, cause: z.string().max(64), reason: z.string().max(2000) }),
});

/** The facts about a release that a rollout hands to the fleet. */
export const RolloutRelease = ReleasePublished.payload.pick({
  releaseId: true,
  name: true,
  version: true,
  targetPath: true,
  packageDigest: true,
  packageBytes: true,
  modelDigest: true,
});
export type RolloutRelease = z.output<typeof RolloutRelease>;

const rollout = { rolloutId: RolloutId };
export const NODES_PER_ASSIGNMENT_MAX = 1000;

export const RolloutStarted = event({
  ...loop,
  type: 'rollout.started',
  subject: 'rollout.v1.{rolloutId}.started',
  says: 'A release begins its way through the fleet.',
  payload: z.object({
    ...rollout,
    release: RolloutRelease,
    selection: NodeSelection,
    strategy: RolloutStrategy,
    waves: z.array(z.int().nonnegative()),
    reason: z.string().max(500),
  }),
});
export const RolloutWaveStarted = event({
  ...loop,
  type: 'rollout.wave-started',
  subject: 'rollout.v1.{rolloutId}.wave-started',
  says: 'These nodes are offered the release.',
  payload: z.object({ ...rollout, wave: z.int().nonnegative(), nodeIds: z.array(NodeId) }),
});
/** The only event that changes what a node should run. */
export const RolloutAssigned = event({
  ...loop,
  type: 'rollout.assigned',
  subject: 'rollout.v1.{rolloutId}.assigned',
  says: 'The fleet service must set these nodes to this release (an offer, or the way back).',
  payload: z.object({
    ...rollout,
    assignmentId: z.string(),
    kind: z.enum(['offer', 'rollback']),
    release: RolloutRelease.nullable(),
    nodeIds: z.array(NodeId).min(1).max(NODES_PER_ASSIGNMENT_MAX),
  }),
});
export const RolloutWaveCompleted = event({
  ...loop,
  type: 'rollout.wave-completed',
  subject: 'rollout.v1.{rolloutId}.wave-completed',
  says: 'The wave was seen running the new weights, healthy for the soak time.',
  payload: z.object({ ...rollout, wave: z.int().nonnegative(), running: z.int().nonnegative(), failed: z.int().nonnegative() }),
});
export const RolloutHalted = event({
  ...loop,
  type: 'rollout.halted',
  subject: 'rollout.v1.{rolloutId}.halted',
  says: 'Failures passed the abort rule; the wave goes back to the last proven release.',
  payload: z.object({
    ...rollout,
    wave: z.int().nonnegative(),
    failed: z.int().nonnegative(),
    offered: z.int().nonnegative(),
    reason: z.string().max(1000),
    failures: z.array(z.object({ nodeId: NodeId, reason: z.string() })).max(100),
  }),
});
export const RolloutPaused = event({
  ...loop,
  type: 'rollout.paused',
  subject: 'rollout.v1.{rolloutId}.paused',
  says: 'No further node is offered the release until it is resumed.',
  payload: z.object({ ...rollout, by: z.string() }),
});
export const RolloutResumed = event({
  ...loop,
  type: 'rollout.resumed',
  subject: 'rollout.v1.{rolloutId}.resumed',
  says: 'The rollout goes on.',
  payload: z.object({ ...rollout, by: z.string() }),
});
export const RolloutEnded = event({
  ...loop,
  type: 'rollout.ended',
  subject: 'rollout.v1.{rolloutId}.ended',
  says: 'Terminal: completed, rolled back, aborted or superseded.',
  payload: z.object({
    ...rollout,
    releaseId: ReleaseId,
    outcome: z.enum(['completed', 'rolled-back', 'aborted', 'superseded']),
    running: z.int().nonnegative(),
    failed: z.int().nonnegative(),
    reason: z.string().max(1000),
  }),
});

export const NodeEnrolled = event({
  ...loop,
  type: 'fleet.enrolled',
  subject: 'fleet.v1.{nodeId}.enrolled',
  says: 'A node joined the fleet.',
  payload: z.object({ nodeId: NodeId, publicKey: z.string(), attributes: z.record(z.string(), z.string()) }),
});
export const NodeDesiredSet = event({
  ...loop,
  type: 'fleet.desired-set',
  subject: 'fleet.v1.{nodeId}.desired-set',
  says: 'The signed desired state of a node changed.',
  payload: z.object({
    nodeId: NodeId,
    generation: z.int().positive(),
    releaseId: ReleaseId.nullable(),
    rolloutId: RolloutId.nullable(),
    campaignId: CampaignId,
    policyVersion: z.int().positive(),
  }),
});

/** The policy that holds when no other campaign runs. */
export const BASE_CAMPAIGN = 'base';

export const CampaignStarted = event({
  ...loop,
  type: 'campaign.started',
  subject: 'campaign.v1.{campaignId}.started',
  says: 'Nodes shall collect by this policy until the campaign closes.',
  payload: z.object({
    campaignId: CampaignId,
    reason: z.string().max(500),
    policy: SamplingPolicy,
    nodes: NodeSelection,
    samplesTotal: z.int().positive().nullable(),
    deadline: Timestamp.nullable(),
  }),
});
export const CampaignClosed = event({
  ...loop,
  type: 'campaign.closed',
  subject: 'campaign.v1.{campaignId}.closed',
  says: 'The campaign has what it wanted, or ran out of time; the base policy holds again.',
  payload: z.object({ campaignId: CampaignId, outcome: z.enum(['full', 'deadline', 'by-hand']), accepted: z.int().nonnegative() }),
});

export const SampleAccepted = event({
  type: 'sample.accepted',
  v: 1,
  stream: 'SAMPLES',
  subject: 'sample.v1.{nodeId}.{sampleId}',
  says: 'The ledger entry of one sample, once for ever: its object was found, hashed and decoded.',
  payload: z.object({ nodeId: NodeId, sampleId: SampleId, manifest: SampleManifest, acceptedAt: Timestamp }),
});
export const SampleQuarantined = event({
  ...loop,
  type: 'sample.quarantined',
  subject: 'quarantine.v1.{nodeId}.{sampleId}',
  says: 'A sample was refused, and why.',
  payload: z.object({ nodeId: NodeId, sampleId: SampleId, cause: z.string().max(64), reason: z.string().max(1000), object: ObjectRef }),
});

export const TaskCreated = event({
  ...loop,
  type: 'label.task-created',
  subject: 'label.v1.{taskId}.task-created',
  says: 'People are asked to label a sample.',
  payload: z.object({ taskId: TaskId, nodeId: NodeId, sampleId: SampleId, preLabels: z.array(PredictedBox).max(BOXES_PER_PICTURE_MAX) }),
});
export const TaskAnswered = event({
  type: 'label.answered',
  v: 1,
  stream: 'LABELS',
  subject: 'label.v1.{taskId}.answered',
  says: 'The answer to a task, once for ever.',
  payload: z.object({
    taskId: TaskId,
    nodeId: NodeId,
    sampleId: SampleId,
    outcome: z.enum(['labeled', 'skipped']),
    boxes: z.array(LabelBox).max(BOXES_PER_PICTURE_MAX),
    labelDigest: Digest,
    annotator: z.string().min(1).max(100),
    answeredAt: Timestamp,
  }),
});

export const DatasetSnapshotted = event({
  ...loop,
  type: 'dataset.snapshotted',
  subject: 'dataset.v1.{datasetId}.snapshotted',
  says: 'A frozen, content-addressed dataset is ready.',
  payload: z.object({
    datasetId: DatasetId,
    version: z.int().positive(),
    parent: DatasetId.nullable(),
    manifest: ObjectRef,
    classes: z.array(z.string()).min(1),
    counts: z.object({
      items: z.int().nonnegative(),
      train: z.int().nonnegative(),
      holdout: z.int().nonnegative(),
      /** Answers that no earlier snapshot held. */
      newLabels: z.int().nonnegative(),
      newPerClass: z.record(z.string(), z.int().nonnegative()),
      perSlice: z.record(z.string(), z.object({ train: z.int().nonnegative(), holdout: z.int().nonnegative() })),
    }),
    reason: z.string().max(500),
  }),
});

export const NodeDrifted = event({
  ...loop,
  type: 'evidence.drifted',
  subject: 'evidence.v1.{nodeId}.drifted',
  says: 'The node left its own baseline, with the numbers.',
  payload: z.object({
    nodeId: NodeId,
    releaseId: ReleaseId.nullable(),
    at: Timestamp,
    /** For each measure that left: baseline mean and spread, what is seen now, distance in spreads. */
    measures: z
      .array(
        z.object({
          measure: z.enum(['detections-per-frame', 'mean-score', 'brightness', 'sharpness', 'empty-share']),
          baseline: z.number(),
          spread: z.number(),
          now: z.number(),
          distance: z.number(),
        }),
      )
      .min(1),
    windows: z.object({ baseline: z.int().positive(), recent: z.int().positive() }),
  }),
});
export const NodeSettled = event({
  ...loop,
  type: 'evidence.settled',
  subject: 'evidence.v1.{nodeId}.settled',
  says: 'The node is back within its baseline, or a new release began a new one.',
  payload: z.object({ nodeId: NodeId, releaseId: ReleaseId.nullable(), at: Timestamp, reason: z.string().max(500) }),
});

export const DeadLetter = event({
  type: 'dead.letter',
  v: 1,
  stream: 'DEAD',
  subject: 'dead.v1.{service}.{stream}',
  says: 'A message that could not be handled: origin, reason, count and the original bytes.',
  payload: z.object({
    service: z.string(),
    stream: z.string(),
    streamSequence: z.int().nonnegative(),
    consumer: z.string(),
    subject: z.string(),
    deliveries: z.int().nonnegative(),
    reason: z.string().max(2000),
    headers: z.record(z.string(), z.string()),
    data: z.string(),
    at: Timestamp,
  }),
});
