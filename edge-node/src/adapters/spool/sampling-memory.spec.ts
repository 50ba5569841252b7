import { describe, expect, it } from '@jest/globals';
import { countKept, emptyLimiter } from '../../domain/sampling.ts';
import { tempFolders } from '../temp-folder.spec-kit.ts';
import { BUDGETS_MAX } from './sample-spool.ts';
import { recallLimiter } from './sampling-memory.ts';
import { factsOf, idOf, OBJECT, sample, spoolIn } from './spool.spec-kit.ts';

const folder = tempFolders();

describe('what is remembered of a campaign', () => {
  const policy = { policyId: 'p', version: 1, rules: [], nearDuplicateBits: 4, samplesMax: 10 };
  const base = { campaignId: 'base', policy };

  it('survives a restart: budget, rates and pictures', async () => {
    const { database, spool } = spoolIn(await folder());
    let expected = emptyLimiter(base);
    for (const number of [1, 2]) {
      spool.append(sample(number));
      expected = countKept(expected, { rule: 'any', atMs: 500 + number, dhash: factsOf(number).picture.dhash });
    }
    const recalled = recallLimiter(database, base, { wallMs: 2_000, monotonicMs: 1_500 });
    expect(recalled).toEqual(expected);
    expect(recallLimiter(database, base, { wallMs: 100_000, monotonicMs: 0 })).toMatchObject({ kept: 2, recent: [] });
  });

  it('survives a new version of its policy; another campaign starts anew', async () => {
    const { database, spool } = spoolIn(await folder());
    spool.append(sample(1));
    const now = { wallMs: 2_000, monotonicMs: 1_500 };
    const anew = { ...policy, version: 2 };
    expect(recallLimiter(database, { campaignId: 'base', policy: anew }, now)).toMatchObject({ version: 2, kept: 1, recent: [{}] });
    spool.append({ ...sample(2), facts: { ...factsOf(2), why: { ...factsOf(2).why, policyVersion: 2 } } });
    expect(recallLimiter(database, { campaignId: 'base', policy: anew }, now)).toMatchObject({ kept: 2 });
    expect(recallLimiter(database, { campaignId: 'other', policy: anew }, now)).toMatchObject({ kept: 0, recent: [], hashes: [{}, {}] });
  });

  it('is bounded: the campaign that was kept for longest ago is forgotten', async () => {
    const { database, spool } = spoolIn(await folder());
    database.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${BUDGETS_MAX})
      INSERT INTO budgets (campaign_id, kept, touched) SELECT 'old-' || i, 7, i - ${BUDGETS_MAX} FROM n`);
    spool.append(sample(1));
    const keptFor = (campaignId: string) => recallLimiter(database, { campaignId, policy }, { wallMs: 0, monotonicMs: 0 }).kept;
    expect([keptFor('old-1'), keptFor('old-2'), keptFor('base')]).toEqual([0, 7, 1]);
  });

  it('counts the frames of a campaign that wait for their upload', async () => {
    const { spool } = spoolIn(await folder());
    for (const number of [1, 2, 3]) spool.append(sample(number));
    spool.markStored(idOf(1), OBJECT);
    expect([spool.waiting('base'), spool.waiting('other')]).toEqual([2, 0]);
  });
});
