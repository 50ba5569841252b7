import { ChannelName } from '@edgeloop/contracts';
import { BusConfig, StoreConfig, required } from '@edgeloop/runtime';
import { z } from 'zod';

/** How often signatures are looked at; they are renewed when half of their lifetime is over. */
export const RENEWAL_CHECK_MS = 3_600_000;

/** Environment of the publisher. */
export const PublisherConfig = z.object({
  ...BusConfig.shape,
  ...StoreConfig.shape,
  /** The signing keys lie below it, in `publisher/keys`. */
  EDGELOOP_DATA_DIR: required('the folder where the signing keys are kept'),
  /** The channel that new releases go to. */
  PUBLISHER_CHANNEL: ChannelName.default('production'),
  PUBLISHER_RENEWAL_CHECK_MS: z.coerce.number().int().positive().default(RENEWAL_CHECK_MS),
});
export type PublisherConfig = z.output<typeof PublisherConfig>;
