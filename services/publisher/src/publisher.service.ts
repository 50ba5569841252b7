import { AskReleases, PackageBuilt } from '@edgeloop/contracts';
import { service } from '@edgeloop/nest-bus';
import { PublisherConfig } from './config.ts';
import { publisherModule } from './publisher.module.ts';

export const publisherService = service({
  name: 'publisher',
  config: PublisherConfig,
  consumes: [PackageBuilt, AskReleases],
  module: publisherModule,
});
