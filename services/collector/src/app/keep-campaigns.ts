import { Refusal, type MessageContext } from '@edgeloop/bus';
import type { AskStartCampaign, NodeDrifted, NodeSettled, PayloadOf } from '@edgeloop/contracts';
import { sha256Hex } from '@edgeloop/store';
import type { PolicyDraft } from '../domain/campaign-book.ts';
import type { Accepted } from '../domain/node-drifts.ts';
import { NODES_NAMED_BY_HAND_MAX, openCampaign } from '../domain/campaign.ts';
import type { Campaigns, LedgerCounts } from '../ports.ts';

/** Opens, widens and closes campaigns. */
export class KeepCampaigns {
  readonly #campaigns: Campaigns;
  readonly #counts: LedgerCounts;

  constructor(campaigns: Campaigns, counts: LedgerCounts) {
    this.#campaigns = campaigns;
    this.#counts = counts;
  }

  async start(base: PolicyDraft, baseId: string): Promise<void> {
    await this.#campaigns.turn({ type: 'service-started', base, baseId });
  }

  async onDrift(drift: PayloadOf<typeof NodeDrifted>, context: MessageContext): Promise<void> {
    const measures = drift.measures.map(({ measure, baseline, now }) => `${measure} ${numberOf(baseline)} -> ${numberOf(now)}`).join(', ');
    const accepted = await this.#accepted();
    await this.#campaigns.turn({ type: 'node-drifted', nodeId: drift.nodeId, atMs: Date.parse(drift.at), measures, accepted }, context);
  }

  async onSettled(settled: PayloadOf<typeof NodeSettled>, context: MessageContext): Promise<void> {
    await this.#campaigns.turn({ type: 'node-settled', nodeId: settled.nodeId, atMs: Date.parse(settled.at) }, context);
  }

  /** @throws Refusal */
  async startByHand(asked: PayloadOf<typeof AskStartCampaign>, context: MessageContext): Promise<{ campaignId: string }> {
    if ('nodeIds' in asked.nodes && asked.nodes.nodeIds.length > NODES_NAMED_BY_HAND_MAX) {
      throw new Refusal('too-many-nodes', `name at most ${NODES_NAMED_BY_HAND_MAX} nodes, or select all of them`);
    }
    const campaignId = `hand-${sha256Hex(context.id).slice(0, 12)}`;
    const { reason, policy, nodes, samplesTotal, lastsMs } = asked;
    const book = await this.#campaigns.turn({ type: 'asked-to-start', campaignId, reason, policy, nodes, samplesTotal, lastsMs }, context);
    const started = openCampaign(book, campaignId) ?? book.closed.find((closed) => closed.campaignId === campaignId);
    if (started === undefined) throw new Refusal('too-many-campaigns', 'too many campaigns are open; wait until one has closed');
    return { campaignId };
  }

  /** Closes what is full or over, and answers drift that had to wait. */
  async tick(): Promise<void> {
    await this.#campaigns.turn({ type: 'clock-ticked', accepted: await this.#accepted() });
  }

  async #accepted(): Promise<Accepted> {
    await this.#counts.catchUp();
    return { perCampaign: this.#counts.perCampaign(), perNode: this.#counts.perNode() };
  }
}

function numberOf(value: number): string {
  return String(Math.round(value * 100) / 100);
}
