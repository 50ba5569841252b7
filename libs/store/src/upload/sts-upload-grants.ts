import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { samplePrefix } from '../keys.ts';
import { type RetryLimits, STORE_RETRIES, withRetries } from '../retries.ts';
import { sessionName, sessionPolicy } from './session-policy.ts';
import { UPLOAD_SESSION_MS, type SessionCredentials, type UploadGrants, type UploadSession } from './upload-session.ts';

export interface StsAddress {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string };
}

const CONNECT_MS = 3_000;
const SILENCE_MS = 10_000;

export function stsClient(address: StsAddress): STSClient {
  return new STSClient({
    endpoint: address.endpoint,
    region: address.region,
    credentials: { ...address.credentials },
    maxAttempts: 1,
    requestHandler: { connectionTimeout: CONNECT_MS, requestTimeout: SILENCE_MS },
  });
}

export interface StsUploadGrantsOptions {
  readonly sts: StsAddress;
  readonly roleArn: string;
  readonly bucket: string;
  /** Where nodes reach the store. */
  readonly nodesEndpoint: string;
  readonly retries?: RetryLimits;
}

/** Sessions by STS AssumeRole, each narrowed by a policy of its own. @throws StoreForbiddenError, StoreUnavailableError, StoreRejectedError */
export class StsUploadGrants implements UploadGrants {
  readonly options: StsUploadGrantsOptions;
  readonly #client: STSClient;

  constructor(options: StsUploadGrantsOptions) {
    this.options = options;
    this.#client = stsClient(options.sts);
  }

  open(nodeId: string, campaignId: string): Promise<UploadSession> {
    return this.openPrefix(samplePrefix(nodeId, campaignId), sessionName(nodeId, campaignId));
  }

  /** For the proof at start, whose prefix belongs to no node. */
  openPrefix(keyPrefix: string, name: string): Promise<UploadSession> {
    const { bucket, roleArn, retries = STORE_RETRIES } = this.options;
    const command = new AssumeRoleCommand({
      RoleArn: roleArn,
      RoleSessionName: name,
      DurationSeconds: UPLOAD_SESSION_MS / 1000,
      Policy: sessionPolicy({ bucket, keyPrefix }),
    });
    return withRetries({ bucket, key: keyPrefix }, retries, async () => {
      const { Credentials: made } = await this.#client.send(command);
      if (made?.AccessKeyId === undefined) throw new IncompleteSessionError(roleArn);
      const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey = '', SessionToken: sessionToken = '' } = made;
      const expiresAtMs = made.Expiration?.getTime() ?? 0;
      return { bucket, keyPrefix, expiresAtMs, credentials: { ...this.#reach(), accessKeyId, secretAccessKey, sessionToken } };
    });
  }

  #reach(): Pick<SessionCredentials, 'endpoint' | 'region'> {
    return { endpoint: this.options.nodesEndpoint, region: this.options.sts.region };
  }
}

class IncompleteSessionError extends Error {
  override readonly name = 'IncompleteSessionError';
  readonly roleArn: string;
  constructor(roleArn: string) {
    super(`the STS server answered AssumeRole of ${roleArn} without credentials`);
    this.roleArn = roleArn;
  }
}
