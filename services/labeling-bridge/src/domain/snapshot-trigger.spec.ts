import { describe, expect, it } from '@jest/globals';
import { decideSnapshot, type CampaignProgress, type DeskFacts } from './snapshot-trigger.ts';

const rules = { labelsWanted: 100, labelsMin: 20, patienceMs: 1_000 };

function decide(facts: Partial<DeskFacts>): string {
  const decision = decideSnapshot({ newLabels: 0, lastAnswerAtMs: 0, campaigns: [], nowMs: 10_000, ...facts }, rules);
  return decision.freeze ? `freeze: ${decision.reason}` : `wait for ${decision.waitsFor}`;
}

function campaign(changes: Partial<CampaignProgress>): CampaignProgress {
  return { campaignId: 'c', closedWith: null, tasks: 0, answered: 0, newLabels: changes.answered ?? 0, ...changes };
}

describe('a snapshot', () => {
  it('is worth it at the wanted count, not one label before', () => {
    expect(decide({ newLabels: 99 })).toBe('wait for 1 more labels');
    expect(decide({ newLabels: 100 })).toBe('freeze: 100 new labels, 100 were wanted');
  });

  it('waits for a campaign that collects, however many labels there are', () => {
    expect(decide({ newLabels: 500, campaigns: [campaign({ tasks: 10, answered: 10 })] })).toBe('wait for campaign c to close');
  });

  it('does not wait for a campaign that has brought nothing', () => {
    expect(decide({ newLabels: 100, campaigns: [campaign({})] })).toContain('freeze');
  });

  it('takes a campaign that is closed and answered, from the minimum on', () => {
    const done = campaign({ closedWith: 30, tasks: 30, answered: 30 });
    expect(decide({ newLabels: 20, campaigns: [done] })).toBe('freeze: campaign c is closed and answered, 20 new labels');
    expect(decide({ newLabels: 19, campaigns: [done] })).toBe('wait for 81 more labels');
  });

  it('takes a campaign that is answered to its end without waiting for another one', () => {
    const done = campaign({ closedWith: 30, tasks: 30, answered: 30 });
    const other = campaign({ campaignId: 'd', tasks: 9, answered: 5 });
    expect(decide({ newLabels: 35, campaigns: [other, done] })).toContain('freeze: campaign c');
    expect(decide({ newLabels: 24, campaigns: [other, { ...done, newLabels: 19 }] })).toBe('wait for campaign d to close');
  });

  it('does not take a campaign again that an earlier snapshot holds', () => {
    const held = campaign({ closedWith: 30, tasks: 30, answered: 30, newLabels: 0 });
    expect(decide({ newLabels: 50, campaigns: [held] })).toBe('wait for 50 more labels');
    expect(decide({ newLabels: 50, campaigns: [held, campaign({ campaignId: 'd', tasks: 50, answered: 50 })] })).toBe(
      'wait for campaign d to close',
    );
  });

  it('waits for tasks that are not made yet, and for answers that are not recorded yet', () => {
    const nowMs = 500;
    expect(decide({ newLabels: 100, nowMs, campaigns: [campaign({ closedWith: 30, tasks: 29, answered: 29 })] })).toBe(
      'wait for answers to campaign c',
    );
    expect(decide({ newLabels: 100, nowMs, campaigns: [campaign({ closedWith: 30, tasks: 30, answered: 29 })] })).toBe(
      'wait for answers to campaign c',
    );
  });

  it('counts samples that came in late', () => {
    const late = campaign({ closedWith: 30, tasks: 31, answered: 30 });
    expect(decide({ newLabels: 100, nowMs: 500, campaigns: [late] })).toBe('wait for answers to campaign c');
  });

  it('does not wait for ever for people who went home', () => {
    const left = campaign({ closedWith: 30, tasks: 30, answered: 25 });
    expect(decide({ newLabels: 100, nowMs: 999, campaigns: [left] })).toContain('wait');
    expect(decide({ newLabels: 100, nowMs: 1_000, campaigns: [left] })).toContain('freeze');
    expect(decide({ newLabels: 99, nowMs: 1_000, campaigns: [left] })).toContain('wait');
  });

  it('needs a label', () => {
    expect(decide({ campaigns: [campaign({ closedWith: 3, tasks: 3, answered: 3 })] })).toBe('wait for no new label');
  });
});
