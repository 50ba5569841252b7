/** One bounded campaign as the labeling desk sees it. */
export interface CampaignProgress {
  readonly campaignId: string;
  /** Null while it collects; then how many samples it had accepted. */
  readonly closedWith: number | null;
  /** Tasks made of its samples. */
  readonly tasks: number;
  /** Of these, answers (or skips) that are in the ledger. */
  readonly answered: number;
}

export interface DeskFacts {
  /** Labels that no snapshot holds. */
  readonly newLabels: number;
  readonly lastAnswerAtMs: number | null;
  readonly campaigns: readonly CampaignProgress[];
  readonly nowMs: number;
}

export interface SnapshotRules {
  /** So many new labels are worth a snapshot whenever nothing more is on its way. */
  readonly labelsWanted: number;
  /** So many are worth one when a campaign has been answered to its end. */
  readonly labelsMin: number;
  /** People who have not answered for so long are not waited for. */
  readonly patienceMs: number;
}

export type SnapshotDecision = { readonly freeze: true; readonly reason: string } | { readonly freeze: false; readonly waitsFor: string };

/** A campaign's labels go into one snapshot, not into two halves: while more of them are on their way, wait. */
export function decideSnapshot(facts: DeskFacts, rules: SnapshotRules): SnapshotDecision {
  const { newLabels, nowMs } = facts;
  if (newLabels === 0) return wait('no new label');
  const started = facts.campaigns.filter(({ tasks }) => tasks > 0);
  const open = started.find(({ closedWith }) => closedWith === null);
  if (open !== undefined) return wait(`campaign ${open.campaignId} to close`);
  const unfinished = started.find((campaign) => !isAnswered(campaign));
  const patient = facts.lastAnswerAtMs !== null && nowMs - facts.lastAnswerAtMs < rules.patienceMs;
  if (unfinished !== undefined && patient) return wait(`answers to campaign ${unfinished.campaignId}`);
  if (newLabels >= rules.labelsWanted) return { freeze: true, reason: `${newLabels} new labels, ${rules.labelsWanted} were wanted` };
  const finished = started.find(isAnswered);
  if (finished !== undefined && newLabels >= rules.labelsMin) {
    return { freeze: true, reason: `campaign ${finished.campaignId} is closed and answered, ${newLabels} new labels` };
  }
  return wait(`${rules.labelsWanted - newLabels} more labels`);
}

/** Tasks may lag behind the samples, and the ledger behind the answers. */
function isAnswered({ closedWith, tasks, answered }: CampaignProgress): boolean {
  return closedWith !== null && tasks >= closedWith && answered >= tasks;
}

function wait(waitsFor: string): SnapshotDecision {
  return { freeze: false, waitsFor };
}
