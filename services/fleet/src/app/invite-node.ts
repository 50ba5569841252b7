import type { Documents } from '@edgeloop/bus';
import type { AskInvite, PayloadOf, ReplyOf } from '@edgeloop/contracts';
import { isoOf } from '@edgeloop/runtime';
import type { Clock } from '@edgeloop/runtime';
import type { Invite } from '../domain/invite.ts';
import type { Secrets } from '../ports.ts';

/** Where a node that has nothing yet reaches the bus, and what lets it ask to be enrolled. */
export interface JoinAddress {
  readonly url: string;
  /** Text of a creds file that is good for enrolling only. */
  readonly creds: string;
}

/** Makes one-time join tokens. The secret is in the token alone; here only its hash is kept. */
export class InviteNode {
  readonly #invites: Documents<Invite>;
  readonly #secrets: Secrets;
  readonly #address: JoinAddress;
  readonly #clock: Clock;

  constructor(invites: Documents<Invite>, secrets: Secrets, address: JoinAddress, clock: Clock) {
    this.#invites = invites;
    this.#secrets = secrets;
    this.#address = address;
    this.#clock = clock;
  }

  async invite({ validForMs, nodeId }: PayloadOf<typeof AskInvite>): Promise<ReplyOf<typeof AskInvite>> {
    const inviteId = `invite-${this.#secrets.id()}`;
    const secret = this.#secrets.next();
    const expiresAt = this.#clock.now() + validForMs;
    await this.#invites.save(
      inviteId,
      { inviteId, secretHash: this.#secrets.hash(secret), expiresAt, nodeId: nodeId ?? null, usedBy: null },
      {},
    );
    const token = JSON.stringify({ ...this.#address, inviteId, secret });
    return { inviteId, joinToken: Buffer.from(token, 'utf8').toString('base64url'), expiresAt: isoOf(expiresAt) };
  }
}
