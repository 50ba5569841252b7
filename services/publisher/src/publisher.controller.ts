import type { MessageContext } from '@edgeloop/bus';
import { AskReleases, PackageBuilt, type PayloadOf, type ReplyOf } from '@edgeloop/contracts';
import { OnEvent, OnRequest } from '@edgeloop/nest-bus';
import { Controller, Inject } from '@nestjs/common';
import { PublishRelease } from './app/publish-release.ts';
import { ShowReleases } from './app/show-releases.ts';

@Controller()
export class PublisherController {
  constructor(
    @Inject(PublishRelease) private readonly publishRelease: PublishRelease,
    @Inject(ShowReleases) private readonly showReleases: ShowReleases,
  ) {}

  @OnEvent(PackageBuilt)
  onPackageBuilt(built: PayloadOf<typeof PackageBuilt>, context: MessageContext): Promise<void> {
    return this.publishRelease.handle(built, context);
  }

  @OnRequest(AskReleases)
  onAskReleases(question: PayloadOf<typeof AskReleases>): Promise<ReplyOf<typeof AskReleases>> {
    return this.showReleases.answer(question);
  }
}
