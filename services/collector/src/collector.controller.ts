import type { MessageContext } from '@edgeloop/bus';
import {
  AskCampaigns,
  AskSamples,
  AskStartCampaign,
  NodeDrifted,
  NodeGrant,
  NodeManifest,
  NodeReceipts,
  NodeSettled,
  type PayloadOf,
  type ReplyOf,
} from '@edgeloop/contracts';
import { OnEvent, OnRequest } from '@edgeloop/nest-bus';
import { Controller, Inject } from '@nestjs/common';
import type { AcceptManifest } from './app/accept-manifest.ts';
import { answerReceipts, type AnswerReceiptsParts } from './app/answer-receipts.ts';
import type { GrantUpload } from './app/grant-upload.ts';
import type { KeepCampaigns } from './app/keep-campaigns.ts';
import { showCampaigns, showSamples, type ShowCollectionParts } from './app/show-collection.ts';

export interface CollectorUseCases {
  readonly acceptManifest: AcceptManifest;
  readonly grantUpload: GrantUpload;
  readonly keepCampaigns: KeepCampaigns;
  readonly receipts: AnswerReceiptsParts;
  readonly views: ShowCollectionParts;
}

/** Injection token of `CollectorUseCases`. */
export const USE_CASES = Symbol('collector use-cases');

@Controller()
export class CollectorController {
  constructor(@Inject(USE_CASES) private readonly use: CollectorUseCases) {}

  @OnEvent(NodeManifest)
  manifest(manifest: PayloadOf<typeof NodeManifest>, context: MessageContext): Promise<void> {
    return this.use.acceptManifest.handle(manifest, context);
  }

  @OnEvent(NodeDrifted)
  drifted(drift: PayloadOf<typeof NodeDrifted>, context: MessageContext): Promise<void> {
    return this.use.keepCampaigns.onDrift(drift, context);
  }

  @OnEvent(NodeSettled)
  settled(settled: PayloadOf<typeof NodeSettled>, context: MessageContext): Promise<void> {
    return this.use.keepCampaigns.onSettled(settled, context);
  }

  @OnRequest(NodeGrant)
  grant(asked: PayloadOf<typeof NodeGrant>, context: MessageContext): Promise<ReplyOf<typeof NodeGrant>> {
    return this.use.grantUpload.handle(context.tokens['nodeId'] ?? '', asked);
  }

  @OnRequest(NodeReceipts)
  receipts(asked: PayloadOf<typeof NodeReceipts>, context: MessageContext): Promise<ReplyOf<typeof NodeReceipts>> {
    return answerReceipts(this.use.receipts, context.tokens['nodeId'] ?? '', asked);
  }

  @OnRequest(AskSamples)
  samples(asked: PayloadOf<typeof AskSamples>): Promise<ReplyOf<typeof AskSamples>> {
    return showSamples(this.use.views, asked.limit);
  }

  @OnRequest(AskCampaigns)
  campaigns(asked: PayloadOf<typeof AskCampaigns>): Promise<ReplyOf<typeof AskCampaigns>> {
    return showCampaigns(this.use.views, asked.limit);
  }

  @OnRequest(AskStartCampaign)
  startCampaign(asked: PayloadOf<typeof AskStartCampaign>, context: MessageContext): Promise<ReplyOf<typeof AskStartCampaign>> {
    return this.use.keepCampaigns.startByHand(asked, context);
  }
}
