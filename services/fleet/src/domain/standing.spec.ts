import { describe, expect, it } from '@jest/globals';
import { policy, release } from './node.fixture.ts';
import {
  CAMPAIGNS_CLOSED_MAX,
  CAMPAIGNS_OPEN_MAX,
  NOTHING_STANDS,
  NO_POLICY,
  closeCampaign,
  openCampaign,
  policyFor,
  prove,
} from './standing.ts';
import type { Campaign, Selection, Standing } from './standing.ts';

const campaign = (campaignId: string, sequence: number, nodes: Selection = { all: true }): Campaign => ({
  campaignId,
  policy: policy(sequence, campaignId),
  nodes,
  sequence,
});
const open = (start: Standing, ...campaigns: Campaign[]): Standing =>
  campaigns.reduce((state, next) => openCampaign(state, next) ?? state, start);
const held = (standing: Standing, nodeId = 'cam-1'): string => {
  const { campaignId, policy: found } = policyFor(standing, nodeId, 'base');
  return `${campaignId}/${found.policyId}.${found.version}`;
};

describe('campaigns', () => {
  it('nothing is collected before anybody said so', () => {
    expect(policyFor(NOTHING_STANDS, 'cam-1', 'base')).toEqual({ policy: NO_POLICY, campaignId: 'base' });
  });
  it('the most recent open one wins, closing it returns to the one before, then to the base', () => {
    const both = open(NOTHING_STANDS, campaign('base', 1), campaign('day', 2), campaign('night', 3));
    expect(held(both)).toBe('night/night.3');
    const one = closeCampaign(both, 'night', 4) ?? both;
    expect(held(one)).toBe('day/day.2');
    expect(held(closeCampaign(one, 'day', 5) ?? one)).toBe('base/base.1');
  });
  it('the base never wins over an open campaign, not even a newer base', () => {
    expect(held(open(NOTHING_STANDS, campaign('base', 1), campaign('day', 2), campaign('base', 3)))).toBe('day/day.2');
    expect(held(open(NOTHING_STANDS, campaign('base', 1), campaign('base', 3)))).toBe('base/base.3');
  });
  it('holds for the nodes that it names', () => {
    const some = open(NOTHING_STANDS, campaign('base', 1), campaign('day', 2, { nodeIds: ['cam-2'] }));
    expect([held(some, 'cam-1'), held(some, 'cam-2')]).toEqual(['base/base.1', 'day/day.2']);
  });
  it('a start told twice, or told after the end, changes nothing', () => {
    const started = open(NOTHING_STANDS, campaign('day', 2));
    expect(openCampaign(started, campaign('day', 2))).toBeUndefined();
    const closed = closeCampaign(started, 'day', 3) ?? started;
    expect(openCampaign(closed, campaign('day', 2))).toBeUndefined();
    expect(closeCampaign(closed, 'day', 3)).toBeUndefined();
  });
  it('an end told before its start keeps it closed', () => {
    const closed = closeCampaign(NOTHING_STANDS, 'day', 3) ?? NOTHING_STANDS;
    expect(openCampaign(closed, campaign('day', 2))).toBeUndefined();
  });
  it('keeps bounded lists, and the base always', () => {
    const many = open(
      NOTHING_STANDS,
      campaign('base', 1),
      ...Array.from({ length: CAMPAIGNS_OPEN_MAX + 5 }, (_, index) => campaign(`c${index}`, index + 2)),
    );
    expect(many.open).toHaveLength(CAMPAIGNS_OPEN_MAX + 1);
    expect(many.open[0]?.campaignId).toBe('base');
    let closed = NOTHING_STANDS;
    for (let index = 0; index < CAMPAIGNS_CLOSED_MAX + 5; index++) closed = closeCampaign(closed, `c${index}`, index + 1) ?? closed;
    expect(closed.closed).toHaveLength(CAMPAIGNS_CLOSED_MAX);
  });
});

describe('what is proven', () => {
  it('the later end in the stream holds', () => {
    const newer = prove(NOTHING_STANDS, release('v2'), 9) ?? NOTHING_STANDS;
    expect(prove(newer, release('v1'), 8)).toBeUndefined();
    expect(prove(newer, release('v2'), 9)).toBeUndefined();
    expect(prove(newer, release('v3'), 10)?.proven?.release.version).toBe('v3');
  });
  it('each change counts', () => {
    expect(prove(open(NOTHING_STANDS, campaign('day', 2)), release('v2'), 9)?.version).toBe(2);
  });
});
