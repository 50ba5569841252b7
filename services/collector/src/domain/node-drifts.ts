import { DRIFTING_NODES_MAX, openCampaign, TRIES_PER_DRIFT_MAX, type CampaignBook, type Joined, type NodeDrift } from './campaign.ts';

/** What the ledger holds. */
export interface Accepted {
  readonly perCampaign: Readonly<Record<string, number>>;
  /** By `<campaignId>/<nodeId>`. */
  readonly perNode: ReadonlyMap<string, number>;
}

export function acceptedFrom({ perNode }: Accepted, campaignId: string, nodeId: string): number {
  return perNode.get(`${campaignId}/${nodeId}`) ?? 0;
}

const NEVER: NodeDrift = { driftedAtMs: null, settledAtMs: null, served: false, joined: null, tries: 0, measures: '' };

export function noteDrift(book: CampaignBook, heard: { nodeId: string; atMs: number; measures: string }): CampaignBook {
  const known = book.drifts[heard.nodeId];
  const newest = Math.max(known?.driftedAtMs ?? -1, known?.settledAtMs ?? -1);
  if (heard.atMs <= newest) return book;
  const drift: NodeDrift = { ...NEVER, driftedAtMs: heard.atMs, settledAtMs: known?.settledAtMs ?? null, measures: heard.measures };
  return { ...book, drifts: bounded({ ...book.drifts, [heard.nodeId]: drift }) };
}

export function noteSettled(book: CampaignBook, heard: { nodeId: string; atMs: number }): CampaignBook {
  const known = book.drifts[heard.nodeId];
  if (known !== undefined && heard.atMs <= (known.settledAtMs ?? -1)) return book;
  return { ...book, drifts: bounded({ ...book.drifts, [heard.nodeId]: { ...NEVER, ...known, settledAtMs: heard.atMs } }) };
}

/** The book is one document of the bus: it forgets the nodes that were heard of longest ago. */
function bounded(drifts: Readonly<Record<string, NodeDrift>>): Readonly<Record<string, NodeDrift>> {
  const entries = Object.entries(drifts);
  if (entries.length <= DRIFTING_NODES_MAX) return drifts;
  const heardAt = (drift: NodeDrift): number => Math.max(drift.driftedAtMs ?? 0, drift.settledAtMs ?? 0);
  return Object.fromEntries(entries.toSorted(([, a], [, b]) => heardAt(b) - heardAt(a)).slice(0, DRIFTING_NODES_MAX));
}

function isDrifting(drift: NodeDrift): boolean {
  return drift.driftedAtMs !== null && drift.driftedAtMs > (drift.settledAtMs ?? -1);
}

/** Nodes that drift and that no campaign has collected from since. */
export function waitingNodes(book: CampaignBook): readonly string[] {
  const waiting = Object.entries(book.drifts).filter(([, drift]) => isDrifting(drift) && !drift.served);
  return waiting.map(([nodeId]) => nodeId).toSorted();
}

/** A campaign has these nodes from now on. */
export function noteServing(book: CampaignBook, nodeIds: readonly string[], joinedBy: (nodeId: string) => Joined): CampaignBook {
  const drifts = { ...book.drifts };
  for (const nodeId of nodeIds) {
    const drift = drifts[nodeId];
    if (drift !== undefined) drifts[nodeId] = { ...drift, served: true, joined: joinedBy(nodeId), tries: drift.tries + 1 };
  }
  return { ...book, drifts };
}

/**
 * A node that was let into a campaign just before it closed has given nothing to it, and its drift is announced only once: it waits for the
 * next campaign, unless samples of it come in late. The same book comes back (by identity) when that changes nothing.
 */
export function reviewServed(book: CampaignBook, accepted: Accepted): CampaignBook {
  const changed = Object.entries(book.drifts).flatMap(([nodeId, drift]) => {
    const reviewed = isDrifting(drift) ? reviewOne(book, drift, (campaignId) => acceptedFrom(accepted, campaignId, nodeId)) : drift;
    return reviewed === drift ? [] : [[nodeId, reviewed] as const];
  });
  return changed.length === 0 ? book : { ...book, drifts: { ...book.drifts, ...Object.fromEntries(changed) } };
}

function reviewOne(book: CampaignBook, drift: NodeDrift, acceptedIn: (campaignId: string) => number): NodeDrift {
  const { joined } = drift;
  if (joined === null || openCampaign(book, joined.campaignId) !== undefined) return drift;
  if (acceptedIn(joined.campaignId) > joined.accepted || drift.tries >= TRIES_PER_DRIFT_MAX)
    return { ...drift, served: true, joined: null };
  return drift.served ? { ...drift, served: false } : drift;
}
