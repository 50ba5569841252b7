import {
  BASE_CAMPAIGN,
  CampaignClosed,
  CampaignStarted,
  DatasetSnapshotted,
  NodeDrifted,
  NodeEnrolled,
  NodeSettled,
  PackageBuilt,
  PackageRefused,
  ReleasePublished,
  ReleaseRefused,
  RolloutEnded,
  RolloutHalted,
  RolloutStarted,
  RolloutWaveCompleted,
  RolloutWaveStarted,
  RunCompleted,
  RunEnded,
  RunJudged,
  RunProgressed,
  RunStarted,
  RunStepStarted,
  SampleQuarantined,
} from '@edgeloop/contracts';
import type { EventContract, PayloadOf } from '@edgeloop/contracts';

/** The arrows of the loop, in the order of a turn. */
export const ARROWS = ['train', 'package', 'publish', 'roll out', 'watch', 'collect', 'label'] as const;
export type Arrow = (typeof ARROWS)[number];

export interface Said {
  readonly arrow: Arrow;
  readonly text: string;
  readonly tone: 'plain' | 'good' | 'bad';
}

/** How far something is that takes time. */
export interface Progress {
  readonly arrow: Arrow;
  readonly label: string;
  readonly done: number;
  readonly total: number;
  readonly note: string;
}

export type Told = { readonly said: Said } | { readonly progress: Progress } | undefined;

type Teller = (payload: never) => Told;

const say = (arrow: Arrow, text: string, tone: Said['tone'] = 'plain'): Told => ({ said: { arrow, text, tone } });
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
const shortDigest = (digest: string): string => digest.slice(7, 19);
const names = (nodeIds: readonly string[]): string =>
  nodeIds.length > 6 ? `${nodeIds.slice(0, 5).join(', ')} and ${nodeIds.length - 5} more` : nodeIds.join(', ');

function tell<C extends EventContract>(contract: C, teller: (payload: PayloadOf<C>) => Told): [string, Teller] {
  return [contract.type, teller as Teller];
}

function told(metadata: Readonly<Record<string, unknown>>): string {
  return ['loss', 'val_map50', 'map50']
    .filter((key) => typeof metadata[key] === 'number')
    .map((key) => `${key} ${(metadata[key] as number).toFixed(3)}`)
    .join(', ');
}

function tellProgress({ step, metadata }: PayloadOf<typeof RunProgressed>): Told {
  for (const [done, total] of [
    ['step', 'steps'],
    ['epoch', 'epochs'],
  ] as const) {
    const [at, of] = [metadata[done], metadata[total]];
    if (typeof at === 'number' && typeof of === 'number' && of > 0)
      return { progress: { arrow: 'train', label: step, done: at, total: of, note: told(metadata) } };
  }
  return undefined;
}

const MEASURES: Readonly<Record<string, string>> = {
  'detections-per-frame': 'detections a frame',
  'mean-score': 'mean score',
  brightness: 'brightness',
  sharpness: 'sharpness',
  'empty-share': 'share of empty frames',
};

function tellDrift({ nodeId, measures }: PayloadOf<typeof NodeDrifted>): Told {
  const numbers = measures.map(
    (each) =>
      `${MEASURES[each.measure] ?? each.measure} ${each.baseline.toFixed(2)} → ${each.now.toFixed(2)} (${each.distance.toFixed(1)} spreads)`,
  );
  return say('watch', `${nodeId} left its baseline: ${numbers.join(', ')}`, 'bad');
}

const TELLERS: ReadonlyMap<string, Teller> = new Map([
  tell(NodeEnrolled, ({ nodeId }) => say('roll out', `${nodeId} joined with a key made on the node`)),
  tell(RunStarted, ({ pipeline, trigger, model, incumbent }) =>
    say(
      'train',
      `${model.name} ${model.version}: pipeline ${pipeline}, because ${trigger.reason}${incumbent ? `; it must beat ${incumbent.releaseId}` : ''}`,
    ),
  ),
  tell(RunStepStarted, ({ step, attempt }) => say('train', `step ${step}${attempt > 1 ? `, resumed (attempt ${attempt})` : ''}`)),
  tell(RunProgressed, tellProgress),
  tell(RunJudged, ({ gate }) =>
    say('train', `offline gate ${gate.verdict}: ${gate.reasons.join('; ')}`, gate.verdict === 'passed' ? 'good' : 'bad'),
  ),
  tell(RunCompleted, ({ card, trainSeconds }) =>
    say(
      'train',
      `${card.name} ${card.version} is ready${trainSeconds > 0 ? ` after ${Math.round(trainSeconds)} s of training` : ''}`,
      'good',
    ),
  ),
  tell(RunEnded, ({ outcome, step, reason }) => say('train', `run ${outcome}${step === null ? '' : ` at ${step}`}: ${reason}`, 'bad')),
  tell(PackageBuilt, ({ archive, manifest }) =>
    say(
      'package',
      `${megabytes(archive.bytes)}, ${manifest.goldens.vectors.length} golden vectors, layout ${manifest.model.layout}, sha256 ${shortDigest(archive.digest)}…`,
    ),
  ),
  tell(PackageRefused, ({ cause, reason }) => say('package', `refused (${cause}): ${reason}`, 'bad')),
  tell(ReleasePublished, ({ releaseId, channel }) => say('publish', `${releaseId} signed and immutable; channel ${channel} points at it`)),
  tell(ReleaseRefused, ({ releaseId, cause, reason }) => say('publish', `${releaseId} refused (${cause}): ${reason}`, 'bad')),
  tell(RolloutStarted, ({ release, waves }) => say('roll out', `${release.releaseId} in ${waves.length} waves of ${waves.join(', ')}`)),
  tell(RolloutWaveStarted, ({ wave, nodeIds }) => say('roll out', `wave ${wave + 1}: ${names(nodeIds)} offered`)),
  tell(RolloutWaveCompleted, ({ wave, running, failed }) =>
    say('roll out', `wave ${wave + 1}: ${running} seen running the new weights${failed > 0 ? `, ${failed} failed` : ''}`, 'good'),
  ),
  tell(RolloutHalted, ({ wave, failed, offered, reason }) =>
    say('roll out', `halted in wave ${wave + 1}: ${failed} of ${offered} failed; ${reason}`, 'bad'),
  ),
  tell(RolloutEnded, ({ releaseId, outcome, running, reason }) =>
    say('roll out', `${releaseId} ${outcome} on ${running} nodes${reason ? `: ${reason}` : ''}`, outcome === 'completed' ? 'good' : 'bad'),
  ),
  tell(NodeDrifted, tellDrift),
  tell(NodeSettled, ({ nodeId, reason }) => say('watch', `${nodeId} settled: ${reason}`, 'good')),
  tell(CampaignStarted, ({ campaignId, reason, samplesTotal }) =>
    campaignId === BASE_CAMPAIGN
      ? undefined
      : say('collect', `campaign ${campaignId}: ${reason}${samplesTotal === null ? '' : `; ${samplesTotal} samples wanted`}`),
  ),
  tell(CampaignClosed, ({ outcome, accepted }) =>
    say('collect', `campaign closed (${outcome}) with ${accepted} samples in the ledger`, 'good'),
  ),
  tell(SampleQuarantined, ({ nodeId, cause }) => say('collect', `a sample of ${nodeId} is in quarantine: ${cause}`, 'bad')),
  tell(DatasetSnapshotted, ({ version, counts }) =>
    say(
      'label',
      `dataset ${version} frozen: ${counts.items} pictures, ${counts.newLabels} new labels, ${counts.train} to train on, ${counts.holdout} held out`,
      'good',
    ),
  ),
]);

/** What one event adds to the story; undefined: nothing worth telling. */
export function tellStory(type: string, payload: unknown): Told {
  return TELLERS.get(type)?.(payload as never);
}
