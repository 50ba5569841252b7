export interface PolicyTarget {
  readonly bucket: string;
  /** Ends in `/`. */
  readonly keyPrefix: string;
}

/**
 * What one node may do with its session: put single objects below one prefix. SeaweedFS counts multipart uploads as puts and lets
 * sessions assume roles again, so both are denied by name.
 */
export function sessionPolicy(target: PolicyTarget): string {
  const own = [`arn:aws:s3:::${target.bucket}/${target.keyPrefix}*`];
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Sid: 'PutOwnPrefix', Effect: 'Allow', Action: ['s3:PutObject'], Resource: own },
      { Sid: 'NoMultipart', Effect: 'Deny', Action: ['s3:CreateMultipartUpload'], Resource: own },
      { Sid: 'NoChaining', Effect: 'Deny', Action: ['sts:AssumeRole'], Resource: ['*'] },
    ],
  });
}

const SESSION_NAME_MAX = 64;

/** Appears in the server's audit log: letters, digits and `=,.@-_` only, 2 to 64 of them. */
export function sessionName(nodeId: string, campaignId: string): string {
  return `${nodeId}@${campaignId}`.slice(0, SESSION_NAME_MAX);
}
