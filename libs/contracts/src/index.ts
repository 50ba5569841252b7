export {
  event,
  patternOf,
  request,
  signal,
  subjectOf,
  tokensOf,
  typeId,
  type Contract,
  type EventContract,
  type MessageKind,
  type PayloadOf,
  type ReplyOf,
  type RequestContract,
  type SignalContract,
} from './contract.ts';
export { buildSubject, InvalidSubjectTokenError, parseSubject, SUBJECT_TOKEN, subjectPattern } from './subject.ts';
export { STATE_BUCKETS, STREAMS, type StateBucket, type StreamDefinition, type StreamName } from './streams.ts';
export {
  BOXES_PER_PICTURE_MAX,
  CampaignId,
  ChannelName,
  CLASSES_MAX,
  ClassName,
  DatasetId,
  Digest,
  InviteId,
  LabelBox,
  NodeId,
  ObjectRef,
  PackageId,
  PredictedBox,
  ReleaseId,
  RolloutId,
  RunId,
  SampleId,
  Score,
  TaskId,
  Timestamp,
} from './values.ts';
export { RULES_MAX, SamplingPolicy, SamplingRule } from './sampling-policy.ts';
export {
  GoldenVector,
  ModelCard,
  ModelInput,
  ModelLayout,
  ModelName,
  ModelVersion,
  PACKAGE_FORMAT,
  PackageManifest,
} from './package-manifest.ts';
export { DATASET_ITEMS_MAX, DatasetItem, DatasetSnapshot } from './dataset.ts';
export { NodeSelection, RolloutStrategy, WAVES_MAX, WaveSize } from './rollout-strategy.ts';
export { Evaluation, GateVerdict, ModelScore, SliceScore } from './evaluation.ts';
export {
  DeploymentOutcome,
  DeploymentPhase,
  Desired,
  HISTOGRAM_BINS,
  NodeBell,
  NodeEnroll,
  NodeHeartbeat,
  NodeReport,
  NodeSync,
  NodeTelemetry,
  RunningModel,
  SignedDesired,
  TelemetryWindow,
  TrustAnchors,
} from './family/node.ts';
export {
  NodeGrant,
  NodeManifest,
  NodeReceipts,
  RECEIPTS_PER_REQUEST_MAX,
  SAMPLES_PER_GRANT_MAX,
  SampleManifest,
  UploadCredentials,
} from './family/node-samples.ts';
export { Incumbent, RunCompleted, RunEnded, RunJudged, RunProgressed, RunStarted, RunStepStarted, RunTrigger } from './family/run.ts';
export { PackageBuilt, PackageRefused, ReleasePublished, ReleaseRefused, RolloutRelease } from './family/release.ts';
export {
  NODES_PER_ASSIGNMENT_MAX,
  RolloutAssigned,
  RolloutEnded,
  RolloutHalted,
  RolloutPaused,
  RolloutResumed,
  RolloutStarted,
  RolloutWaveCompleted,
  RolloutWaveStarted,
} from './family/rollout.ts';
export { NodeDesiredSet, NodeEnrolled } from './family/fleet.ts';
export { BASE_CAMPAIGN, CampaignClosed, CampaignStarted, SampleAccepted, SampleQuarantined } from './family/collection.ts';
export { DatasetSnapshotted, TaskAnswered, TaskCreated } from './family/labeling.ts';
export { NodeDrifted, NodeSettled } from './family/evidence.ts';
export { DeadLetter } from './family/dead.ts';
export {
  AskCancelRun,
  AskInvite,
  AskNodes,
  AskReleases,
  AskRolloutCommand,
  AskRollouts,
  AskRuns,
  AskStartRollout,
  AskStartRun,
  NodeView,
  ReleaseView,
  RolloutView,
  RunView,
} from './family/ask.ts';
export {
  SampleView,
  AskSamples,
  CampaignView,
  AskCampaigns,
  AskStartCampaign,
  DatasetView,
  AskDatasets,
  ImportedItem,
  AskImportDataset,
  AskSnapshot,
  FieldView,
  AskField,
} from './family/ask-field.ts';
export { ALL_CONTRACTS } from './all-contracts.ts';
