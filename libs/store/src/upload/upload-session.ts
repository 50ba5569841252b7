/** Temporary credentials as the store hands them out. */
export interface SessionCredentials {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

export interface UploadSession {
  readonly bucket: string;
  /** Keys must start with this: `<nodeId>/<campaignId>/`. */
  readonly keyPrefix: string;
  readonly expiresAtMs: number;
  readonly credentials: SessionCredentials;
}

export interface UploadGrants {
  /** A fresh session that can only put below the prefix of this node in this campaign. */
  open(nodeId: string, campaignId: string): Promise<UploadSession>;
}

/** The shortest life that STS servers give. */
export const UPLOAD_SESSION_MS = 15 * 60_000;

/** A session is replaced after this share of its life, by the holder's own clock: servers cut it off without grace. */
export const RENEW_AT_SHARE = 0.6;
