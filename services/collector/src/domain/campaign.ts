import type { NodeSelection, SamplingPolicy } from '@edgeloop/contracts';

/** A campaign that nodes collect for. */
export interface OpenCampaign {
  readonly campaignId: string;
  /** What it is for; two open campaigns never share one. */
  readonly cause: string;
  readonly reason: string;
  readonly policy: SamplingPolicy;
  readonly nodes: NodeSelection;
  /** Null: takes samples without end. */
  readonly samplesTotal: number | null;
  readonly startedAtMs: number;
  readonly deadlineMs: number | null;
}

export type CampaignOutcome = 'full' | 'deadline' | 'by-hand';

/** What is kept of a campaign that is over. */
export interface ClosedCampaign {
  readonly campaignId: string;
  readonly cause: string;
  readonly reason: string;
  readonly policyVersion: number;
  readonly samplesTotal: number | null;
  readonly startedAtMs: number;
  readonly closedAtMs: number;
  readonly outcome: CampaignOutcome;
  readonly accepted: number;
}

/** A campaign that a drifting node was let into. */
export interface Joined {
  readonly campaignId: string;
  /** Samples of that node which this campaign had taken before. */
  readonly accepted: number;
}

/** One node's drift as last heard of; times are those of the evidence. */
export interface NodeDrift {
  readonly driftedAtMs: number | null;
  readonly settledAtMs: number | null;
  /** A campaign has this node since it drifted, or took samples from it; false: it waits for one. */
  readonly served: boolean;
  /** The last campaign that had it since it drifted; null when there was none, or when that one took samples from it. */
  readonly joined: Joined | null;
  /** Campaigns that had it since it drifted. */
  readonly tries: number;
  /** What it measured, for the reason of a campaign. */
  readonly measures: string;
}

/** All campaigns of the collector: one aggregate, because policy versions and causes are unique across them. */
export interface CampaignBook {
  readonly lastPolicyVersion: number;
  readonly open: readonly OpenCampaign[];
  /** Newest first. */
  readonly closed: readonly ClosedCampaign[];
  readonly drifts: Readonly<Record<string, NodeDrift>>;
}

export const EMPTY_BOOK: CampaignBook = { lastPolicyVersion: 0, open: [], closed: [], drifts: {} };

/** Older ones are in the event log. */
export const CLOSED_KEPT_MAX = 300;
/** From here on, drift is taken to concern the whole fleet and single nodes are no longer listed. */
export const DRIFTING_NODES_MAX = 2_000;
/** Campaigns that one drift of one node gets without a single sample from it; a node that is gone must not keep the fleet collecting. */
export const TRIES_PER_DRIFT_MAX = 3;
/** Open campaigns beside the base campaign from which on none is started by hand. */
export const BY_HAND_OPEN_MAX = 20;
/** Nodes that one campaign names; more are asked to be selected as all. */
export const NODES_NAMED_BY_HAND_MAX = 1_000;

export const DRIFT_CAUSE = 'drift';

export function includesNode(nodes: NodeSelection, nodeId: string): boolean {
  return 'all' in nodes || nodes.nodeIds.includes(nodeId);
}

export function openCampaign(book: CampaignBook, campaignId: string): OpenCampaign | undefined {
  return book.open.find((campaign) => campaign.campaignId === campaignId);
}
