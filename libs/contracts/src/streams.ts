/** Streams and key-value buckets, declared once; `libs/bus` provisions exactly these. */
export type StreamName = 'LOOP' | 'NODES' | 'SAMPLES' | 'LABELS' | 'TELEMETRY' | 'DEAD';

export interface StreamDefinition {
  readonly name: StreamName;
  readonly subjects: readonly string[];
  /** Undefined: kept for ever. */
  readonly maxAgeDays?: number;
  /** The stream itself refuses a second message of the same subject: insertion is idempotent for ever. */
  readonly oncePerSubject: boolean;
  /** Acknowledged before the disk has it; for telemetry only, never for facts. */
  readonly asyncPersistence?: boolean;
  readonly keeps: string;
}

/** Never bound a many-subject stream by `max_msgs`: it costs two orders of magnitude of rate. */
export const STREAMS: readonly StreamDefinition[] = [
  {
    name: 'LOOP',
    subjects: [
      'run.v1.*.*',
      'package.v1.*.*',
      'release.v1.*.*',
      'rollout.v1.*.*',
      'campaign.v1.*.*',
      'fleet.v1.*.*',
      'label.v1.*.task-created',
      'dataset.v1.*.*',
      'evidence.v1.*.*',
      'quarantine.v1.*.*',
    ],
    maxAgeDays: 365,
    oncePerSubject: false,
    keeps: 'domain events, lineage',
  },
  { name: 'NODES', subjects: ['node.v1.*.report', 'node.v1.*.manifest'], maxAgeDays: 30, oncePerSubject: false, keeps: 'facts from nodes' },
  { name: 'SAMPLES', subjects: ['sample.v1.*.*'], oncePerSubject: true, keeps: 'the ledger of accepted samples, for ever' },
  { name: 'LABELS', subjects: ['label.v1.*.answered'], oncePerSubject: true, keeps: 'the answer to each labeling task, for ever' },
  {
    name: 'TELEMETRY',
    subjects: ['node.v1.*.telemetry'],
    maxAgeDays: 7,
    oncePerSubject: false,
    asyncPersistence: true,
    keeps: 'windows of field statistics',
  },
  {
    name: 'DEAD',
    subjects: ['dead.v1.>'],
    maxAgeDays: 365,
    oncePerSubject: false,
    keeps: 'poison with origin, reason, count and original bytes',
  },
];

/** State documents: one bucket a kind, one key an aggregate, written by revision only. */
export const STATE_BUCKETS = [
  'runs',
  'trainer',
  'packages',
  'releases',
  'channels',
  'repositories',
  'rollouts',
  'nodes',
  'fleet',
  'invites',
  'campaigns',
  'tasks',
  'datasets',
  'field-statistics',
] as const;
export type StateBucket = (typeof STATE_BUCKETS)[number];
