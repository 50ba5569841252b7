import { randomUUID } from 'node:crypto';
import {
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { AssumeRoleCommand, GetFederationTokenCommand } from '@aws-sdk/client-sts';
import type { ObjectStore } from '../object-store.ts';
import { codeOf, isRetryable, statusOf, storeErrorOf } from '../s3-failure.ts';
import { s3Client } from '../s3-store.ts';
import { stsClient, type StsUploadGrants } from './sts-upload-grants.ts';
import type { UploadSession } from './upload-session.ts';

/** What must happen to a call that is made with an upload session. */
type Expected = 'succeeds' | 'is-forbidden' | 'is-taken' | 'fails';

interface Trial {
  readonly name: string;
  readonly expected: Expected;
  readonly run: () => Promise<unknown>;
}

export interface TrialResult {
  readonly name: string;
  readonly expected: Expected;
  /** `ok`, or `<status> <code>` of the refusal. */
  readonly got: string;
  readonly held: boolean;
}

/** Upload rights that can do more than upload are never handed out. */
export class UploadRightsTooWideError extends Error {
  override readonly name = 'UploadRightsTooWideError';
  readonly retryable = false;
  readonly broken: readonly TrialResult[];
  constructor(broken: readonly TrialResult[]) {
    const list = broken.map(({ name, expected, got }) => `${name} ${expected.replace('-', ' ')} (got ${got})`).join('; ');
    super(
      `upload sessions are not write-only, so none is handed out. It must hold that: ${list}. Check the role's policy, its trust policy, and that the server obeys session policies.`,
    );
    this.broken = broken;
  }
}

const PROOF_BODY = 'proof of write-only upload rights';

/**
 * Opens a session as a node would and tries what must fail. Resolves to what was tried.
 * @param store the service's own rights, to plant what the session must not reach and to clean up
 * @throws UploadRightsTooWideError, StoreUnavailableError (retryable: nothing was proved)
 */
export async function proveWriteOnly(grants: StsUploadGrants, store: ObjectStore): Promise<readonly TrialResult[]> {
  const { bucket } = grants.options;
  // No node's name starts with a dot, so no node can ever own these.
  const folder = `.proof/${randomUUID()}`;
  const foreign = { bucket, key: `${folder}/foreign/planted` };
  await store.put(foreign, Buffer.from(PROOF_BODY));
  const session = await grants.openPrefix(`${folder}/own/`, 'proof@start');
  const results: TrialResult[] = [];
  try {
    for (const trial of trialsOf(session, grants, folder)) results.push(await tried(trial));
  } finally {
    for await (const leftover of store.list(bucket, `${folder}/`)) await store.delete(leftover);
  }
  const broken = results.filter(({ held }) => !held);
  if (broken.length > 0) throw new UploadRightsTooWideError(broken);
  return results;
}

function trialsOf(session: UploadSession, grants: StsUploadGrants, folder: string): readonly Trial[] {
  const client = s3Client({ endpoint: grants.options.sts.endpoint, region: session.credentials.region, credentials: session.credentials });
  return [...objectTrials(client, session, folder), ...chainingTrials(session, grants)];
}

/** In this order: later trials need the object that the first one puts. */
function objectTrials(client: S3Client, { bucket, keyPrefix }: UploadSession, folder: string): readonly Trial[] {
  const own = { Bucket: bucket, Key: `${keyPrefix}sample` };
  const foreign = { Bucket: bucket, Key: `${folder}/foreign/planted` };
  const put = (Bucket: string, Key: string) => () => client.send(new PutObjectCommand({ Bucket, Key, Body: PROOF_BODY, IfNoneMatch: '*' }));
  return [
    { name: 'PUT below the own prefix', expected: 'succeeds', run: put(bucket, own.Key) },
    { name: 'PUT over an object, create-only,', expected: 'is-taken', run: put(bucket, own.Key) },
    { name: 'PUT beside the own prefix', expected: 'is-forbidden', run: put(bucket, `${folder}/own2/sample`) },
    { name: "PUT below another node's prefix", expected: 'is-forbidden', run: put(bucket, `${folder}/foreign/sample`) },
    { name: 'PUT into another bucket', expected: 'is-forbidden', run: put('releases', `${folder}/sample`) },
    { name: 'GET of the own object', expected: 'is-forbidden', run: () => client.send(new GetObjectCommand(own)) },
    { name: 'GET of a foreign object', expected: 'is-forbidden', run: () => client.send(new GetObjectCommand(foreign)) },
    { name: 'HEAD of the own object', expected: 'is-forbidden', run: () => client.send(new HeadObjectCommand(own)) },
    {
      name: 'LIST of the own prefix',
      expected: 'is-forbidden',
      run: () => client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: keyPrefix })),
    },
    { name: 'DELETE of the own object', expected: 'is-forbidden', run: () => client.send(new DeleteObjectCommand(own)) },
    { name: 'DELETE of a foreign object', expected: 'is-forbidden', run: () => client.send(new DeleteObjectCommand(foreign)) },
    {
      name: 'COPY of a foreign object',
      expected: 'is-forbidden',
      run: () => client.send(new CopyObjectCommand({ Bucket: bucket, Key: `${keyPrefix}copy`, CopySource: `${bucket}/${foreign.Key}` })),
    },
    {
      name: 'a multipart upload',
      expected: 'is-forbidden',
      run: () => client.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key: `${keyPrefix}parts` })),
    },
  ];
}

/** A session that may assume the role again, without the policy that narrows it, would be the whole role. */
function chainingTrials(session: UploadSession, grants: StsUploadGrants): readonly Trial[] {
  const sts = stsClient({ ...grants.options.sts, credentials: session.credentials });
  const { roleArn } = grants.options;
  return [
    {
      name: 'AssumeRole with the session',
      expected: 'fails',
      run: () => sts.send(new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: 'chained', DurationSeconds: 900 })),
    },
    {
      name: 'GetFederationToken with the session',
      expected: 'fails',
      run: () => sts.send(new GetFederationTokenCommand({ Name: 'chained', DurationSeconds: 900 })),
    },
  ];
}

async function tried(trial: Trial): Promise<TrialResult> {
  const { name, expected } = trial;
  try {
    await trial.run();
    return { name, expected, got: 'ok', held: expected === 'succeeds' };
  } catch (failure) {
    // A store that is away refuses everything: that proves nothing.
    if (isRetryable(failure)) throw storeErrorOf({ bucket: 'proof', key: name }, failure, 1);
    return { name, expected, got: `${statusOf(failure)} ${codeOf(failure)}`, held: fits(expected, statusOf(failure)) };
  }
}

function fits(expected: Expected, status: number | undefined): boolean {
  switch (expected) {
    case 'succeeds':
      return false;
    case 'is-forbidden':
      return status === 403;
    case 'is-taken':
      return status === 412;
    case 'fails':
      return true;
    default:
      return expected satisfies never;
  }
}
