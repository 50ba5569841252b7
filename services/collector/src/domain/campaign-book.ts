import type { NodeSelection, SamplingPolicy } from '@edgeloop/contracts';
import {
  BY_HAND_OPEN_MAX,
  CLOSED_KEPT_MAX,
  DRIFT_CAUSE,
  DRIFTING_NODES_MAX,
  includesNode,
  type CampaignBook,
  type CampaignOutcome,
  type ClosedCampaign,
  type OpenCampaign,
} from './campaign.ts';
import { acceptedFrom, noteDrift, noteServing, noteSettled, reviewServed, waitingNodes, type Accepted } from './node-drifts.ts';

/** A policy as configured: its version is given by the book. */
export type PolicyDraft = Omit<SamplingPolicy, 'version'>;

/** How a campaign that answers drift collects. */
export interface DriftPlan {
  readonly policy: PolicyDraft;
  readonly samplesTotal: number;
  readonly lastsMs: number;
  /** Time after a drift campaign in which no other begins: its samples must first be labelled and learnt from. */
  readonly cooldownMs: number;
}

export type BookInput =
  | { readonly type: 'service-started'; readonly base: PolicyDraft; readonly baseId: string }
  | {
      readonly type: 'node-drifted';
      readonly nodeId: string;
      readonly atMs: number;
      readonly measures: string;
      readonly accepted: Accepted;
    }
  | { readonly type: 'node-settled'; readonly nodeId: string; readonly atMs: number }
  | {
      readonly type: 'asked-to-start';
      readonly campaignId: string;
      readonly reason: string;
      readonly policy: PolicyDraft;
      readonly nodes: NodeSelection;
      readonly samplesTotal: number | null;
      readonly lastsMs: number | null;
    }
  | { readonly type: 'clock-ticked'; readonly accepted: Accepted };

export type BookEvent =
  | { readonly type: 'campaign-started'; readonly campaign: OpenCampaign }
  | { readonly type: 'campaign-closed'; readonly campaignId: string; readonly outcome: CampaignOutcome; readonly accepted: number };

/** What the outside gives to every decision. */
export interface Now {
  readonly nowMs: number;
  readonly plan: DriftPlan;
}

export interface BookStep {
  readonly book: CampaignBook;
  readonly events: readonly BookEvent[];
}

/** Decides and evolves in one step; the same book comes back (by identity) when the input changes nothing. */
export function turnPage(book: CampaignBook, input: BookInput, now: Now): BookStep {
  switch (input.type) {
    case 'service-started':
      return keepBase(book, input, now);
    case 'node-drifted':
      return answerDrift(noteDrift(book, input), input.accepted, now);
    case 'node-settled':
      return unchanged(noteSettled(book, input));
    case 'asked-to-start':
      return startByHand(book, input, now);
    case 'clock-ticked': {
      const closed = closeOver(book, input.accepted, now);
      const answered = answerDrift(reviewServed(closed.book, input.accepted), input.accepted, now);
      return { book: answered.book, events: [...closed.events, ...answered.events] };
    }
    default:
      return input satisfies never;
  }
}

function unchanged(book: CampaignBook): BookStep {
  return { book, events: [] };
}

function start(book: CampaignBook, draft: Omit<OpenCampaign, 'policy'>, policy: PolicyDraft): BookStep {
  const version = book.lastPolicyVersion + 1;
  const campaign = { ...draft, policy: { ...policy, version } };
  const others = book.open.filter(({ campaignId }) => campaignId !== draft.campaignId);
  return { book: { ...book, lastPolicyVersion: version, open: [...others, campaign] }, events: [{ type: 'campaign-started', campaign }] };
}

/** The base campaign is started once, and started anew under a higher version when its configured policy changed. */
function keepBase(book: CampaignBook, input: { base: PolicyDraft; baseId: string }, { nowMs }: Now): BookStep {
  const running = book.open.find(({ campaignId }) => campaignId === input.baseId);
  if (running !== undefined && samePolicy(running.policy, input.base)) return unchanged(book);
  const fixed = { campaignId: input.baseId, cause: input.baseId, nodes: { all: true as const }, samplesTotal: null, deadlineMs: null };
  return start(
    book,
    { ...fixed, reason: 'what every node keeps when nothing else is asked for', startedAtMs: running?.startedAtMs ?? nowMs },
    input.base,
  );
}

function samePolicy(running: PolicyDraft, wanted: PolicyDraft): boolean {
  return JSON.stringify(ordered(running)) === JSON.stringify(ordered(wanted));
}

/** Field by field, so that neither a version nor the order of fields makes a difference. */
function ordered(policy: PolicyDraft): PolicyDraft {
  const { policyId, rules, nearDuplicateBits, samplesMax } = policy;
  return { policyId, rules, nearDuplicateBits, samplesMax };
}

interface Joining {
  readonly waiting: readonly string[];
  readonly accepted: Accepted;
}

/** Joins waiting nodes to the open drift campaign, or starts one when none has ended too recently. */
function answerDrift(book: CampaignBook, accepted: Accepted, now: Now): BookStep {
  const waiting = waitingNodes(book);
  if (waiting.length === 0) return unchanged(book);
  const running = book.open.find(({ cause }) => cause === DRIFT_CAUSE);
  if (running !== undefined) return join(book, running, { waiting, accepted });
  return isCoolingDown(book, now) ? unchanged(book) : startForDrift(book, waiting, now);
}

function isCoolingDown(book: CampaignBook, { nowMs, plan }: Now): boolean {
  const last = book.closed.find(({ cause }) => cause === DRIFT_CAUSE);
  return last !== undefined && nowMs < last.closedAtMs + plan.cooldownMs;
}

function join(book: CampaignBook, running: OpenCampaign, { waiting, accepted }: Joining): BookStep {
  const { campaignId } = running;
  const served = noteServing(book, waiting, (nodeId) => ({ campaignId, accepted: acceptedFrom(accepted, campaignId, nodeId) }));
  const newcomers = waiting.filter((nodeId) => !includesNode(running.nodes, nodeId));
  if (newcomers.length === 0) return unchanged(served);
  const nodes = selectionOf([...('all' in running.nodes ? [] : running.nodes.nodeIds), ...newcomers]);
  return start(served, { ...running, nodes, reason: reasonOf(served, nodes) }, ordered(running.policy));
}

function startForDrift(book: CampaignBook, waiting: readonly string[], { nowMs, plan }: Now): BookStep {
  const nodes = selectionOf(waiting);
  // Unique, because a policy version is never used twice.
  const campaignId = `drift-${book.lastPolicyVersion + 1}`;
  const draft = {
    campaignId,
    cause: DRIFT_CAUSE,
    reason: reasonOf(book, nodes),
    nodes,
    samplesTotal: plan.samplesTotal,
    startedAtMs: nowMs,
    deadlineMs: nowMs + plan.lastsMs,
  };
  return start(
    noteServing(book, waiting, () => ({ campaignId, accepted: 0 })),
    draft,
    plan.policy,
  );
}

function selectionOf(nodeIds: readonly string[]): NodeSelection {
  return nodeIds.length >= DRIFTING_NODES_MAX ? { all: true } : { nodeIds: [...nodeIds].toSorted() };
}

const REASON_CHARS_MAX = 500;
const NODES_NAMED_MAX = 3;

function reasonOf(book: CampaignBook, nodes: NodeSelection): string {
  const nodeIds = 'all' in nodes ? [] : nodes.nodeIds;
  const named = nodeIds.slice(0, NODES_NAMED_MAX).map((nodeId) => `${nodeId}: ${book.drifts[nodeId]?.measures ?? ''}`);
  const others = nodeIds.length > NODES_NAMED_MAX ? `; and ${nodeIds.length - NODES_NAMED_MAX} more` : '';
  const subject = 'all' in nodes ? 'the fleet' : `${nodeIds.length} ${nodeIds.length === 1 ? 'node' : 'nodes'}`;
  return `${subject} left the baseline (${named.join('; ')}${others})`.slice(0, REASON_CHARS_MAX);
}

function startByHand(book: CampaignBook, input: Extract<BookInput, { type: 'asked-to-start' }>, { nowMs }: Now): BookStep {
  const known = [...book.open, ...book.closed].some(({ campaignId }) => campaignId === input.campaignId);
  if (known || book.open.length > BY_HAND_OPEN_MAX) return unchanged(book);
  const { campaignId, reason, nodes, samplesTotal, lastsMs } = input;
  const deadlineMs = lastsMs === null ? null : nowMs + lastsMs;
  return start(
    book,
    { campaignId, cause: `by-hand-${campaignId}`, reason, nodes, samplesTotal, startedAtMs: nowMs, deadlineMs },
    input.policy,
  );
}

function closeOver(book: CampaignBook, accepted: Accepted, { nowMs }: Now): BookStep {
  const over = book.open.flatMap((campaign) => {
    const count = accepted.perCampaign[campaign.campaignId] ?? 0;
    const outcome = outcomeOf(campaign, accepted, nowMs);
    return outcome === undefined ? [] : [closedOf(campaign, { outcome, accepted: count, closedAtMs: nowMs })];
  });
  if (over.length === 0) return unchanged(book);
  const ended = new Set(over.map(({ campaignId }) => campaignId));
  const open = book.open.filter(({ campaignId }) => !ended.has(campaignId));
  const closed = [...over, ...book.closed].slice(0, CLOSED_KEPT_MAX);
  const events = over.map(({ campaignId, outcome, accepted: count }) => ({
    type: 'campaign-closed' as const,
    campaignId,
    outcome,
    accepted: count,
  }));
  return { book: { ...book, open, closed }, events };
}

function outcomeOf(campaign: OpenCampaign, accepted: Accepted, nowMs: number): CampaignOutcome | undefined {
  const { samplesTotal, campaignId, deadlineMs } = campaign;
  if (samplesTotal !== null && (accepted.perCampaign[campaignId] ?? 0) >= samplesTotal) return 'full';
  if (isExhausted(campaign, accepted)) return 'full';
  return deadlineMs !== null && nowMs >= deadlineMs ? 'deadline' : undefined;
}

/** Every node has given all that it may: nothing more can come. */
function isExhausted({ campaignId, nodes, policy }: OpenCampaign, accepted: Accepted): boolean {
  const { samplesMax } = policy;
  if (samplesMax === null || 'all' in nodes) return false;
  return nodes.nodeIds.every((nodeId) => acceptedFrom(accepted, campaignId, nodeId) >= samplesMax);
}

function closedOf(campaign: OpenCampaign, end: Pick<ClosedCampaign, 'outcome' | 'accepted' | 'closedAtMs'>): ClosedCampaign {
  const { campaignId, cause, reason, policy, samplesTotal, startedAtMs } = campaign;
  return { campaignId, cause, reason, policyVersion: policy.version, samplesTotal, startedAtMs, ...end };
}
