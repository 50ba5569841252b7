import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { tempFolders } from '../temp-folder.spec-kit.ts';
import { SampleSpool, UNKNOWN_ANSWERS_MAX } from './sample-spool.ts';
import { openSpool } from './spool-database.ts';
import { factsOf, idOf, idsIn, OBJECT, sample, spoolIn } from './spool.spec-kit.ts';

const folder = tempFolders();

describe('the spool of samples', () => {
  it('keeps a frame with its bytes and facts across a restart', async () => {
    const { path, database, spool } = spoolIn(await folder());
    expect(spool.append(sample(1))).toBe('kept');
    database.close();
    const again = openSpool(path, 0);
    expect(again).toMatchObject({ fresh: false, setAside: undefined });
    const reopened = new SampleSpool(again.database, { bytesMax: 1_000, itemsMax: 100 });
    expect(reopened.atStage('kept', 10)).toMatchObject([{ sequence: 1, facts: factsOf(1), object: null }]);
    expect([...(reopened.picture(idOf(1)) ?? [])]).toEqual([...new Uint8Array(10).fill(1)]);
  });

  it('takes the same picture once, also after it was settled', async () => {
    const { spool } = spoolIn(await folder());
    spool.append(sample(1));
    expect(spool.append(sample(1))).toBe('duplicate');
    expect(spool.settle(idOf(1), 'accepted')).toBe(true);
    expect(spool.append(sample(1))).toBe('duplicate');
    expect(spool.stats()).toMatchObject({ items: 0, bytes: 0, shed: 0 });
  });

  it('lets go of what is worth least, the oldest of it first, and counts it', async () => {
    const { spool } = spoolIn(await folder(), { bytesMax: 1_000, itemsMax: 3 });
    for (const [number, value] of [
      [1, 0.5],
      [2, 0.2],
      [3, 0.2],
      [4, 0.9],
    ] as const) {
      expect(spool.append(sample(number, value))).toBe('kept');
    }
    expect(idsIn(spool)).toEqual([idOf(4), idOf(1), idOf(3)]);
    expect(spool.stats()).toMatchObject({ items: 3, shed: 1 });
  });

  it('sheds the new frame when it is worth less than all that is there', async () => {
    const { spool } = spoolIn(await folder(), { bytesMax: 1_000, itemsMax: 1 });
    spool.append(sample(1, 0.5));
    expect(spool.append(sample(2, 0.4))).toBe('shed');
    expect(spool.stats()).toMatchObject({ items: 1, shed: 1 });
  });

  it('lets nothing go when even all of it would not make room', async () => {
    const { spool } = spoolIn(await folder(), { bytesMax: 100, itemsMax: 10 });
    spool.append(sample(1, 0.1, 40));
    spool.append(sample(2, 0.9, 50));
    expect(spool.append(sample(3, 0.5, 60))).toBe('shed');
    expect(spool.stats()).toMatchObject({ items: 2, bytes: 90 });
  });

  it('never lets go of what is uploaded and waits for its receipt', async () => {
    const { spool } = spoolIn(await folder(), { bytesMax: 1_000, itemsMax: 1 });
    spool.append(sample(1, 0.1));
    spool.markStored(idOf(1), OBJECT);
    expect(spool.append(sample(2, 0.9))).toBe('shed');
    spool.markAnnounced(idOf(1));
    expect(spool.append(sample(3, 0.9))).toBe('shed');
    expect(spool.atStage('announced', 1)).toMatchObject([{ object: OBJECT, announcements: 1 }]);
  });

  it('lets go of what nobody takes before anything else, whatever it is worth', async () => {
    const { spool } = spoolIn(await folder(), { bytesMax: 1_000, itemsMax: 2 });
    spool.append(sample(1, 0.9));
    spool.append(sample(2, 0.1));
    spool.setAside(idOf(1));
    expect(spool.append(sample(3, 0.2))).toBe('kept');
    expect(idsIn(spool)).toEqual([idOf(3), idOf(2)]);
  });

  it('offers for upload what lies in its turn: none of the campaigns named, none that waits aside', async () => {
    const { spool } = spoolIn(await folder());
    const of = (number: number, campaignId: string) => ({ ...sample(number, 1 / number), facts: { ...factsOf(number), campaignId } });
    for (const [number, campaignId] of [
      [1, 'a'],
      [2, 'b'],
      [3, 'c'],
      [4, 'c'],
    ] as const)
      spool.append(of(number, campaignId));
    spool.setAside(idOf(3));
    const offered = (limit: number, without: string[]) => spool.toUpload(limit, without).map(({ facts }) => facts.sampleId);
    expect(offered(9, [])).toEqual([idOf(1), idOf(2), idOf(4)]);
    expect(offered(1, ['a', 'never'])).toEqual([idOf(2)]);
    expect(offered(9, ['a', 'b', 'c'])).toEqual([]);
    spool.takeUpAgain();
    expect(offered(9, ['a', 'b'])).toEqual([idOf(3), idOf(4)]);
  });

  it('asks for a receipt for every frame of a closed campaign, and tells again what it had told', async () => {
    const { spool } = spoolIn(await folder());
    for (const number of [1, 2, 3]) spool.append(sample(number));
    spool.append({ ...sample(4), facts: { ...factsOf(4), campaignId: 'open' } });
    spool.setAside(idOf(3));
    spool.markStored(idOf(1), OBJECT);
    spool.markAnnounced(idOf(1));
    for (let answer = 0; answer < 2 * UNKNOWN_ANSWERS_MAX; answer += 1) {
      spool.countUnknown(idOf(1));
      spool.markAnnounced(idOf(1));
    }
    expect(idsIn(spool)).toEqual([idOf(1), idOf(2), idOf(4)]);
    spool.closeCampaign('base');
    expect(idsIn(spool)).toEqual([idOf(4)]);
    expect(spool.toAnnounce(9)).toMatchObject([{ facts: { sampleId: idOf(1) }, object: OBJECT }]);
    expect(spool.toAskFor(9)).toMatchObject([{ stage: 'unwanted', facts: { sampleId: idOf(2) } }]);
    spool.countUnknown(idOf(2));
    expect(idsIn(spool)).toEqual([idOf(2), idOf(4)]);
    expect(spool.stats()).toMatchObject({ items: 4, shed: 0 });
  });

  it('asks in turn: what was answered "unknown" comes after what was not asked for yet', async () => {
    const { spool } = spoolIn(await folder());
    for (const number of [1, 2]) {
      spool.append(sample(number, 1 / number));
      spool.markStored(idOf(number), OBJECT);
      spool.markAnnounced(idOf(number));
    }
    expect(spool.toAskFor(1)).toMatchObject([{ facts: { sampleId: idOf(1) } }]);
    spool.countUnknown(idOf(1));
    expect(spool.toAskFor(1)).toMatchObject([{ facts: { sampleId: idOf(2) } }]);
  });

  it('moves one stage at a time and leaves only when settled', async () => {
    const { spool } = spoolIn(await folder());
    spool.append(sample(1));
    spool.markAnnounced(idOf(1));
    expect(idsIn(spool)).toEqual([idOf(1)]);
    spool.markStored(idOf(1), OBJECT);
    spool.markAnnounced(idOf(1));
    expect(spool.atStage('announced', 9)).toHaveLength(1);
    expect(spool.settle(idOf(1), 'quarantined')).toBe(true);
    expect(spool.settle(idOf(1), 'quarantined')).toBe(false);
  });

  it('tells the collector again when it knows nothing of a sample, and later sends the object again', async () => {
    const { spool } = spoolIn(await folder());
    spool.append(sample(1));
    spool.markStored(idOf(1), OBJECT);
    spool.markAnnounced(idOf(1));
    for (let answer = 1; answer < UNKNOWN_ANSWERS_MAX; answer += 1) spool.countUnknown(idOf(1));
    expect(spool.atStage('announced', 9)).toHaveLength(1);
    spool.countUnknown(idOf(1));
    expect(spool.atStage('stored', 9)).toMatchObject([{ announcements: 1 }]);
    spool.markAnnounced(idOf(1));
    for (let answer = 0; answer < UNKNOWN_ANSWERS_MAX; answer += 1) spool.countUnknown(idOf(1));
    expect(idsIn(spool)).toEqual([idOf(1)]);
  });

  it('holds its caps for any stream of frames, and every frame is there, settled or counted as shed', async () => {
    const action = fc.record({
      value: fc.double({ min: 0, max: 1, noNaN: true }),
      bytes: fc.integer({ min: 1, max: 120 }),
      settle: fc.boolean(),
    });
    const limits = { bytesMax: 300, itemsMax: 5 };
    const path = join(await folder(), 'spool.db');
    let next = 1;
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 40 }), async (actions) => {
        const { database } = openSpool(path, 0);
        const spool = new SampleSpool(database, limits);
        const before = spool.stats();
        let settled = 0;
        for (const { value, bytes, settle } of actions) {
          spool.append({ ...sample(next, value, bytes), facts: factsOf(next) });
          next += 1;
          const first = settle ? idsIn(spool)[0] : undefined;
          if (first !== undefined && spool.settle(first, 'accepted')) settled += 1;
          expect(spool.stats().items).toBeLessThanOrEqual(limits.itemsMax);
          expect(spool.stats().bytes).toBeLessThanOrEqual(limits.bytesMax);
        }
        const after = spool.stats();
        expect(before.items + actions.length).toBe(after.items + settled + (after.shed - before.shed));
        database.close();
      }),
      { numRuns: 15 },
    );
  });

  it('forgets nothing without a receipt, and lets nothing go that was announced, whatever happens in whatever order', async () => {
    const { spool } = spoolIn(await folder(), { bytesMax: 1e9, itemsMax: 1e6 });
    const move = fc.constantFrom('append', 'stored', 'announced', 'unknown', 'aside', 'again', 'close', 'accepted', 'declined');
    let next = 1;
    fc.assert(
      fc.property(fc.array(fc.tuple(move, fc.nat(2)), { maxLength: 60 }), (moves) => {
        const first = next;
        next += 3;
        const [before, gone] = [spool.stats().items, new Set<string>()];
        for (const number of [first, first + 1, first + 2]) spool.append(sample(number));
        for (const [each, index] of moves) {
          const sampleId = idOf(first + index);
          if (each === 'append') spool.append(sample(first + index));
          else if (each === 'stored') spool.markStored(sampleId, OBJECT);
          else if (each === 'announced') spool.markAnnounced(sampleId);
          else if (each === 'unknown') spool.countUnknown(sampleId);
          else if (each === 'aside') spool.setAside(sampleId);
          else if (each === 'again') spool.takeUpAgain();
          else if (each === 'close') spool.closeCampaign('base');
          else if (spool.settle(sampleId, each as 'accepted' | 'declined')) gone.add(sampleId);
          expect(spool.stats()).toMatchObject({ items: before + 3 - gone.size, shed: 0 });
          for (const { announcements, object } of spool.atStage('unwanted', 1_000))
            expect({ announcements, object }).toEqual({ announcements: 0, object: null });
          for (const stage of ['stored', 'announced'] as const)
            for (const { object } of spool.atStage(stage, 1_000)) expect(object).toEqual(OBJECT);
        }
        for (const number of [first, first + 1, first + 2]) spool.settle(idOf(number), 'accepted');
      }),
      { numRuns: 25 },
    );
  });
});
