import type { MessageContext } from '@edgeloop/bus';
import type { CampaignClosed, CampaignStarted, PayloadOf, RolloutEnded } from '@edgeloop/contracts';
import type { Logger } from '@edgeloop/runtime';
import { closeCampaign, openCampaign, prove } from '../domain/standing.ts';
import type { StartedRollouts } from '../ports.ts';
import type { StandingOrders } from './standing-orders.ts';

/** What happens elsewhere in the loop and changes what holds for the whole fleet. */
export class FollowLoop {
  readonly #standing: StandingOrders;
  readonly #rollouts: StartedRollouts;
  readonly #log: Logger;

  constructor(standing: StandingOrders, rollouts: StartedRollouts, log: Logger) {
    this.#standing = standing;
    this.#rollouts = rollouts;
    this.#log = log;
  }

  campaignStarted({ campaignId, policy, nodes }: PayloadOf<typeof CampaignStarted>, context: MessageContext): Promise<void> {
    const campaign = { campaignId, policy, nodes, sequence: context.streamSequence };
    return this.#standing.change((standing) => openCampaign(standing, campaign), context);
  }

  campaignClosed({ campaignId }: PayloadOf<typeof CampaignClosed>, context: MessageContext): Promise<void> {
    return this.#standing.change((standing) => closeCampaign(standing, campaignId, context.streamSequence), context);
  }

  /** A release that a rollout over all nodes completed is proven: nodes that join later start with it. */
  async rolloutEnded({ rolloutId, outcome }: PayloadOf<typeof RolloutEnded>, context: MessageContext): Promise<void> {
    if (outcome !== 'completed') return;
    const started = await this.#rollouts.find(rolloutId);
    if (started === undefined) {
      this.#log.error({ rolloutId }, 'a rollout ended whose start is not in the stream: its release is not taken for proven');
      return;
    }
    if (started.overAll) await this.#standing.change((standing) => prove(standing, started.release, context.streamSequence), context);
  }
}
