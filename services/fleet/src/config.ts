import { BusConfig, StoreConfig, required } from '@edgeloop/runtime';
import { z } from 'zod';

export const FleetConfig = StoreConfig.extend({
  /** Creds file that is good for enrolling only; its text goes into join tokens. */
  EDGELOOP_JOIN_CREDS: required('the path of the creds file that new nodes join with'),
  /** Signing key of the NODES account: JSON `{"account": "A…", "seed": "SA…"}`. */
  EDGELOOP_NODES_SIGNING_SEED: required('the path of the signing key of the NODES account'),
  /** `fleet/assignment.key` below it signs who runs what. All replicas need the same. */
  EDGELOOP_DATA_DIR: required('the data folder'),
  NATS_URL: BusConfig.shape.NATS_URL,
  /** Address of the bus as nodes reach it, where it differs from `NATS_URL`. */
  EDGELOOP_JOIN_URL: z.string().optional(),
});
export type FleetConfig = z.output<typeof FleetConfig>;
