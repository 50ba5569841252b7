import type { StoreConfig, StsConfig } from '@edgeloop/runtime';
import type { z } from 'zod';
import type { ObjectStore } from './object-store.ts';
import { S3ObjectStore, s3Client } from './s3-store.ts';
import { StsUploadGrants } from './upload/sts-upload-grants.ts';

type StoreSettings = z.output<typeof StoreConfig>;
type StsSettings = z.output<typeof StsConfig>;

/** The store that `S3_*` names. */
export function storeFromConfig(config: StoreSettings): ObjectStore {
  return new S3ObjectStore(
    s3Client({
      endpoint: config.S3_ENDPOINT,
      region: config.S3_REGION,
      credentials: { accessKeyId: config.S3_ACCESS_KEY_ID, secretAccessKey: config.S3_SECRET_ACCESS_KEY },
    }),
  );
}

/** The issuer that `STS_*` names; `nodesEndpoint` where nodes reach the store by another address than the services do. */
export function grantsFromConfig(config: StoreSettings & StsSettings, nodesEndpoint: string = config.S3_ENDPOINT): StsUploadGrants {
  return new StsUploadGrants({
    sts: {
      endpoint: config.STS_ENDPOINT,
      region: config.S3_REGION,
      credentials: { accessKeyId: config.STS_ACCESS_KEY_ID, secretAccessKey: config.STS_SECRET_ACCESS_KEY },
    },
    roleArn: config.STS_ROLE_ARN,
    bucket: SAMPLES_BUCKET,
    nodesEndpoint,
  });
}

/** Nodes write only; services read. */
export const SAMPLES_BUCKET = 'samples';
/** Frozen dataset snapshots and imported pictures. */
export const DATASETS_BUCKET = 'datasets';
export const RUNS_BUCKET = 'runs';
export const RELEASES_BUCKET = 'releases';
