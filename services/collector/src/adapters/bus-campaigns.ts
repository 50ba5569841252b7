import type { Cause, Documents, Output } from '@edgeloop/bus';
import { CampaignClosed, CampaignStarted } from '@edgeloop/contracts';
import { isoOf, type Clock, type Logger } from '@edgeloop/runtime';
import { turnPage, type BookEvent, type BookInput, type DriftPlan } from '../domain/campaign-book.ts';
import { EMPTY_BOOK, type CampaignBook } from '../domain/campaign.ts';
import type { Campaigns } from '../ports.ts';
import { BOOK_KEY, type StoredState } from './stored-state.ts';

export interface BusCampaignsParts {
  readonly documents: Documents<StoredState>;
  readonly clock: Clock;
  readonly plan: DriftPlan;
  readonly log: Logger;
}

/** The book as a state document; its announcements are saved with it and published after it. */
export class BusCampaigns implements Campaigns {
  readonly #parts: BusCampaignsParts;

  constructor(parts: BusCampaignsParts) {
    this.#parts = parts;
  }

  async current(): Promise<CampaignBook> {
    return bookOf((await this.#parts.documents.load(BOOK_KEY))?.state);
  }

  async turn(input: BookInput, cause?: Cause): Promise<CampaignBook> {
    const { documents, clock, plan, log } = this.#parts;
    let after = EMPTY_BOOK;
    let events: readonly BookEvent[] = [];
    await documents.update(
      BOOK_KEY,
      (current) => {
        const before = bookOf(current);
        const step = turnPage(before, input, { nowMs: clock.now(), plan });
        after = step.book;
        events = step.events;
        return step.book === before ? undefined : { state: { kind: 'book', ...step.book }, outputs: step.events.map(outputOf) };
      },
      cause,
    );
    for (const event of events) log.info(summaryOf(event), event.type === 'campaign-started' ? 'campaign started' : 'campaign closed');
    return after;
  }
}

function bookOf(state: StoredState | undefined): CampaignBook {
  if (state?.kind !== 'book') return EMPTY_BOOK;
  const { kind: _kind, ...book } = state;
  return book;
}

function outputOf(event: BookEvent): Output {
  switch (event.type) {
    case 'campaign-started': {
      const { campaignId, reason, policy, nodes, samplesTotal, deadlineMs } = event.campaign;
      const deadline = deadlineMs === null ? null : isoOf(deadlineMs);
      return {
        contract: CampaignStarted,
        payload: { campaignId, reason, policy, nodes, samplesTotal, deadline },
        id: `campaign-${campaignId}-started-v${policy.version}`,
      };
    }
    case 'campaign-closed': {
      const { campaignId, outcome, accepted } = event;
      return { contract: CampaignClosed, payload: { campaignId, outcome, accepted }, id: `campaign-${campaignId}-closed` };
    }
    default:
      return event satisfies never;
  }
}

function summaryOf(event: BookEvent): object {
  if (event.type === 'campaign-closed') return event;
  const { campaignId, cause, reason, samplesTotal, policy } = event.campaign;
  return { campaignId, cause, reason, samplesTotal, policyVersion: policy.version };
}
