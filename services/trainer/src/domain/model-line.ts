import type { Incumbent, ObjectRef } from '@edgeloop/contracts';
import { NOTHING_SEEN, decisionOf, seeSnapshot, startByHand } from './trigger.ts';
import type { SnapshotSeen, TriggerRule, TriggerState } from './trigger.ts';

export interface KnownDataset {
  readonly datasetId: string;
  readonly manifest: ObjectRef;
  readonly newLabels: number;
}

/** What the trainer knows about one model from turn to turn: its versions, its incumbent, its datasets. */
export interface ModelLine {
  readonly trigger: TriggerState;
  /** Runs that were given a version, oldest first. */
  readonly versions: readonly { readonly runId: string; readonly number: number }[];
  /** Published releases, oldest first. */
  readonly releases: readonly Incumbent[];
  /** The release that the whole fleet was last seen running; the one to beat. */
  readonly incumbent: Incumbent | null;
  readonly datasets: readonly KnownDataset[];
}

/** Entries of each list that are kept. */
export const LINE_KEPT_MAX = 200;

export const NEW_LINE: ModelLine = { trigger: NOTHING_SEEN, versions: [], releases: [], incumbent: null, datasets: [] };

/** Hex digits of a model's digest that name its import. */
const IMPORT_DIGITS = 16;

const kept = <T>(list: readonly T[]): readonly T[] => list.slice(-LINE_KEPT_MAX);

export function runIdOf(datasetId: string): string {
  return `run-${datasetId}`;
}

/** Run of the n-th try to import the model with this digest; the first is 1. */
export function importRunIdOf(digest: string, attempt: number): string {
  const first = `run-import-${digest.slice('sha256:'.length, 'sha256:'.length + IMPORT_DIGITS)}`;
  return attempt === 1 ? first : `${first}-${attempt}`;
}

function versionOf(line: ModelLine, runId: string): string | undefined {
  const given = line.versions.find((each) => each.runId === runId);
  return given && `v${given.number}`;
}

/** The run was given its version so long ago that the line has forgotten it; another one would be a lie. */
export class VersionForgottenError extends Error {
  override readonly name = 'VersionForgottenError';
  readonly retryable = false;
  readonly runId: string;
  constructor(runId: string) {
    super(
      `${runId} has no version: the last ${LINE_KEPT_MAX} versions went to other runs, and a run older than that cannot begin any more`,
    );
    this.runId = runId;
  }
}

/** @throws VersionForgottenError */
export function requiredVersionOf(line: ModelLine, runId: string): string {
  const version = versionOf(line, runId);
  if (version === undefined) throw new VersionForgottenError(runId);
  return version;
}

/** Gives the run the next version; a run that has one keeps it. */
export function giveVersion(line: ModelLine, runId: string): ModelLine {
  if (versionOf(line, runId)) return line;
  const number = (line.versions.at(-1)?.number ?? 0) + 1;
  return { ...line, versions: kept([...line.versions, { runId, number }]) };
}

function remember(line: ModelLine, dataset: KnownDataset): ModelLine {
  if (line.datasets.some((known) => known.datasetId === dataset.datasetId)) return line;
  return { ...line, datasets: kept([...line.datasets, dataset]) };
}

export function seeDataset(line: ModelLine, rule: TriggerRule, dataset: KnownDataset, newPerClass: SnapshotSeen['newPerClass']): ModelLine {
  const trigger = seeSnapshot(line.trigger, rule, { datasetId: dataset.datasetId, newLabels: dataset.newLabels, newPerClass });
  const seen = remember({ ...line, trigger }, dataset);
  return decisionOf(trigger, dataset.datasetId)?.starts ? giveVersion(seen, runIdOf(dataset.datasetId)) : seen;
}

export function startDatasetByHand(line: ModelLine, datasetId: string, reason: string): ModelLine {
  return giveVersion({ ...line, trigger: startByHand(line.trigger, datasetId, reason) }, runIdOf(datasetId));
}

export function seeRelease(line: ModelLine, release: Incumbent): ModelLine {
  if (line.releases.some((known) => known.releaseId === release.releaseId)) return line;
  return { ...line, releases: kept([...line.releases, release]) };
}

/** The rollout of a known release completed: it is what the next candidate must beat. */
export function seeRolledOut(line: ModelLine, releaseId: string): ModelLine {
  const incumbent = line.releases.find((known) => known.releaseId === releaseId);
  return incumbent ? { ...line, incumbent } : line;
}
