import { join } from 'node:path';
import type { ServiceDeps } from '@edgeloop/nest-bus';
import { repeat, systemClock } from '@edgeloop/runtime';
import { RELEASES_BUCKET, storeFromConfig } from '@edgeloop/store';
import { loadOrMakeKeys } from '@edgeloop/trust';
import type { DynamicModule } from '@nestjs/common';
import { BucketArtifactRepository } from './adapters/bucket-repository.ts';
import { MetadataWriter } from './app/metadata-writer.ts';
import { PublishRelease } from './app/publish-release.ts';
import { ChannelDocument, ReleaseDocument, RepositoryDocument } from './app/schemas.ts';
import { ShowReleases } from './app/show-releases.ts';
import type { PublisherConfig } from './config.ts';
import { PublisherController } from './publisher.controller.ts';

export async function publisherModule(deps: ServiceDeps<PublisherConfig>): Promise<DynamicModule> {
  const { log, config } = deps;
  const store = storeFromConfig(config);
  const repository = new BucketArtifactRepository(store, RELEASES_BUCKET);
  const keyFolder = join(config.EDGELOOP_DATA_DIR, 'publisher', 'keys');
  const keys = await loadOrMakeKeys(keyFolder);
  const repositories = await deps.documents('repositories', RepositoryDocument);
  const releases = await deps.documents('releases', ReleaseDocument);
  const channels = await deps.documents('channels', ChannelDocument);
  const clock = systemClock;
  const metadata = new MetadataWriter({ documents: repositories, repository, keys, keyFolder, clock, log });
  const parts = { store, repository, metadata, releases, channels, channel: config.PUBLISHER_CHANNEL, clock, log };
  deps.onStart(async () => {
    await metadata.start();
    // At once too: the program may have been off for weeks.
    const run = async (): Promise<void> => {
      if (await metadata.renew()) log.info('signatures renewed');
    };
    const renewals = repeat({ name: 'renewal of signatures', everyMs: config.PUBLISHER_RENEWAL_CHECK_MS, startsAtOnce: true, run }, log);
    deps.onStop(() => renewals.stop());
  });
  return {
    module: PublisherModule,
    controllers: [PublisherController],
    providers: [
      { provide: PublishRelease, useFactory: () => new PublishRelease(parts) },
      { provide: ShowReleases, useFactory: () => new ShowReleases(releases, channels) },
    ],
  };
}

export class PublisherModule {}
