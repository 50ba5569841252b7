import type { MessageContext } from '@edgeloop/bus';
import {
  AskDatasets,
  AskImportDataset,
  AskSnapshot,
  CampaignClosed,
  CampaignStarted,
  SampleAccepted,
  type PayloadOf,
  type ReplyOf,
} from '@edgeloop/contracts';
import { OnEvent, OnRequest } from '@edgeloop/nest-bus';
import { Controller, Inject } from '@nestjs/common';
import type { KeepDataset } from './app/keep-dataset.ts';
import { takeSample } from './app/take-sample.ts';
import type { Tasks } from './ports.ts';

export interface LabelingUseCases {
  readonly tasks: Tasks;
  readonly dataset: KeepDataset;
  readonly apiUrl: () => string;
}

/** Injection token of `LabelingUseCases`. */
export const USE_CASES = Symbol('labeling use-cases');

@Controller()
export class LabelingController {
  constructor(@Inject(USE_CASES) private readonly use: LabelingUseCases) {}

  @OnEvent(SampleAccepted)
  sampleAccepted(accepted: PayloadOf<typeof SampleAccepted>, context: MessageContext): Promise<void> {
    return takeSample(this.use.tasks, accepted, context);
  }

  @OnEvent(CampaignStarted)
  campaignStarted(campaign: PayloadOf<typeof CampaignStarted>, context: MessageContext): Promise<void> {
    return this.use.dataset.campaignStarted(campaign, context);
  }

  @OnEvent(CampaignClosed)
  campaignClosed(campaign: PayloadOf<typeof CampaignClosed>, context: MessageContext): Promise<void> {
    return this.use.dataset.campaignClosed(campaign, context);
  }

  @OnRequest(AskDatasets)
  async datasets(asked: PayloadOf<typeof AskDatasets>): Promise<ReplyOf<typeof AskDatasets>> {
    return { ...(await this.use.dataset.show(asked.limit)), apiUrl: this.use.apiUrl() };
  }

  @OnRequest(AskImportDataset)
  importDataset(asked: PayloadOf<typeof AskImportDataset>, context: MessageContext): Promise<ReplyOf<typeof AskImportDataset>> {
    return this.use.dataset.importList(asked, context);
  }

  @OnRequest(AskSnapshot)
  snapshot(asked: PayloadOf<typeof AskSnapshot>, context: MessageContext): Promise<ReplyOf<typeof AskSnapshot>> {
    return this.use.dataset.freezeNow(asked.reason, context);
  }
}
