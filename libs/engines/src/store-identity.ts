import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { keptSecret, writeSecret } from './secret-files.ts';

/** `releases` trust metadata and packages; `samples` nodes write only; `datasets` snapshots; `runs` outputs of runs. */
export const BUCKETS = ['releases', 'samples', 'datasets', 'runs'] as const;
export type Bucket = (typeof BUCKETS)[number];

/** The store's own: readiness probes are written here. */
export const PROBE_BUCKET = 'probe';
export const UPLOAD_ROLE_ARN = 'arn:aws:iam::000000000000:role/sample-upload';
/** Longest session the store gives out. */
export const SESSION_MAX = '1h';

export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Random secrets of one object store; made once per data folder. */
export interface StoreSecrets {
  readonly admin: AccessKey;
  /** May read, write and list the four buckets: for the services. */
  readonly service: AccessKey;
  /** May assume the upload role and nothing else. */
  readonly issuer: AccessKey;
  readonly sessionSigningKey: string;
  readonly adminPassword: string;
  /** Close the side doors of filer and volume server, which else serve every object to everybody. */
  readonly jwt: { readonly signing: string; readonly signingRead: string; readonly filer: string; readonly filerRead: string };
}

export function keptStoreSecrets(keysDir: string): Promise<StoreSecrets> {
  return keptSecret(join(keysDir, 'secrets.json'), makeSecrets);
}

/** Writes identities, role and policy for the server; the same file serves S3 and IAM. */
export async function writeStoreConfig(keysDir: string, secrets: StoreSecrets): Promise<string> {
  const path = join(keysDir, 's3.json');
  await writeSecret(path, JSON.stringify(storeConfig(secrets), null, 2));
  return path;
}

function makeSecrets(): StoreSecrets {
  return {
    admin: makeAccessKey(),
    service: makeAccessKey(),
    issuer: makeAccessKey(),
    sessionSigningKey: randomBytes(32).toString('base64'),
    adminPassword: randomText(),
    jwt: { signing: randomText(), signingRead: randomText(), filer: randomText(), filerRead: randomText() },
  };
}

function makeAccessKey(): AccessKey {
  return { accessKeyId: `EL${randomBytes(9).toString('hex').toUpperCase()}`, secretAccessKey: randomBytes(30).toString('base64url') };
}

function randomText(): string {
  return randomBytes(32).toString('base64url');
}

/** SeaweedFS' configuration: three identities, one role that can only put objects below the samples bucket. */
export function storeConfig(secrets: StoreSecrets): object {
  return {
    identities: [
      identity('admin', secrets.admin, ['Admin']),
      identity(
        'service',
        secrets.service,
        BUCKETS.flatMap((bucket) => ['Read', 'Write', 'List'].map((action) => `${action}:${bucket}`)),
      ),
      identity('issuer', secrets.issuer, []),
    ],
    sts: { tokenDuration: '15m', maxSessionLength: SESSION_MAX, issuer: 'edgeloop', signingKey: secrets.sessionSigningKey },
    policy: { defaultEffect: 'Deny', storeType: 'memory' },
    providers: [],
    roles: [
      {
        roleName: 'sample-upload',
        roleArn: UPLOAD_ROLE_ARN,
        trustPolicy: allow('sts:AssumeRole', { Principal: { AWS: 'arn:aws:iam::000000000000:user/issuer' } }),
        attachedPolicies: ['SampleUpload'],
      },
    ],
    policies: [{ name: 'SampleUpload', document: allow('s3:PutObject', { Resource: ['arn:aws:s3:::samples/*'] }) }],
  };
}

function identity(name: string, key: AccessKey, actions: readonly string[]): object {
  return { name, credentials: [{ accessKey: key.accessKeyId, secretKey: key.secretAccessKey }], actions };
}

function allow(action: string, to: object): object {
  return { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: [action], ...to }] };
}
