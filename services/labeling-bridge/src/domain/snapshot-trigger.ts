/** One bounded campaign as the labeling desk sees it. */
export interface CampaignProgress {
  readonly campaignId: string;
  /** Null while it collects; then how many samples it had accepted. */
  readonly closedWith: number | null;
  /** Tasks made of its samples. */
  readonly tasks: number;
  /** Of these, answers (or skips) that are in the ledger. */
  readonly answered: number;
  /** Labels of these that no snapshot holds. */
  readonly newLabels: number;
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

/**
 * A campaign's labels go into one snapshot, not into two halves: while more of them are on their way, wait. But a campaign that has been
 * answered to its end waits for no other one.
 */
export function decideSnapshot(facts: DeskFacts, rules: SnapshotRules): SnapshotDecision {
  const { newLabels, nowMs, lastAnswerAtMs } = facts;
  if (newLabels === 0) return wait('no new label');
  const fresh = facts.campaigns.filter((campaign) => campaign.tasks > 0);
  const finished = fresh.find((campaign) => isAnswered(campaign) && campaign.newLabels > 0);
  const onTheirWay = fresh.filter((campaign) => !isAnswered(campaign));
  const complete = newLabels - onTheirWay.reduce((sum, campaign) => sum + campaign.newLabels, 0);
  if (finished !== undefined && complete >= rules.labelsMin) {
    return { freeze: true, reason: `campaign ${finished.campaignId} is closed and answered, ${newLabels} new labels` };
  }
  const open = onTheirWay.find(({ closedWith }) => closedWith === null);
  if (open !== undefined) return wait(`campaign ${open.campaignId} to close`);
  const patient = lastAnswerAtMs !== null && nowMs - lastAnswerAtMs < rules.patienceMs;
  if (onTheirWay[0] !== undefined && patient) return wait(`answers to campaign ${onTheirWay[0].campaignId}`);
  if (newLabels >= rules.labelsWanted) return { freeze: true, reason: `${newLabels} new labels, ${rules.labelsWanted} were wanted` };
  return wait(`${rules.labelsWanted - newLabels} more labels`);
}

/** Tasks may lag behind the samples, and the ledger behind the answers. */
function isAnswered({ closedWith, tasks, answered }: CampaignProgress): boolean {
  return closedWith !== null && tasks >= closedWith && answered >= tasks;
}

function wait(waitsFor: string): SnapshotDecision {
  return { freeze: false, waitsFor };
}
