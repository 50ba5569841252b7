/** When a new snapshot starts a run. Zero switches a rule off. */
export interface TriggerRule {
  /** Labels not yet trained on, in total. */
  readonly newLabels: number;
  /** Labels not yet trained on, of any one class. */
  readonly newLabelsOfClass: number;
}

export interface SnapshotSeen {
  readonly datasetId: string;
  readonly newLabels: number;
  readonly newPerClass: Readonly<Record<string, number>>;
}

/** Labels since the last run, and what was decided about each snapshot. */
export interface TriggerState {
  readonly pendingLabels: number;
  readonly pendingPerClass: Readonly<Record<string, number>>;
  readonly decisions: readonly TriggerDecision[];
}

export interface TriggerDecision {
  readonly datasetId: string;
  readonly starts: boolean;
  readonly kind: 'new-labels' | 'class-labels' | 'manual';
  readonly reason: string;
}

/** Older decisions are forgotten; a snapshot older than this many cannot come again. */
export const DECISIONS_KEPT_MAX = 500;

export const NOTHING_SEEN: TriggerState = { pendingLabels: 0, pendingPerClass: {}, decisions: [] };

function add(pending: Readonly<Record<string, number>>, more: Readonly<Record<string, number>>): Record<string, number> {
  const sum = { ...pending };
  for (const [name, count] of Object.entries(more)) sum[name] = (sum[name] ?? 0) + count;
  return sum;
}

function judge(
  rule: TriggerRule,
  pendingLabels: number,
  pendingPerClass: Readonly<Record<string, number>>,
): Omit<TriggerDecision, 'datasetId'> {
  if (rule.newLabels > 0 && pendingLabels >= rule.newLabels) {
    return { starts: true, kind: 'new-labels', reason: `${pendingLabels} new labels, ${rule.newLabels} start a run` };
  }
  const grown = Object.entries(pendingPerClass).find(([, count]) => rule.newLabelsOfClass > 0 && count >= rule.newLabelsOfClass);
  if (grown)
    return { starts: true, kind: 'class-labels', reason: `${grown[1]} new boxes of ${grown[0]}, ${rule.newLabelsOfClass} start a run` };
  return { starts: false, kind: 'new-labels', reason: `${pendingLabels} new labels, ${rule.newLabels} are needed to start a run` };
}

export function decisionOf(state: TriggerState, datasetId: string): TriggerDecision | undefined {
  return state.decisions.find((decision) => decision.datasetId === datasetId);
}

/** A snapshot seen before changes nothing, so it never starts a second run. */
export function seeSnapshot(state: TriggerState, rule: TriggerRule, snapshot: SnapshotSeen): TriggerState {
  if (decisionOf(state, snapshot.datasetId)) return state;
  const pendingLabels = state.pendingLabels + snapshot.newLabels;
  const pendingPerClass = add(state.pendingPerClass, snapshot.newPerClass);
  const decision = { datasetId: snapshot.datasetId, ...judge(rule, pendingLabels, pendingPerClass) };
  const decisions = [...state.decisions, decision].slice(-DECISIONS_KEPT_MAX);
  return decision.starts ? { pendingLabels: 0, pendingPerClass: {}, decisions } : { pendingLabels, pendingPerClass, decisions };
}

/** A person starts a run on a snapshot: taken unless a run was started on it before. */
export function startByHand(state: TriggerState, datasetId: string, reason: string): TriggerState {
  if (decisionOf(state, datasetId)?.starts) return state;
  const decision: TriggerDecision = { datasetId, starts: true, kind: 'manual', reason };
  const others = state.decisions.filter((each) => each.datasetId !== datasetId);
  return { pendingLabels: 0, pendingPerClass: {}, decisions: [...others, decision].slice(-DECISIONS_KEPT_MAX) };
}
