import type { RolloutRelease, SamplingPolicy } from '@edgeloop/contracts';

/** Campaigns that run at once; a further one takes the place of the oldest. */
export const CAMPAIGNS_OPEN_MAX = 100;
/** Closed campaigns remembered, so that a start that is told late does not open one again. */
export const CAMPAIGNS_CLOSED_MAX = 500;

export type Selection = { readonly all: true } | { readonly nodeIds: readonly string[] };

export interface Campaign {
  readonly campaignId: string;
  readonly policy: SamplingPolicy;
  readonly nodes: Selection;
  /** Place of its start in the stream: the most recent one wins. */
  readonly sequence: number;
}

/** What holds for the fleet as a whole. */
export interface Standing {
  /** Grows with every change. */
  readonly version: number;
  /** Release of the last rollout over all nodes that completed; what late joiners start with. */
  readonly proven: { readonly release: RolloutRelease; readonly sequence: number } | null;
  readonly open: readonly Campaign[];
  readonly closed: readonly { readonly campaignId: string; readonly sequence: number }[];
}

export const NOTHING_STANDS: Standing = { version: 0, proven: null, open: [], closed: [] };

/** Holds until the collector has said what to collect: nothing is. */
export const NO_POLICY: SamplingPolicy = { policyId: 'none', version: 1, rules: [], nearDuplicateBits: 0, samplesMax: null };

/** Undefined: known, or closed since. */
export function openCampaign(standing: Standing, campaign: Campaign): Standing | undefined {
  const { campaignId, sequence } = campaign;
  const closed = standing.closed.some((other) => other.campaignId === campaignId && other.sequence > sequence);
  const known = standing.open.some((other) => other.campaignId === campaignId && other.sequence >= sequence);
  if (closed || known) return undefined;
  const others = standing.open.filter((other) => other.campaignId !== campaignId);
  const open = [...others, campaign].sort((a, b) => a.sequence - b.sequence);
  return { ...standing, version: standing.version + 1, open: withinLimit(open) };
}

function withinLimit(open: readonly Campaign[]): Campaign[] {
  const base = open.filter(({ campaignId }) => campaignId === 'base');
  return [...base, ...open.filter(({ campaignId }) => campaignId !== 'base').slice(-CAMPAIGNS_OPEN_MAX)];
}

/** Undefined: was closed before. */
export function closeCampaign(standing: Standing, campaignId: string, sequence: number): Standing | undefined {
  if (standing.closed.some((other) => other.campaignId === campaignId && other.sequence >= sequence)) return undefined;
  return {
    ...standing,
    version: standing.version + 1,
    open: standing.open.filter((other) => other.campaignId !== campaignId || other.sequence > sequence),
    closed: [...standing.closed, { campaignId, sequence }].slice(-CAMPAIGNS_CLOSED_MAX),
  };
}

/** Undefined: not newer than what is known. */
export function prove(standing: Standing, release: RolloutRelease, sequence: number): Standing | undefined {
  if (standing.proven !== null && standing.proven.sequence >= sequence) return undefined;
  return { ...standing, version: standing.version + 1, proven: { release, sequence } };
}

function selects(selection: Selection, nodeId: string): boolean {
  return 'all' in selection || selection.nodeIds.includes(nodeId);
}

/** The most recent open campaign that selects the node, else the base campaign, else nothing to collect. */
export function policyFor(standing: Standing, nodeId: string, base: string): { policy: SamplingPolicy; campaignId: string } {
  const newestFirst = standing.open.toSorted((a, b) => b.sequence - a.sequence);
  const special = newestFirst.find(({ campaignId, nodes }) => campaignId !== base && selects(nodes, nodeId));
  const found = special ?? newestFirst.find(({ campaignId }) => campaignId === base);
  return { policy: found?.policy ?? NO_POLICY, campaignId: found?.campaignId ?? base };
}
