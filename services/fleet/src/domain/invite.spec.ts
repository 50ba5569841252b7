import { describe, expect, it } from '@jest/globals';
import { judgeInvite, judgeName } from './invite.ts';
import type { Invite, JoinRequest } from './invite.ts';

const NOW = 1_000_000;
const invite: Invite = { inviteId: 'invite-1', secretHash: 'h1', expiresAt: NOW, nodeId: null, usedBy: null };
const request: JoinRequest = { nodeId: 'cam-1', publicKey: 'UA', secretHash: 'h1' };
const used = { ...invite, usedBy: { nodeId: 'cam-1', publicKey: 'UA', at: NOW } };
const reason = (found: Invite | undefined, more: Partial<JoinRequest> = {}, now = NOW): string => {
  const verdict = judgeInvite(found, { ...request, ...more }, now);
  return verdict.kind === 'refused' ? verdict.reason : verdict.kind;
};

describe('judgeInvite', () => {
  it('lets the first in, and writes down who it was', () => {
    expect(judgeInvite(invite, request, NOW)).toEqual({ kind: 'joins', invite: used });
  });
  it('an unknown token and a wrong secret are told apart by nobody', () => {
    expect(judgeInvite(undefined, request, NOW)).toEqual(judgeInvite(invite, { ...request, secretHash: 'h2' }, NOW));
    expect(reason(undefined)).toBe('token-unknown');
  });
  it('holds up to its expiry and not a millisecond longer', () => {
    expect([reason(invite, {}, NOW), reason(invite, {}, NOW + 1)]).toEqual(['joins', 'token-expired']);
  });
  it('the same node asking again gets the same answer, even after the expiry: its reply was lost', () => {
    expect(reason(used, {}, NOW + 99)).toBe('again');
  });
  it('another key or another name with a used token is refused', () => {
    expect(reason(used, { publicKey: 'UB' })).toBe('token-used');
    expect(reason(used, { nodeId: 'cam-2' })).toBe('token-used');
  });
  it('a token for one node is good for that node only', () => {
    expect(reason({ ...invite, nodeId: 'cam-9' })).toBe('token-unknown');
    expect(reason({ ...invite, nodeId: 'cam-1' })).toBe('joins');
  });
});

describe('judgeName', () => {
  it('a name belongs to the key that took it first', () => {
    expect(judgeName({ publicKey: 'UB' }, request)).toMatchObject({ kind: 'refused', reason: 'node-exists' });
    expect(judgeName({ publicKey: 'UB' }, request)).toMatchObject({
      say: expect.stringMatching(/another name .*EDGELOOP_NODE_ID.*EDGELOOP_NODE_DIR/),
    });
    expect(judgeName({ publicKey: 'UA' }, request)).toBeUndefined();
    expect(judgeName(undefined, request)).toBeUndefined();
  });
});
